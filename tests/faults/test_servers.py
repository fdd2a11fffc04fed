"""Broker, result backend and ledger go away, lose data or fall silent.

Nothing is lost, and the workers continue.
"""

import threading

import pytest
from support.ledger import LedgerProbe, ask, until
from support.proxy import Proxy

from producer.contract.names import QUEUES
from worker.embedded import EmbeddedValkey

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


@pytest.fixture
def apart(tmp_path, env, complete):
    """Broker, backend and ledger on three servers, each behind a proxy for the worker.

    Producers connect directly.

    After `complete`, which points producers at the session's server.
    """
    import producer

    names = ("broker", "backend", "ledger")
    servers = {name: EmbeddedValkey(tmp_path / name) for name in names}
    for server in servers.values():
        server.start()
    links = {name: Proxy(servers[name].port).__enter__() for name in names}
    urls = {name: server.url() for name, server in servers.items()}
    producer.configure(
        urls["ledger"],
        broker_url=urls["broker"],
        backend_url=urls["backend"],
        ledger_url=urls["ledger"],
    )
    env |= {
        "REDIS_URL": links["ledger"].url(),
        "CELERY_BROKER_URL": links["broker"].url(),
        "CELERY_RESULT_BACKEND": links["backend"].url(),
        "LEDGER_URL": links["ledger"].url(),
    }
    yield servers, links, env
    for link in links.values():
        link.__exit__()
    for server in servers.values():
        server.stop()


@pytest.fixture
def task():
    import producer

    return producer.complete


@pytest.mark.parametrize("which", ["broker", "backend", "ledger"])
@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_a_half_open_link(apart, wire, start_worker, submit, task, fresh, books, which, pool):
    """Nothing passes for 12 s while a call is on the wire, without a sign of it; then it heals."""
    servers, links, env = apart
    wire.script = lambda request, number: "ok;delay=1"
    start_worker(env, pool=pool, concurrency=2)
    jobs = submit(2, task)
    wire.wait_for(lambda calls: len(calls) == 2)
    links[which].cut()
    threading.Event().wait(12)  # the fault itself
    links[which].heal()
    assert len([job.value(60) for job in jobs]) == 2
    fresh(task)
    books(servers["ledger"].url(), jobs, wire.calls[:-20])


def test_a_broker_that_is_down_for_half_a_minute(
    apart, wire, start_worker, submit, task, fresh, books
):
    """Jobs are accepted meanwhile, a due retry waits; afterwards all are answered, none twice."""
    servers, _, env = apart
    wire.script = lambda request, number: "500" if number == 0 else "ok"
    start_worker(env | {"LLM_BACKOFF_SECONDS": "5", "LLM_BACKOFF_MAX_SECONDS": "5"}, concurrency=4)
    (retried,) = submit(1, task)
    wire.wait_for(len)
    servers["broker"].kill()
    jobs = [retried, *submit(6, task)]
    threading.Event().wait(30)  # the fault itself
    servers["broker"].start()
    for job in jobs:
        assert job.value(60).finish_reason == "stop"
    assert len(wire.calls) == 8
    fresh(task)
    assert books(servers["ledger"].url(), jobs, wire.calls[:7]) == 0


def test_a_broker_that_forgets_everything(apart, wire, start_worker, submit, task, fresh, books):
    """FLUSHALL with jobs queued: the sweep publishes jobs again that did not begin."""
    servers, _, env = apart
    wire.script = lambda request, number: "ok;delay=0.3"
    start_worker(env, concurrency=2)
    jobs = submit(20, task)
    wire.wait_for(lambda calls: len(calls) > 2)
    with LedgerProbe(servers["broker"].url()) as broker:
        broker.redis.flushall()
    for job in jobs:
        assert job.value(60).attempts == 1
    assert len(wire.calls) == 20
    fresh(task)
    assert books(servers["ledger"].url(), jobs, wire.calls[:20]) == 0


