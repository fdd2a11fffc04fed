"""What reaches a terminal is visible: no answer, name or error moves its cursor."""

import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner
from support.ledger import ask

from producer.cli import main

COMMAND = [sys.executable, "-c", "from producer.cli import main; main()"]
HOSTILE = "\x1b[2J\x1b]0;title\x07 \u202edecoy\u202c\r\x9b1m fine"


@pytest.fixture
def on_terminal(redis_url, tmp_path):
    """Runs a command whose standard output and error are a terminal; what it gets as text."""
    env = {"REDIS_URL": redis_url, "PATH": "", "PYTHONPATH": os.pathsep.join(sys.path)}

    def run(*words):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(tmp_path)
            os.execve(COMMAND[0], [*COMMAND, *words], env)
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 65_536)
            except OSError:  # the command has ended
                break
            if not piece:
                break
            shown += piece
        os.waitpid(pid, 0)
        os.close(terminal)
        return shown.decode()

    return run


def is_safe(shown):
    own = shown.replace("\r\n", "\n")
    return not any(sign in own for sign in "\x1b\x07\u202e\u202c\r\x9b")


def test_answers_and_errors(on_terminal, complete, wire, openai_env, start_worker, redis_url):
    """What is redirected is not escaped."""
    wire.reply = {"text": HOSTILE, "finish": "stop", "usage": {}}
    start_worker(openai_env)
    shown = on_terminal("ask", "hello")
    assert is_safe(shown)
    assert "\\x1b[2J" in shown
    assert "\\u202edecoy" in shown
    piped = subprocess.run(
        [*COMMAND, "ask", "hello"],
        env={"REDIS_URL": redis_url, "PATH": ""},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert "\x1b]0;title\x07 \u202edecoy" in piped.stdout.decode()
    job = complete.delay(ask("x"), "u1")
    assert is_safe(on_terminal("status", job.id))


@pytest.mark.parametrize(
    "words",
    [
        ("status", HOSTILE),
        (f"--{HOSTILE}",),
        ("batch", "status", HOSTILE),
        ("batch", "run", HOSTILE, "--user", "u1"),
        ("summarize", HOSTILE, "--user", "u1"),
        ("dead", "list", "--kind", HOSTILE),
        ("limits", "show", HOSTILE),
    ],
)
def test_what_a_user_passes(on_terminal, words):
    assert is_safe(on_terminal(*words))


@pytest.mark.parametrize("name", ["", "a\x1b[2J", "a\nb", "x" * 129, "\udce9", "a\u202eb"])
@pytest.mark.parametrize(
    "words",
    [
        "limits set {} --weight 2",
        "limits show {}",
        "limits set u1 --join {}",
        "erase {} --reason x",
    ],
)
def test_a_name_that_no_user_can_have_is_refused(words, name):
    """By the commands that write it, and before they ask for a server."""
    done = CliRunner().invoke(main, [name if word == "{}" else word for word in words.split()])
    assert done.exit_code == 2
    assert "is no name: it needs 1 to 128 characters" in done.output
    assert name == "" or name not in done.output


@pytest.mark.parametrize(
    "words",
    ["dead show", "usage forgive --yes --job", "cache bust --tag", "cache bust --namespace"],
)
def test_a_word_that_is_no_utf8_is_told(words, redis_url):
    """As a terminal with another encoding passes it."""
    done = CliRunner(env={"REDIS_URL": redis_url}).invoke(main, [*words.split(), "caf\udce9"])
    assert done.exit_code == 2
    assert 'caf\\udce9" is no UTF-8. Fix: ' in done.output


def test_names_of_files(on_terminal, tmp_path):
    (tmp_path / "in").mkdir()
    name = HOSTILE.replace("/", "")
    (tmp_path / "in" / name).write_text("")
    (tmp_path / "in" / f".{name}").write_text("")
    shown = on_terminal("summarize", "in", "--list", "--user", "u1")
    assert is_safe(shown)
    assert "failed" in shown
    assert "skipped" in shown
