"""Every command says in the same words that a Redis server does not answer: where, why, and which
variables to check. Never a password.
"""

import json
import os
import subprocess
import sys

import click
import pytest
from redis import ConnectionError as NoConnection
from support.ledger import ask
from support.nodes import ROOT

from producer.cli import main
from producer.redis_trouble import described
from worker.embedded import free_port
from worker.sealing import new_pair

LEDGER = "REDIS_URL and LEDGER_URL"
BROKER = "REDIS_URL and CELERY_BROKER_URL"
AUDIT = "LLM_AUDIT_URL"
COMMANDS = {
    "ask hello": LEDGER,
    "audit list u1": AUDIT,
    "audit accesses": AUDIT,
    "audit prove j1 messages.json": AUDIT,
    "audit rotate": AUDIT,
    "audit show j1 --reason why": AUDIT,
    "batch cancel b1": LEDGER,
    "batch list": LEDGER,
    "batch pause b1": LEDGER,
    "batch results b1": LEDGER,
    "batch resume b1": LEDGER,
    "batch retry-failed b1": LEDGER,
    "batch run requests.jsonl --user u1": LEDGER,
    "batch status b1": LEDGER,
    "batch watch b1": LEDGER,
    "cache bust --all": LEDGER,
    "cache semantic": LEDGER,
    "cache wrong j1": LEDGER,
    "cancel j1": LEDGER,
    "check": LEDGER,
    "dead drop --all": LEDGER,
    "dead list": LEDGER,
    "dead quarantine": BROKER,
    "dead replay j1": LEDGER,
    "dead show j1": LEDGER,
    "drill": LEDGER,
    "erase u1 --reason why --yes": LEDGER,
    "exam suite.json": LEDGER,
    "health": LEDGER,
    "limits reset u1": LEDGER,
    "limits set u1 --weight 2": LEDGER,
    "limits show": LEDGER,
    "stats": LEDGER,
    "status j1": LEDGER,
    "summarize document.md --user u1 --yes": LEDGER,
    "usage": LEDGER,
    "usage forgive --job x": LEDGER,
    "usage forgiven": LEDGER,
}
"""Command line -> the variables it names."""

NO_REDIS = {"audit key", "logs grep", "logs sum", "up"}
SERVES = {"http"}
"""It starts all the same; its /health says it."""

RUN_ALL = """
import json, sys
from click.testing import CliRunner
from producer.cli import main
for line in json.loads(sys.argv[1]):
    env = {"OPENAI_API_KEY": "sk"} if line == "check" else {}
    done = CliRunner(env=env).invoke(main, line.split())
    print(json.dumps([line, done.exit_code, done.output]))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """The server's port, and of each command its exit code and what it printed.

    Only `check` has the provider's key: no other needs it.
    """
    folder = tmp_path_factory.mktemp("commands")
    (folder / "messages.json").write_text(json.dumps(ask("hello")))
    (folder / "requests.jsonl").write_text(json.dumps({"messages": ask("hello")}) + "\n")
    (folder / "document.md").write_text("# Tides\nHigh water was late again.\n")
    (folder / "suite.json").write_text('{"inputs": [{"text": "hello", "equals": "hi"}]}')
    port = free_port()
    url = f"redis://ops:hunter2@127.0.0.1:{port}/0"
    pair = new_pair()
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": url,
        "LLM_CHAIN": "openai:fast,openai:smart",
        "LLM_AUDIT_URL": url,
        "LLM_AUDIT_KEY": pair.public,
        "LLM_AUDIT_PRIVATE_KEYS": pair.private,
    }
    command = [sys.executable, "-c", RUN_ALL, json.dumps(list(COMMANDS))]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = map(json.loads, done.stdout.splitlines())
    return port, {line: (code, output) for line, code, output in results}


@pytest.mark.parametrize(("line", "variables"), COMMANDS.items())
def test_a_command_says_where_and_why_and_what_to_check(said, line, variables):
    port, results = said
    code, output = results[line]
    expected = f"Redis does not answer at 127.0.0.1:{port} (Connection refused). Fix: check "
    assert f"{expected}{variables}\n" in output
    assert code == (2 if line == "health" else 1)
    assert "hunter2" not in output
    assert "Traceback" not in output


def test_every_command_is_among_them():
    """Or needs no Redis, and is named above."""
    named = NO_REDIS | SERVES
    for path in leaves():
        assert path in named or any(f"{line} ".startswith(f"{path} ") for line in COMMANDS), path


def leaves():
    """Every command that is no group, with the names of its groups before it."""
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if isinstance(command, click.Group):
            yield from (f"{name} {each}" for each in command.commands)
        else:
            yield name


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://u:hunter2@h", "h:6379"),
        ("rediss://:hunter2@h:1/2", "h:1"),
        ("redis://u:hunter;2@[::1]:1/2", "[::1]:1"),
        ("redis:///1", "localhost:6379"),
        (
            "sentinel://u:hunter2@h1;sentinel://h2:2/0?master_name=ledger",
            "h1:26379, h2:2",
        ),
    ],
)
def test_an_address_has_no_login(url, address):
    error = NoConnection("it was closed")
    assert described(url, error, "X") == (
        f"Redis does not answer at {address} (ConnectionError: it was closed). Fix: check X"
    )


def test_what_was_asked_is_no_part_of_the_reason():
    """A server that knows no such command quotes its arguments."""
    error = NoConnection("unknown command 'FCALL', with args beginning with: 'secret prompt'")
    text = described("redis://h", error)
    assert text.startswith("Redis does not answer at h:6379 (ConnectionError: unknown command")
    assert "secret" not in text
