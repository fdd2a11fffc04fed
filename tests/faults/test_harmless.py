"""What one user, one provider, one file or a writer of the broker does harms no other user: their
jobs are answered, none of them is paid twice, and no worker dies.

Each attack is repeated while the others have answers beside it, and left off in turn. How long they
wait is printed, beside how long they wait without it; the figures are in docs/guarantees.md.
"""

import contextlib
import json
import math
import os
import statistics

import pytest
from redis import Redis
from support.attacker import Attacker
from support.forged import forge_all
from support.hostile_requests import multiplying
from support.ledger import LedgerProbe, ask, until
from support.neighbours import MODEL, Neighbours

import producer
from producer.contract.errors import InvalidRequest, JobError, OutcomeUnknown

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

TEXT = {"finish": "stop", "usage": {}}
ROUNDS, PART = 3, 40
"""With the attack and without it in turn, so many answers each time: what else the machine does
changes within seconds.
"""


def time_memory_and_stack(attacker):
    attacker.evil.reply = TEXT | {"text": "[" * 20 + "7" + "]" * 20}
    for number in range(4):
        attacker.send(f"s{number}", response_format=multiplying(20))
    attacker.send("p", expect="(a+)+(b+)+$")
    attacker.ended()
    for text in ("[" * 100_000, "eyJ" * 30_000, "<a " * 30_000, "A" * 500_000):
        attacker.evil.reply = TEXT | {"text": text}
        attacker.send(text[:9], response_format={"type": "json_object"}).value(60)


def references(attacker):
    for reference in ("http://127.0.0.1/x", "file:///etc/passwd", "//x", "other.json#/a"):
        schema = {"properties": {"a": {"$ref": reference}}}
        wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        attacker.refused(response_format=wanted)
        tool = {"type": "function", "function": {"name": "x", "parameters": schema}}
        attacker.refused(tools=[tool])


def answers_that_are_paid(attacker):
    whole = {"choices": [{"message": {"content": 7}, "finish_reason": "stop"}]}
    usage = {"prompt_tokens": 2**70, "completion_tokens": -1}
    for body in (whole, whole | {"model": 7}, whole | {"usage": usage}, [], {"choices": 0}, 7):
        attacker.evil.body = json.dumps(body)
        attacker.send("paid")
        attacker.ended()
    attacker.evil.body = None


def limits_of_its_own(attacker):
    """Its money, its time and its calls at once hold up nobody who asks the same; and what waits
    for a limit is answered when that is removed.
    """
    shared = {"temperature": 0, "cache": "auto", "model": MODEL}
    asked = f"the same question {next(attacker.numbers)}"
    attacker.command("limits", "set", "attacker", "--usd-per-day", "0.000001")
    for number in range(6):
        attacker.send(asked, over_limit="wait", deadline_s=3, **shared)
        attacker.send(f"other {number}")
    others_ask(attacker, asked)
    limits = ("limits", "set", "attacker")
    attacker.command(*limits, "--usd-per-day", "none", "--requests-per-minute", "1")
    freed = [attacker.send(f"{n} freed {asked}", over_limit="wait") for n in range(3)]
    attacker.command(*limits, "--requests-per-minute", "none", "--in-flight", "1")
    for number in range(3):
        attacker.send(f"capped {number}")
        attacker.send(f"capped {asked}", **shared)
    others_ask(attacker, f"capped {asked}")
    assert all(job.value(30) for job in freed)
    attacker.command("limits", "reset", "attacker")
    attacker.ended()


def others_ask(attacker, text):
    jobs = [
        attacker.complete.delay(ask(text), f"other-{n}", model=MODEL, temperature=0)
        for n in range(3)
    ]
    assert all(job.value(30) for job in jobs)


def money(attacker):
    for dollars in (math.nan, math.inf, -1, "1"):
        with pytest.raises(InvalidRequest):
            producer.Batch.submit([ask("x")], "attacker", max_usd=dollars)
    attacker.evil.usage = {"prompt_tokens": -5, "completion_tokens": 2**60}
    for number in range(3):
        attacker.send(f"usage {number}")
    attacker.ended()
    attacker.evil.usage = None


def names(attacker):
    name = f"theirs-{next(attacker.numbers)}"
    batch = producer.Batch.submit([ask("x")], "neighbour-0", name, model=MODEL)
    for job_id in ("../x", "a\nb", "\x1b[2J", f"{name}.0", f"{name}.0~1", "-x", 7):
        with pytest.raises(JobError):
            attacker.complete.apply_async((ask("x"), "attacker"), task_id=job_id)
    attacker.refused(idempotency_key="a\r\nSet-Cookie: x")
    attacker.refused(user_id="a\x00b")
    until(lambda: batch.progress().over)


