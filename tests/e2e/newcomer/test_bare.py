"""`pip install celery-completions` and nothing more: each first stumble is one line with its fix.

What is tried is a script that a newcomer might write, in an environment that knows no repository.
"""

import socket
import tarfile

import pytest

from worker.embedded import free_port

pytestmark = pytest.mark.faults

ASK = """
from producer import complete
print(complete.delay({messages}, "user-1", {options}).value(2))
"""
TOLD = """
from producer import errors
try:
    exec({script!r})
except (errors.JobError, ValueError) as error:
    print(f"{{type(error).__name__}}: {{error}}")
"""
GOOD = [{"role": "user", "content": "hello"}]
TURN = "{'role': 'user', 'content': 'your question'}"
REQUESTS = [
    ("'hello'", "", f"messages: must be a list. Fix: [{TURN}]"),
    (GOOD[0], "", f"messages: must be a list. Fix: [{TURN}]"),
    (["hello"], "", f"messages[0]: must be an object (a dict). Fix: {TURN}"),
    (
        "[{'role': 'user', 'content': object()}]",
        "",
        "messages[0].content: must be a text or a list of parts. Fix: str(...) or json.dumps(...)",
    ),
    (GOOD, "temprature=0", "temprature: unknown option. Fix: remove it or check its spelling"),
    (GOOD, "metadata={'at': object()}", "metadata.at: must be a text"),
    (
        "__import__('pydantic').create_model('Asked', role=(str, 'user'))()",
        "",
        f"messages: must be a list. Fix: [{TURN}]",
    ),
]


@pytest.mark.parametrize(("messages", "options", "said"), REQUESTS)
def test_a_wrong_request_is_told_with_its_fix(bare, messages, options, said):
    script = ASK.format(messages=messages, options=options)
    assert bare("python", "-c", TOLD.format(script=script)) == f"InvalidRequest: {said}\n"


def asked(bare, url):
    script = ASK.format(messages=GOOD, options="")
    return bare("python", "-c", TOLD.format(script=script), REDIS_URL=url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:6379", "write it as redis://host:6379/0"),
        ("http://localhost:6379", "only redis://, rediss://, sentinel:// and unix:// are known"),
        ("redis://localhost:port/0", "host and port cannot be read"),
        ("redis://localhost/first", "the database, behind the last /, is a number"),
    ],
)
def test_a_wrong_url_is_told(bare, url, said):
    assert said in asked(bare, url)
    said_by_command = bare("completions", "ask", "hello", REDIS_URL=url)
    assert said_by_command.count("\n") == 1
    assert "REDIS_URL" in said_by_command
    assert said in said_by_command


def test_without_redis_host_and_reason_are_told(bare):
    port = free_port()
    url = f"redis://:hunter2@127.0.0.1:{port}/0"
    where = f"Redis does not answer at 127.0.0.1:{port} (Connection refused). Fix: check REDIS_URL"
    assert asked(bare, url).startswith(f"Unavailable: {where}")
    said = bare("completions", "ask", "hello", REDIS_URL=url)
    first, second, *rest = said.splitlines()
    assert first == f"Error: {where} and LEDGER_URL"
    add = "pip install 'celery-completions[embedded]' and completions up"
    assert second == f"To have a private one here: {add}, in another terminal"
    assert rest == []


def test_a_host_that_does_not_exist_and_a_server_that_is_none_are_told(bare):
    said = asked(bare, "redis://no-such-host.invalid:6379/0")
    assert said.startswith("Unavailable: Redis does not answer at no-such-host.invalid:6379 (")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert f"does not answer at 127.0.0.1:{port} (" in asked(bare, f"redis://127.0.0.1:{port}")


def test_the_help_says_what_each_extra_would_add(bare):
    said = bare("completions", "--help")
    assert "ask        Ask PROMPT" in said
    assert "check      needs pip install 'celery-completions[worker]'" in said
    assert "up         needs pip install 'celery-completions[embedded]'" in said
    for extra in ("worker", "documents", "embedded", "tables", "http"):
        assert f"\n  {extra} " in said.partition("Not installed")[2]


@pytest.mark.parametrize(
    ("line", "extra"),
    [
        ("up", "embedded"),
        ("check --live", "worker"),
        ("usage", "worker"),
        ("http --port 8000", "http"),
        ("summarize . --user me", "documents"),
    ],
)
def test_a_command_says_which_extra_it_needs(bare, line, extra):
    said = bare("completions", *line.split())
    assert said.endswith(f"needs the extra: pip install 'celery-completions[{extra}]'\n")
    assert said.count("\n") == 1


def test_packages_hold_what_they_promise(fresh, bare):
    with tarfile.open(fresh.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in (
        *("LICENSE", "SECURITY.md", "CHANGELOG.md", "docs/requests.md", "mkdocs.yml"),
        *("tests/conftest.py", "tests/unit/test_house_rules.py", ".env.example", "Makefile"),
    ):
        assert name in names
    assert not any("__pycache__" in name or name.startswith((".git/", ".venv")) for name in names)
    metadata = "from importlib.metadata import metadata as m; d = m('celery-completions'); print("
    fields = "d['License-Expression'], d['Version'], *d.get_all('License-File'))"
    assert bare("python", "-c", metadata + fields).split()[::2] == ["MIT", "LICENSE"]


@pytest.mark.parametrize("app", ["worker", "celery_completions"])
def test_celery_says_what_a_worker_needs(bare, app):
    said = bare("celery", "-A", app, "worker")
    assert said.endswith(": the worker needs the extra: pip install 'celery-completions[worker]'\n")
    assert said.count("\n") == 1
