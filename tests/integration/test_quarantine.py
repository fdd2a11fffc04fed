"""Entries of the broker that are no messages of ours are put aside; the worker goes on, and says
nothing of what is in them.
"""

import base64
import json

import pytest
from click.testing import CliRunner
from redis import Redis
from support.ledger import ask, until

from producer.cli import main
from producer.contract.names import COMPLETE, QUARANTINE, QUEUES

SECRET = "the secret prompt"


def envelope(said="[[], {}, {}]", **changes):
    """A message of ours whose decoded body is `said`; `changes` replace (None: remove) what is at
    a__b.
    """
    entry = {
        "body": base64.b64encode(said.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": COMPLETE,
            "id": "job-x",
            "argsrepr": "()",
            "kwargsrepr": "{}",
        },
        "properties": {
            "correlation_id": "job-x",
            "delivery_mode": 2,
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": "tag-x",
            "delivery_info": {"exchange": "", "routing_key": QUEUES["interactive"]},
        },
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        target = entry
        for parent in parents:
            target = target[parent]
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    return json.dumps(entry)


POISON = {
    "bad json": "{oops " + SECRET,
    "an array": json.dumps([SECRET]),
    "a number": "7",
    "not utf-8": b"\xff\xfe" + SECRET.encode(),
    "bad base64": envelope(body="%%%"),
    "no id": envelope(headers__id=None),
    "an id that is no text": envelope(headers__id=7),
    "no task": envelope(headers__task=None),
    "an unknown task": envelope(
        json.dumps([[SECRET], {}, {}]), headers__task="tasks.delete_everything"
    ),
    "no headers": envelope(headers=None),
    "no properties": envelope(properties=None),
    "no delivery tag": envelope(properties__delivery_tag=None),
    "no delivery info": envelope(properties__delivery_info=None),
    "a body that is no arguments": envelope(json.dumps({"prompt": SECRET})),
    "a body that is no json": envelope(SECRET),
    "a body of 60 MB": envelope("[" + " " * 60_000_000 + "]"),
    "a depth bomb": "[" * 200_000 + "]" * 200_000,
    "a depth bomb in the body": envelope("[" * 200_000),
    "a time limit that is none": envelope(headers__timelimit="soon"),
    "an id that no job can have": envelope(headers__id="x\x1b[2J"),
    "a tag that is none": envelope(properties__delivery_tag="x" * 100_000),
    "a task of Celery's": envelope(
        json.dumps([["group", {"task": SECRET}], {}, {}]), headers__task="celery.chord_unlock"
    ),
    "an eta that is none": envelope(headers__eta="soon"),
    "retries that are none": envelope(headers__retries="many"),
}


@pytest.fixture
def cli(redis_url, monkeypatch):
    monkeypatch.setenv("REDIS_URL", redis_url)
    return lambda *arguments: CliRunner().invoke(main, arguments).output


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_no_entry_stops_a_worker(complete, wire, openai_env, start_worker, redis_url, cli, pool):
    """After each of them a job is answered; what cannot be ours is listed with its reason, and its
    text is in no log.
    """
    worker = start_worker(openai_env, pool=pool, concurrency=2)
    pid = worker.pid
    with Redis.from_url(redis_url) as redis:
        for number, (name, entry) in enumerate(POISON.items()):
            redis.rpush(QUEUES["interactive"], entry)
            assert complete.delay(ask(f"question {number}"), "u1", max_tokens=5).value(30), name
        kept = [json.loads(each) for each in redis.lrange(QUARANTINE, 0, -1)]
        until(lambda: redis.llen(QUEUES["interactive"]) == 0)
    assert worker.pid == pid
    assert len(kept) >= len(POISON) - 3
    assert max(len(each["entry"]) for each in kept) <= 65_536
    assert SECRET not in worker.log()
    listed = cli("dead", "quarantine")
    assert "a task that is not ours" in listed
    assert SECRET not in listed
