"""What is wrong with a Redis server is told from its own words, wrapped or not, and never quotes
what was asked.
"""

import pytest
from kombu.exceptions import OperationalError
from redis._parsers.base import BaseParser
from redis.exceptions import ResponseError

from producer.redis_trouble import REFUSALS, described, reason, refusal_of

REPLIES = {
    "OOM command not allowed when used memory > 'maxmemory'.": "OOM",
    "OOM command not allowed. script: settle, on @user_function:12.": "OOM",
    "MISCONF Errors writing to the AOF file: No space left on device": "MISCONF",
    "READONLY You can't write against a read only replica.": "READONLY",
    "READONLY You can't write against a read only replica. script: x": "READONLY",
    "LOADING Valkey is loading the dataset in memory": "LOADING",
    "MASTERDOWN Link with MASTER is down": "MASTERDOWN",
    "NOREPLICAS Not enough good replicas to write.": "NOREPLICAS",
    "NOPERM User app has no permissions to run the 'fcall' command": "NOPERM",
    "ERR ACL failure in script: User app has no permissions to run the 'get' command": "NOPERM",
    "WRONGPASS invalid username-password pair or user is disabled.": "WRONGPASS",
    "NOAUTH Authentication required.": "NOAUTH",
    "ERR AUTH <password> called without any password configured for the default user": "WRONGPASS",
    "ERR max number of clients reached": "MAXCLIENTS",
    "CLUSTERDOWN The cluster is down": "CLUSTERDOWN",
    "MOVED 3999 127.0.0.1:6381": "MOVED",
    "ASK 3999 127.0.0.1:6381": "ASK",
    "TRYAGAIN Multiple keys request during rehashing of slot": "TRYAGAIN",
    "ERR max requests limit exceeded. Limit: 500000, Usage: 500000": "QUOTA",
    "ERR max daily request limit exceeded. Limit: 10000, Usage: 10000": "QUOTA",
    "CROSSSLOT Keys in request don't hash to the same slot": "CROSSSLOT",
    "BUSY Valkey is busy running a script.": "BUSY",
    "DENIED Redis is running in protected mode": "DENIED",
}


def test_every_refusal_has_a_reply():
    assert set(REPLIES.values()) == {each.code for each in REFUSALS}


@pytest.mark.parametrize(("reply", "code"), REPLIES.items())
def test_a_reply_is_told_as_what_it_is(reply, code):
    """As redis-py raises it, as kombu wraps it, and with what the user must know to mend it."""
    error = BaseParser.parse_error(reply)
    wrapped = OperationalError(str(error))
    wrapped.__cause__ = error
    for each in (error, wrapped):
        assert refusal_of(each).code == code
        text = described("redis://app:hunter2@h:1/0", each, "X_URL")
        assert text.startswith(f"Redis refuses at h:1: {reason(each)}. Fix: ")
        assert f"({code})" in text
        assert "hunter2" not in text
        assert "{variables}" not in text


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError("timed out"),
        BaseParser.parse_error("ERR unknown command 'FCALL', with args beginning with: 'prompt'"),
        ValueError(""),
        KeyError("a prompt"),
    ],
)
def test_anything_else_is_no_refusal(error):
    assert refusal_of(error) is None
    text = described("redis://h", error)
    assert text.startswith("Redis does not answer at h:6379 (")
    assert "prompt" not in text


def test_what_a_command_of_a_pipeline_brings_is_not_repeated():
    """The client writes the command before what the server said, and answers are in it."""
    command = 'Command # 1 (SETEX celery-task-meta-1 9 {"result": "SECRET"})'
    said = f"{command} of pipeline caused error: "
    full = ResponseError(f"{said}MISCONF Valkey cannot persist to disk")
    assert refusal_of(full).code == "MISCONF"
    odd = reason(ResponseError(f"{said}ERR of another kind"))
    assert odd == "ResponseError: ERR of another kind"