def test_a_result_backend_that_is_down_at_the_end(apart, wire, start_worker, submit, task, fresh):
    """The ledger has the answer at once; a plain `get()` has it when the backend is back."""
    servers, _, env = apart
    wire.script = lambda request, number: "ok;delay=1"
    start_worker(env, concurrency=2)
    (job,) = submit(1, task)
    wire.wait_for(len)
    servers["backend"].kill()
    assert job.value(30).finish_reason == "stop"
    servers["backend"].start()
    assert job.get(timeout=60)["finish_reason"] == "stop"
    fresh(task)


def test_a_server_that_restarts_again_and_again_under_load(
    complete, own_valkey, wire, env, start_worker, submit, fresh, books
):
    """Eight kill -9 of one server for broker, backend and ledger, with its append-only file."""
    import producer

    producer.configure(own_valkey.url())
    wire.script = lambda request, number: "ok;delay=0.2"
    env |= {"REDIS_URL": own_valkey.url()}
    for _ in range(2):
        start_worker(env, concurrency=3)
    jobs = submit(120, producer.complete)
    for round_ in range(8):
        wire.wait_for(lambda calls, n=round_: len(calls) >= 10 * (n + 1))
        own_valkey.kill()
        own_valkey.start()
    for job in jobs:
        assert job.value(90).finish_reason == "stop"
    fresh(producer.complete)
    books(own_valkey.url(), jobs, wire.calls[:-20])


def test_a_ledger_that_forgets_its_last_second(
    complete, own_valkey, wire, env, start_worker, submit, fresh, books
):
    """Its workers settle again what it had settled and lost: no answered job is paid twice."""
    import producer

    producer.configure(own_valkey.url())
    wire.script = lambda request, number: "ok;in=100;out=10;delay=1"
    start_worker(env | {"REDIS_URL": own_valkey.url()}, concurrency=8)
    with LedgerProbe(own_valkey.url()) as ledger:
        submit(4, producer.complete)[-1].value(30)
        until(lambda: ledger.open() == 0)
        before = _size(own_valkey)
        jobs = submit(8, producer.complete)
        for job in jobs:
            job.value(30)
        until(lambda: _size(own_valkey) > before)
        own_valkey.kill()
        cut = _cut_settles(own_valkey, jobs)
        own_valkey.start()
        assert cut > 0
        for job in jobs:
            assert job.value(30).finish_reason == "stop"
    assert len(wire.calls) == 12
    fresh(producer.complete)
    assert books(own_valkey.url(), jobs, wire.calls[4:12]) == 0


def _file(server):
    return max((server.folder / "appendonlydir").glob("*.incr.aof"))


def _size(server):
    return _file(server).stat().st_size


def _cut_settles(server, jobs):
    """Cut the file before the first outcome of `jobs`, as if the machine had died then.

    Returns how many outcomes are lost.
    """
    text = _file(server).read_bytes()
    places = [text.find(f"o:{job.id}".encode()) for job in jobs]
    first = min(place for place in places if place >= 0)
    # Scripts are logged as transactions: back to the one that this write is in.
    start = text.rfind(b"*1\r\n$5\r\nMULTI\r\n", 0, first)
    _file(server).write_bytes(text[:start])
    return sum(place >= start for place in places)


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_a_message_that_comes_twice(complete, wire, env, start_worker, redis_url, fresh, pool):
    """Before the job begins, while it runs, and after its end: one call, one outcome."""
    wire.script = lambda request, number: "ok;delay=1"
    with LedgerProbe(redis_url) as ledger:
        job = complete.delay(ask("x"), "u1")
        (message,) = ledger.redis.lrange(QUEUES["interactive"], 0, -1)
        copies = [message.replace(job_tag(message), f"copy-{n}") for n in range(3)]
        ledger.redis.rpush(QUEUES["interactive"], copies[0])
        start_worker(env, pool=pool, concurrency=2)
        wire.wait_for(len)
        ledger.redis.rpush(QUEUES["interactive"], copies[1])
        assert job.value(30).attempts == 1
        ledger.redis.rpush(QUEUES["interactive"], copies[2])
        fresh()
        until(lambda: ledger.redis.llen(QUEUES["interactive"]) == 0)
    assert sum(call.job_id == job.id for call in wire.calls) == 1
    assert job.get(timeout=10)["finish_reason"] == "stop"


def job_tag(message):
    import json

    return json.loads(message)["properties"]["delivery_tag"]
