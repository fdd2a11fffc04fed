"""What one user, one provider, one file or a writer of the broker does harms no other user: their
jobs are answered, none of them is paid twice, and no worker dies.

How long the others wait meanwhile is printed, beside how long they wait undisturbed; the figures
are in docs/guarantees.md. Servers that refuse (test_refusals.py) and deaths of workers
(test_poison.py) are nobody's doing, and have tests of their own.
"""

import contextlib
import json
import math
import os

import pytest
from redis import Redis
from support.forged import forge_all
from support.hostile_requests import multiplying
from support.ledger import LedgerProbe, ask, until
from support.neighbours import Neighbours
from support.wire import WireServer

import producer
from producer.contract.errors import InvalidRequest, JobError, OutcomeUnknown

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

MODEL = "openai:gpt-4o-mini"
TEXT = {"finish": "stop", "usage": {}}
ROUND = 40
"""Answers of the others beside each attack, at least."""


class Attacker:
    """One user with a provider of their own, and what they come upon."""

    def __init__(self, complete, evil, url, folder, command):
        self.complete, self.evil, self.url = complete, evil, url
        self.folder, self.command = folder, command
        self.jobs = []

    def send(self, text, **options):
        options = {"model": "evil:m"} | options
        self.jobs.append(self.complete.delay(ask(text), "attacker", **options))
        return self.jobs[-1]

    def refused(self, **options):
        with pytest.raises(InvalidRequest):
            self.complete.delay(**{"messages": ask("x"), "user_id": "attacker"} | options)

    def ended(self):
        """Each of its jobs, well or with a typed error; their attempts."""
        for job in self.jobs:
            with contextlib.suppress(JobError):
                job.value(60)
        return sum(job.status.attempts for job in self.jobs)


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
    attacker.command("limits", "set", "attacker", "--usd-per-day", "0.000001")
    for number in range(6):
        attacker.send("the same question", temperature=0, over_limit="wait", deadline_s=3)
        attacker.send(f"other {number}")
    others = [
        attacker.complete.delay(ask("the same question"), f"other-{n}", model=MODEL, temperature=0)
        for n in range(3)
    ]
    assert all(job.value(30) for job in others)
    attacker.ended()
    attacker.command("limits", "reset", "attacker")


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
    batch = producer.Batch.submit([ask("x")], "neighbour-0", "theirs")
    for job_id in ("../x", "a\nb", "\x1b[2J", "theirs.0", "theirs.0~1", "-x", 7):
        with pytest.raises(JobError):
            attacker.complete.apply_async((ask("x"), "attacker"), task_id=job_id)
    attacker.refused(idempotency_key="a\r\nSet-Cookie: x")
    attacker.refused(user_id="a\x00b")
    until(lambda: batch.progress().over)


def files(attacker):
    folder = attacker.folder / "given"
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
    theirs = attacker.complete.delay(ask("private"), "neighbour-1", temperature=0, model=MODEL)
    theirs.value(30)
    assert attacker.complete.AsyncResult(theirs.id).status.user_id == "neighbour-1"
    for options in ({"cache": "bypass"}, {"cache_scope": "user"}, {"cache_namespace": "mine"}):
        again = {"temperature": 0, "model": MODEL} | options
        assert not attacker.complete.delay(ask("private"), "attacker", **again).value(30).cached
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


@pytest.fixture
def evil():
    with WireServer() as wire:
        yield wire


def test_nobody_else_is_harmed(
    complete, wire, evil, env, start_worker, redis_url, tmp_path, command
):
    env |= {
        "LLM_CHAIN": f"{MODEL},evil:m",
        "LLM_LINK_EVIL_BASE_URL": evil.base_url,
        "LLM_LINK_EVIL_API_KEY": "k",
        "LLM_PRICES": "evil:*=0.15/0.60",
        "LLM_MAX_ATTEMPTS": "2",
    }
    wire.script = lambda request, number: "ok;delay=0.1"
    workers = [start_worker(env, concurrency=8) for _ in range(2)]
    pids = [worker.pid for worker in workers]
    attacker = Attacker(complete, evil, redis_url, tmp_path, command)
    with Neighbours(complete, MODEL) as others:
        for attack in ATTACKS:
            others.p95_s()
            others.wait_for(ROUND)
            undisturbed_s = others.p95_s()
            attack(attacker)
            others.wait_for(ROUND)
            p95_s = others.p95_s()
            print(
                f"{attack.__name__}: P95 {p95_s * 1000:.0f} ms, undisturbed just before "
                f"{undisturbed_s * 1000:.0f} ms, {p95_s / undisturbed_s:.2f} times"
            )
            assert others.errors == [], attack.__name__
            assert [worker.pid for worker in workers] == pids, attack.__name__
        attempts = attacker.ended()
    assert len(evil.calls) <= attempts
    theirs = [call for call in wire.calls if " of neighbour-" in str(call.request["messages"])]
    assert len(theirs) == len(others.times_s)
    with LedgerProbe(redis_url) as ledger:
        until(lambda: ledger.open() == 0)
        assert ledger.counter("unknown_attempts") == 0
        assert ledger.budget("usd", "fleet", "all")["held"] == 0
