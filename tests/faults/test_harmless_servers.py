"""Class 9: a server that refuses or falls silent fails nobody's job, pays nothing twice and ends no
worker. One that keeps results holds up nobody who does not read them there.
"""

import threading

import pytest
from celery import chord
from support.ledger import KEYS, LedgerProbe, ask, until
from support.neighbours import MODEL, Neighbours
from support.refusing import TROUBLES, Server

import producer
from worker.broker.outbox import PATIENCE_S

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

ROUND = 60
SLOTS = 4
"""Fewer than the results that cannot be stored."""
ARGUMENTS = {"broker": "broker_url", "results": "backend_url", "ledger": "ledger_url"}
VARIABLES = {
    "broker": "CELERY_BROKER_URL",
    "results": "CELERY_RESULT_BACKEND",
    "ledger": "LEDGER_URL",
}


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "valkey") as started:
        yield started


@pytest.fixture
def fleet(provider, server, start_worker, redis_url):
    """`fleet(which, pool)`: a worker whose broker, results or ledger are on `server`; the others,
    who ask there.
    """

    def start(which, pool="asyncio"):
        env = {
            "LLM_CHAIN": MODEL,
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": provider.base_url,
            "LLM_USER_TOKENS_PER_HOUR": "1000000000",
            VARIABLES[which]: server.app_url(),
        }
        worker = start_worker(env, pool=pool, concurrency=SLOTS)
        urls = {ARGUMENTS[which]: server.app_url()}
        producer.configure(redis_url, **urls)
        return worker, Neighbours(redis_url, MODEL, **urls)

    return start


def check_paid_once(others, provider):
    others.answers()
    called = [job for job in provider.calls() if job in set(others.jobs)]
    assert sorted(called) == sorted(others.jobs)


def check_mended(worker, pid, job):
    """The worker is the same, and what could not be stored is stored."""
    assert job.get(timeout=60)
    assert worker.pid == pid


@pytest.mark.parametrize("name", ["memory", "rights", "password", "connections"])
def test_results_that_cannot_be_stored_hold_nobody_up(fleet, server, provider, name):
    """They are answered beside it as fast as the provider answers, with fewer slots than that."""
    worker, neighbours = fleet("results")
    pid = worker.pid
    with neighbours as others:
        others.wait_for(ROUND)
        before_s = others.p95_s()
        TROUBLES[name].begin(server)
        first = producer.complete.delay(ask("while it refuses"), "reader", model=MODEL)
        assert first.value(30)
        others.wait_for(ROUND)
        during_s = others.p95_s()
        TROUBLES[name].end(server)
        check_mended(worker, pid, first)
    check_paid_once(others, provider)
    print(f"results, {name}: P95 {during_s / before_s:.2f} times")


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_results_that_are_silent_hold_nobody_up(fleet, server, provider, pool):
    """Frozen: no try ends before its timeout, which no slot waits for."""
    worker, neighbours = fleet("results", pool)
    pid = worker.pid
    with neighbours as others:
        others.wait_for(ROUND)
        server.freeze()
        first = producer.complete.delay(ask("while it is frozen"), "reader", model=MODEL)
        assert first.value(30)
        others.wait_for(ROUND)
        slow = [each for each in others.times_s if each > 2 * PATIENCE_S]
        server.thaw()
        check_mended(worker, pid, first)
    assert len(slow) <= SLOTS  # each slot waits for it once
    check_paid_once(others, provider)


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_a_chord_that_cannot_be_joined_holds_nobody_up(fleet, server, pool):
    """It has more parts than there are slots; its body runs when the server is mended."""
    worker, _ = fleet("results", pool)
    pid = worker.pid
    complete = producer.complete
    parts = [complete.s(ask(f"part {n}"), "reader", model=MODEL) for n in range(2 * SLOTS)]
    body = chord(parts)(complete.si(ask("body"), "reader", model=MODEL))
    TROUBLES["rights"].begin(server)
    jobs = [complete.delay(ask(f"x {n}"), "other", model=MODEL) for n in range(SLOTS)]
    assert all(job.value(30) for job in jobs)
    TROUBLES["rights"].end(server)
    check_mended(worker, pid, body)
    assert all(job.get(timeout=60) for job in jobs)


@pytest.mark.parametrize("which", ["broker", "ledger"])
@pytest.mark.parametrize("name", ["memory", "rights"])
def test_a_broker_or_ledger_that_refuses_fails_nobody_s_job(
    fleet, server, provider, redis_url, which, name
):
    worker, neighbours = fleet(which)
    pid = worker.pid
    with neighbours as others:
        others.wait_for(20)
        TROUBLES[name].begin(server)
        threading.Event().wait(2.5)  # the fault itself
        TROUBLES[name].end(server)
        others.wait_for(ROUND)
    check_paid_once(others, provider)
    assert worker.pid == pid
    with LedgerProbe(server.app_url() if which == "ledger" else redis_url) as ledger:
        until(lambda: ledger.open() == 0)
        assert ledger.counter("unknown_attempts") == 0


def test_what_waits_in_a_worker_that_is_killed_is_reported_by_another(
    fleet, server, start_worker, redis_url
):
    """Also what a chord waits for. (Its time is over at once here.)"""
    worker, _ = fleet("results")
    complete = producer.complete
    parts = [complete.s(ask(f"part {n}"), "reader", model=MODEL) for n in range(2)]
    body = chord(parts)(complete.si(ask("body"), "reader", model=MODEL))
    TROUBLES["rights"].begin(server)
    job = complete.delay(ask("x"), "reader", model=MODEL)
    assert job.value(30)
    with LedgerProbe(redis_url) as ledger:
        until(lambda: ledger.redis.zcard(KEYS.unreported) == 3)
        worker.kill()
        TROUBLES["rights"].end(server)
        for job_id in ledger.redis.zrange(KEYS.unreported, 0, -1):
            ledger.redis.zadd(KEYS.unreported, {job_id: 1})
    start_worker(worker.env, concurrency=SLOTS)
    assert job.get(timeout=60)
    assert body.get(timeout=60)


def test_a_stop_stores_what_waits_or_tells_it(fleet, server):
    """It waits for seconds and not for ever, and says how many it leaves."""
    worker, _ = fleet("results")
    TROUBLES["rights"].begin(server)
    jobs = [producer.complete.delay(ask(f"x {n}"), "reader", model=MODEL) for n in range(3)]
    assert all(job.value(30) for job in jobs)
    worker.stop()
    assert "3 are not stored" in worker.log()
