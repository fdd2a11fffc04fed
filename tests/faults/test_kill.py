"""Processes die with jobs running: nothing is lost, and no call is paid twice unreported.

Counts are taken from the provider's side of the wire.
"""

import os
import signal
import threading
from collections import Counter

import pytest
from support.ledger import KEYS, LedgerProbe, ask, until
from support.protocol_embeddings import vector

from producer import embed
from producer.contract.errors import JobError

pytestmark = pytest.mark.faults

CALL_S = 3


def reported_unknown(ledger, jobs):
    return sum(int(ledger.redis.hget(KEYS.job(job.id), "unknown") or 0) for job in jobs)


@pytest.mark.parametrize("pool", ["asyncio", "threads", "prefork"])
def test_kill_9_with_calls_on_the_wire(submit, wire, env, start_worker, redis_url, fresh, pool):
    """All 8 jobs end on the other worker within 15 s plus the call.

    Every repeated call is a reported unknown attempt, whose hold stays booked as possibly billed.
    """
    wire.script = lambda request, number: "hang" if number < 8 else f"ok;delay={CALL_S}"
    doomed = start_worker(env, pool=pool, concurrency=8)
    jobs = submit(8)
    wire.wait_for(lambda calls: len(calls) == 8)
    start_worker(env, pool=pool, concurrency=8)
    doomed.kill()
    assert len([job.value(15 + CALL_S) for job in jobs]) == 8
    per_job = Counter(call.job_id for call in wire.calls)
    assert set(per_job) == {job.id for job in jobs}
    with LedgerProbe(redis_url) as ledger:
        repeats = sum(per_job.values()) - 8
        assert repeats == reported_unknown(ledger, jobs) == ledger.counter("unknown_attempts") == 8
        books = ledger.budget("usd", "fleet", "all")
        assert (books["held"], ledger.open()) == (0, 0)
        assert books["maybe"] == ledger.counter("maybe_billed_micro") > 0
    fresh()


def test_kill_9_of_one_prefork_child(submit, wire, env, start_worker, redis_url, fresh):
    """The pool replaces the child, the ledger re-queues its job; no caller gets a failure."""
    wire.script = lambda request, number: "ok" if number else "hang"
    worker = start_worker(env, pool="prefork", concurrency=2)
    (job,) = submit(1)
    wire.wait_for(len)
    with LedgerProbe(redis_url) as ledger:
        child = int(ledger.redis.hget(KEYS.job(job.id), "owner").rpartition(":")[2])
    assert child != worker.pid
    os.kill(child, signal.SIGKILL)
    assert job.value(15 + CALL_S).attempts == 2
    assert job.get(timeout=10)["finish_reason"] == "stop"
    fresh()


def test_idle_workers_killed_with_popped_messages(complete, submit, env, wire, start_worker, fresh):
    """Frozen workers took messages and died: released jobs that never began are published again."""
    doomed = start_worker(env, concurrency=4)
    complete.delay(ask("warm"), "u0").value(20)
    doomed.freeze()
    jobs = submit(6)
    doomed.kill()
    start_worker(env, concurrency=4)
    assert len([job.value(30) for job in jobs]) == 6
    assert len(wire.calls) == 7
    fresh()


def test_frozen_beyond_the_lease_then_awake(submit, wire, env, start_worker, redis_url, fresh):
    """The first reply settles the job, the late one still books its true cost: the doubt ends."""
    wire.script = lambda request, number: "ok;delay=2;in=1000;out=0"
    env |= {"LEDGER_LEASE_SECONDS": "2"}
    sleepy = start_worker(env, concurrency=1)
    (job,) = submit(1)
    wire.wait_for(len)
    sleepy.freeze()
    start_worker(env, concurrency=1)
    assert job.value(30).attempts == 2
    with LedgerProbe(redis_url) as ledger:
        assert ledger.budget("usd", "fleet", "all")["maybe"] > 0
        sleepy.thaw()
        sleepy.wait_for_log('"event": "job_ended"')
        books = ledger.budget("usd", "fleet", "all")
        assert books == {"held": 0, "spent": 2 * 150, "maybe": 0}
        assert ledger.counter("maybe_billed_attempts") == 0
    fresh()


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_sigterm_finishes_what_is_on_the_wire(
    submit, wire, env, start_worker, redis_url, pool, fresh
):
    """A warm stop loses and repeats nothing; jobs that had not begun go to the other worker."""
    wire.script = lambda request, number: "ok;delay=1"
    leaving = start_worker(env, pool=pool, concurrency=4)
    jobs = submit(12)
    wire.wait_for(lambda calls: len(calls) >= 4)
    start_worker(env, pool=pool, concurrency=4)
    leaving.terminate()
    assert len([job.value(40) for job in jobs]) == 12
    assert len(wire.calls) == 12
    fresh()


