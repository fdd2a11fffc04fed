"""A worker that is told to stop finishes its calls, whoever tells it and in whatever pool.

`docs/operations.md` shows pools and stops as a table, made from `support/stops.py`.
"""

import os
import signal
from pathlib import Path

import pytest
from support.ledger import KEYS, LedgerProbe, ask, until
from support.nodes import ROOT
from support.stops import POOLS, STOPS, table

from producer.contract.errors import Cancelled

FAULTS = pytest.mark.faults
GROUP = "SIGTERM to every process (systemd, Heroku, `tini -g`)"


def cases():
    for stop in STOPS:
        for pool in stop.pools:
            marks = [FAULTS]
            if (stop.title, pool) == (GROUP, "prefork"):
                marks.append(pytest.mark.smoke)
            yield pytest.param(stop, pool, id=f"{stop.title}, {pool}", marks=marks)


@pytest.fixture
def working(complete, wire, openai_env, start_worker):
    """`working(pool, flags, env, call_s)`: a worker, its jobs on the wire, and one that waits."""

    def start(pool, flags=(), env=None, call_s=1.5):
        wire.script = lambda request, number: f"ok;delay={call_s}"
        slots = 1 if pool == "solo" else 2
        worker = start_worker({**openai_env, **(env or {})}, pool, slots, flags=flags)
        jobs = [complete.delay(ask(f"question {n}"), f"u{n}") for n in range(slots)]
        wire.wait_for(lambda calls: len(calls) == slots)
        return worker, jobs

    return start


@pytest.mark.parametrize(("stop", "pool"), list(cases()))
def test_calls_are_finished_and_none_is_repeated(stop, pool, working, wire, redis_url):
    worker, jobs = working(pool, stop.flags, stop.env)
    stop.tell(worker)
    assert [job.value(20).attempts for job in jobs] == [1] * len(jobs)
    assert (len(wire.calls), any(call.dropped for call in wire.calls)) == (len(jobs), False)
    if stop.ends:
        assert worker.wait(20) == 0
    with LedgerProbe(redis_url) as ledger:
        assert (ledger.open(), ledger.counter("unknown_attempts")) == (0, 0)


@pytest.mark.faults
@pytest.mark.parametrize("pool", POOLS)
def test_what_cannot_end_in_the_time_there_is_is_told(pool, working, wire, start_worker, redis_url):
    """Named in the log, possibly billed, and taken over: never silently repeated."""
    worker, jobs = working(pool, env={"LLM_STOP_SECONDS": "0.2"}, call_s=60)
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.wait(20) == 1
    assert all(job.id in worker.log() for job in jobs)
    assert "STOP_TIME_OVER" in worker.log()
    until(lambda: all(call.dropped for call in wire.calls))
    wire.script = lambda request, number: "ok"
    start_worker({"LLM_CHAIN": "simulator:sim-small"})
    answers = [job.value(30) for job in jobs]
    assert [answer.attempts for answer in answers] == [2] * len(jobs)
    assert all(answer.maybe_billed_usd > 0 for answer in answers)
    with LedgerProbe(redis_url) as ledger:
        assert ledger.counter("unknown_attempts") == len(jobs)


@pytest.mark.faults
def test_a_child_ends_when_its_parent_says_so_and_nobody_else(complete, working, wire, redis_url):
    """Its parent does when a task is revoked with `terminate`: when it has heard of that, or when
    a pool shrinks, the child ends behind its job.
    """
    worker, (first, second) = working("prefork", call_s=4)
    with LedgerProbe(redis_url) as ledger:
        children = [
            int(ledger.redis.hget(KEYS.job(job.id), "owner").rpartition(":")[2])
            for job in (first, second)
        ]
    for child in children:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            os.kill(child, number)
    complete.app.control.revoke(first.id, terminate=True)
    until(lambda: not Path(f"/proc/{children[0]}").exists())
    assert second.value(20).attempts == 1
    with pytest.raises(Cancelled):
        first.value(20)
    assert len(wire.calls) == 2
    assert worker.pid
    with LedgerProbe(redis_url) as ledger:  # its job ended first
        assert ledger.counter("unknown_attempts") == 0


def test_the_page_has_the_table():
    assert table() in (ROOT / "docs/operations.md").read_text(), table()