def files(attacker):
    folder = attacker.folder / f"given-{next(attacker.numbers)}"
    folder.mkdir()
    (folder / "out.txt").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.txt")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\n" + b"<<" * 20_000)
    (folder / "deep.html").write_text("<!--" * 20_000)
    with contextlib.suppress(AssertionError):  # its exit code says that files were skipped
        said = attacker.command("summarize", str(folder), "--user", "attacker", "--yes")
        assert "Traceback" not in said


def broker(attacker):
    with Redis.from_url(attacker.url) as redis:
        for number in range(3):
            forge_all(redis, attacker.send(f"b{number}").id)
            attacker.ended()
        assert redis.exists("thief") == 0


def other_users(attacker):
    """Ids are no secret to be relied on: what is told says whose job it is."""
    private = ask(f"private {next(attacker.numbers)}")
    theirs = attacker.complete.delay(private, "neighbour-1", temperature=0, model=MODEL)
    theirs.value(30)
    assert attacker.complete.AsyncResult(theirs.id).progress().user_id == "neighbour-1"
    for options in ({"cache": "bypass"}, {"cache_scope": "user"}, {"cache_namespace": "mine"}):
        again = {"temperature": 0, "model": MODEL} | options
        assert not attacker.complete.delay(private, "attacker", **again).value(30).cached
    with pytest.raises(OutcomeUnknown):
        attacker.complete.AsyncResult("guessed").value(5)


def odd_arguments(attacker):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}}
    for messages in (
        [{"role": "tool", "tool_call_id": "c", "content": [image]}],
        [{"role": "user", "content": [image]}],
        [{"role": "user", "content": " "}],
        [{"role": "user", "content": "\ud800"}],
    ):
        attacker.refused(messages=messages)
    for options in ({"countdown": math.nan}, {"expires": math.inf}, {"link": object()}):
        with pytest.raises(JobError):
            attacker.complete.apply_async((ask("x"), "attacker"), **options)
    attacker.evil.script = lambda request, number: "redirect"
    attacker.send("redirected")
    attacker.ended()
    attacker.evil.script = lambda request, number: "ok"


ATTACKS = (
    time_memory_and_stack,
    references,
    answers_that_are_paid,
    limits_of_its_own,
    money,
    names,
    files,
    broker,
    other_users,
    odd_arguments,
)


def beside(others, attack, attacker):
    """The attack, again and again, and what it did to the others' P95: medians of the rounds."""
    quiet, disturbed = [], []
    for _ in range(ROUNDS):
        others.p95_s()
        others.wait_for(PART)
        quiet.append(others.p95_s())
        enough = others.answers() + PART
        while others.answers() < enough:
            attack(attacker)
        disturbed.append(others.p95_s())
    before_s, during_s = map(statistics.median, (quiet, disturbed))
    print(
        f"{attack.__name__}: P95 {during_s * 1000:.0f} ms, without it {before_s * 1000:.0f} ms, "
        f"{during_s / before_s:.2f} times; load {os.getloadavg()[0]:.1f}"
    )


def check_paid_once(others, provider):
    """Every answer of the others was one call."""
    calls = [job for job in provider.calls() if job in set(others.jobs)]
    assert sorted(calls) == sorted(others.jobs)


def test_nobody_else_is_harmed(
    complete, provider, evil, beside_env, start_worker, redis_url, tmp_path, command
):
    workers = [start_worker(beside_env, concurrency=8) for _ in range(2)]
    pids = [worker.pid for worker in workers]
    attacker = Attacker(complete, evil, redis_url, tmp_path, command)
    with Neighbours(redis_url, MODEL) as others:
        for attack in ATTACKS:
            beside(others, attack, attacker)
            assert [worker.pid for worker in workers] == pids, attack.__name__
        attempts = attacker.ended()
    others.answers()
    assert len(evil.calls) <= attempts
    assert [each.name for each in workers if "lease of job" in each.log()] == []
    check_paid_once(others, provider)
    with LedgerProbe(redis_url) as ledger:
        until(lambda: ledger.open() == 0)
        assert ledger.counter("unknown_attempts") == 0
        assert ledger.budget("usd", "fleet", "all")["held"] == 0