def test_a_broker_that_restarts(complete, own_valkey, start_worker, wire, env, fresh):
    """Killed with a call on the wire, and back with its append-only file.

    The worker outlives it and nothing is paid twice.
    """
    import producer

    wire.script = lambda request, number: "ok;delay=0.5"
    producer.configure(own_valkey.url())
    worker = start_worker(env | {"REDIS_URL": own_valkey.url()}, concurrency=4)
    for calls in range(1, 4):
        job = producer.complete.delay(ask("during"), "u1")
        wire.wait_for(lambda seen, calls=calls: len(seen) == calls)
        own_valkey.kill()
        own_valkey.start()
        assert job.value(30).attempts == 1
    job = producer.complete.apply_async((ask("after"), "u1"), countdown=0.5)
    assert job.value(40).attempts == 1  # parked jobs are promoted by the steward only
    assert worker.pid
    fresh(producer.complete)


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_rolling_kills_with_a_backlog(
    submit, wire, env, start_worker, redis_url, books, fresh, pool
):
    """Ten kill -9 under load: every job ends once, repeats are reported, nothing stays held."""
    wire.script = lambda request, number: "ok;delay=0.3"
    env |= {"LEDGER_LEASE_SECONDS": "2", "LEDGER_MAX_DELIVERIES": "20"}
    workers = [start_worker(env, pool=pool, concurrency=4) for _ in range(2)]
    jobs = submit(150)
    for round_ in range(10):
        wire.wait_for(lambda calls, n=round_: len(calls) >= 12 * (n + 1))
        workers[round_ % 2].kill()
        workers[round_ % 2] = start_worker(env, pool=pool, concurrency=4)
    assert len([job.value(60) for job in jobs]) == 150
    books(redis_url, jobs, wire.calls)
    fresh()


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_rolling_stops_with_a_backlog(
    submit, wire, env, start_worker, redis_url, books, fresh, pool
):
    """Ten SIGTERMs under load, as in a deployment: nothing is repeated at all."""
    wire.script = lambda request, number: "ok;delay=0.3"
    workers = [start_worker(env, pool=pool, concurrency=4) for _ in range(2)]
    jobs = submit(150)
    for round_ in range(10):
        wire.wait_for(lambda calls, n=round_: len(calls) >= 12 * (n + 1))
        workers[round_ % 2].terminate()
        workers[round_ % 2].wait(40)
        workers[round_ % 2] = start_worker(env, pool=pool, concurrency=4)
    assert len([job.value(60) for job in jobs]) == 150
    assert len(wire.calls) == 150
    assert books(redis_url, jobs, wire.calls) == 0
    fresh()


def test_a_budget_under_kills(complete, wire, env, start_worker, redis_url):
    """Ten processes, 2,000 jobs, room for a thousand: the limit holds, and the books balance. A job
    whose call was lost and that finds no room for another was failed by us, not by the limit.
    """
    wire.script = lambda request, number: "ok;delay=0.05;in=0;out=50"
    limit, one = 50_000, 50
    env |= {
        "LLM_CHAIN": "openai:priced",
        "LLM_PRICES": "openai:priced=0/1",
        "LLM_USD_PER_DAY": str(limit / 1e6),
        "LEDGER_LEASE_SECONDS": "2",
        "LEDGER_MAX_DELIVERIES": "50",
    }
    workers = [start_worker(env, pool="prefork", concurrency=5) for _ in range(2)]
    stop, seen = threading.Event(), []
    with LedgerProbe(redis_url) as ledger:
        watcher = threading.Thread(target=lambda: watch(ledger, stop, seen))
        watcher.start()
        jobs = [
            complete.delay(ask(f"question {n}"), f"u{n % 9}", max_tokens=50) for n in range(2000)
        ]
        for round_ in range(4):
            wire.wait_for(lambda calls, n=round_: len(calls) >= 150 * (n + 1))
            workers[round_ % 2].kill()
            workers[round_ % 2] = start_worker(env, pool="prefork", concurrency=5)
        ended = Counter(type(outcome(job)).__name__ for job in jobs)
        until(lambda: ledger.open() == 0)
        stop.set()
        watcher.join()
        books = ledger.budget("usd", "fleet", "all")
    assert set(ended) - {"ProvidersExhausted"} == {"Completion", "BudgetExceeded"}
    assert ended["ProvidersExhausted"] <= 4 * 5  # killed with calls on the wire
    assert max(seen) <= limit
    billed = one * sum(call.billed is not None for call in wire.calls)
    assert books["held"] == 0
    assert books["spent"] == one * ended["Completion"]
    assert books["spent"] <= billed <= books["spent"] + books["maybe"]


def watch(ledger, stop, seen):
    while not stop.is_set():
        seen.append(sum(ledger.budget("usd", "fleet", "all").values()))


def outcome(job):
    try:
        return job.value(100)
    except JobError as error:
        return error


def test_kill_9_with_embeddings_on_the_wire(complete, wire, env, start_worker, redis_url):
    """As with answers: another worker makes them, the first call is booked as possibly billed."""
    wire.script = lambda request, number: "ok" if number else "hang"
    env = env | {"LLM_EMBEDDING_CHAIN": "openai:text-embedding-3-small"}
    doomed = start_worker(env, concurrency=1)
    job = embed.delay(["a", "b"], "u1")
    wire.wait_for(len)
    start_worker(env, concurrency=1)
    doomed.kill()
    found = job.value(15 + CALL_S)
    assert (found.vectors, found.attempts) == ([vector("a"), vector("b")], 2)
    assert found.maybe_billed_usd > 0
    with LedgerProbe(redis_url) as ledger:
        books = ledger.budget("usd", "fleet", "all")
        assert reported_unknown(ledger, [job]) == ledger.counter("unknown_attempts") == 1
        assert (books["held"], books["maybe"]) == (0, round(found.maybe_billed_usd * 1e6))
        assert books["spent"] == round(found.cost_usd * 1e6) > 0
