"""Standard output, Ctrl-C and a ledger that is away or full, as commands meet them."""

import io
import os
import signal
import subprocess
import sys
from functools import partial

import click
import pytest

from producer.cli.interrupts import Interrupts
from producer.cli.outlook import NAMED, Outlook, Waits, agree, told
from producer.cli.reading import Documents
from producer.contract.errors import Unavailable
from producer.documents import MAX_BYTES, read_all
from producer.patience import Patience
from producer.summaries import Estimate

COMMAND = [sys.executable, "-c", "from producer.cli import main; main()", "summarize"]


def listed(folder, stdout, **env):
    """`--list` needs no ledger."""
    (folder / "weiß 日本.txt").write_text("A ship left the harbour.")
    return subprocess.run(
        [*COMMAND, ".", "--user", "u1", "--list"],
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": os.pathsep.join(sys.path), **env},
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )


def test_a_pipe_has_utf_8_whatever_the_console(tmp_path):
    done = listed(tmp_path, subprocess.PIPE, PYTHONIOENCODING="cp1252")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "weiß 日本.txt: 24 characters" in done.stdout.decode()


def closed_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "wb")


@pytest.mark.parametrize(
    ("opened", "reason"),
    [
        pytest.param(partial(open, "/dev/full", "wb"), "No space left on device", id="full disk"),
        pytest.param(closed_pipe, "Broken pipe", id="closed pipe"),
    ],
)
def test_output_that_goes_nowhere_is_one_line(tmp_path, opened, reason):
    with opened() as stdout:
        done = listed(tmp_path, stdout)
    (line,) = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert line.startswith(f"Error: standard output cannot be written: {reason}. Fix: ")


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_stream_that_is_closed_is_no_traceback(tmp_path, closed):
    """`cron` and services start commands without them."""
    (tmp_path / "a.txt").write_text("A ship left the harbour.")
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {closed}', "sh", *COMMAND, "-", ".", "--user", "u1", "--list"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    shown = b"failed   stdin: empty\nread     a.txt: 24 characters\n"
    assert done.stdout == (shown if closed == "<&-" else b"")


def test_a_file_called_dash_is_no_standard_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text("A ship left the harbour.")
    for named in (".", "*"):
        (document,) = read_all([named], stdin=b"Something else.")
        assert (document.name, document.text) == ("./-", "A ship left the harbour.")


def test_standard_input_is_as_large_as_a_file_may_be():
    (document,) = read_all(["-"], stdin=b"x" * (MAX_BYTES + 1))
    assert "larger than" in str(document.wrong)


@pytest.mark.parametrize("stdin", ["", "n\n"])
def test_nothing_is_paid_where_nobody_says_yes(monkeypatch, capsys, stdin):
    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
    outlook = Outlook()
    outlook.add(Estimate(documents=1, calls=1, tokens=9, name="a", name_tokens=9))
    with pytest.raises((SystemExit, click.ClickException)) as raised:
        agree(outlook, Documents([]), None)
    if stdin:
        assert raised.value.code == 0
    else:
        assert "standard input has ended. Fix: --yes" in raised.value.message


def test_what_cannot_be_read_is_named_before_the_question(capsys):
    """And if nothing else is left, there is no question."""
    outlook = Outlook()
    for number in range(NAMED + 2):
        reason = f"d{number}: no\nword"
        outlook.add(Estimate(wrong=number + 1, name=f"d{number}", name_wrong=reason))
    with pytest.raises(click.ClickException, match="no document can be summarised"):
        agree(outlook, Documents([]), None)
    *named, last = capsys.readouterr().err.splitlines()
    assert named == [f"d{number}: no\\nword" for number in range(NAMED)]
    assert last == "and 2 more that cannot be read"


def test_what_counting_waits_for_is_told_once(capsys):
    waits = Waits()
    for reason in ("x: HTTP 500 since 1", "x: HTTP 500 since 2", "no worker is alive"):
        waits(reason)
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_ctrl_c_that_python_swallows_is_not_lost(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)

    class Interrupted:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            sum(range(1000))  # the handler runs between two instructions

    with Interrupts() as interrupts:
        interrupts.pause(0)
        Interrupted()
        with pytest.raises(KeyboardInterrupt):
            interrupts.pause(0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def failing(*errors):
    """A call that raises these, then gives 7."""
    left = list(errors)

    def call():
        if left:
            raise left.pop(0)
        return 7

    return call


FULL = Unavailable("Redis refuses", {"refused": "OOM"})


def test_a_full_ledger_is_waited_for_and_told_once():
    said = []
    patience = Patience(lambda seconds: None, said.append, away_s=0)
    assert patience.insist(failing(*[FULL] * 5)) == 7
    assert patience.insist(failing(FULL)) == 7
    assert said == ["Redis refuses"]


@pytest.mark.parametrize("away_s", [0, 60])
def test_one_that_is_away_is_waited_for_if_it_was_there_before(away_s):
    patience = Patience(lambda seconds: None, away_s=away_s)
    if away_s:
        assert patience.insist(failing(Unavailable("no answer"))) == 7
    else:
        with pytest.raises(Unavailable):
            patience.insist(failing(Unavailable("no answer"), Unavailable("no answer")))


def test_a_document_100_times_as_long_as_the_middle_one_is_found_and_may_be_left_out():
    outlook = Outlook()
    so_far = Estimate()
    for name, tokens in {"a": 100, "b": 90, "c": 20_000, "d": 110, "e": 120}.items():
        so_far = Estimate(
            documents=so_far.documents + 1,
            calls=so_far.calls + 1,
            tokens=so_far.tokens + tokens,
            high_usd=so_far.high_usd + tokens / 1e6,
            name=name,
            name_tokens=tokens,
        )
        outlook.add(so_far)
    assert outlook.large() == ["c"]
    outlook.leave_out("c")
    total = outlook.total
    assert (total.documents, total.calls, total.tokens) == (4, 4, 420)
    assert total.high_usd == pytest.approx(0.00042)


def test_what_limits_leave_and_how_long_they_make_it_last_is_told():
    found = Estimate(
        documents=9,
        tokens=110_000,
        high_usd=2.5,
        left_usd=0.5,
        usd_per_day=1.0,
        left_tokens=10_000,
        tokens_per_hour=50_000,
        calls=1200,
        call_s=2.5,
        at_once=8,
    )
    lines = list(told(found, None))
    assert "the limits leave 10,000 tokens this hour" in lines
    limits = "at least 2.0 hours by 50,000 tokens an hour, up to 2.0 days by $1.0000 a day"
    assert lines[-1] == f"time: about 6:15 (2.5 s a call lately, 8 at once); {limits}"
    assert (
        "no call was measured" in list(told(Estimate(documents=9, tokens=5, at_once=2), None))[-1]
    )
    last = list(told(Estimate(documents=9, calls=9, call_s=3700, at_once=9), None))[-1]
    assert last == (
        "time: about 1:01:40 (3700.0 s a call lately, 9 at once); no limit of yours holds it up"
    )
