"""The primary dies and Sentinel promotes its replica: the same workers answer every job."""

import asyncio
from urllib.parse import quote

import pytest
from support import acl, flower
from support.ledger import KEYS, ask
from support.sentinels import Watched

import producer
from producer.contract.errors import Unavailable
from worker.ledger.connection import connect, ledger_functions

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


@pytest.fixture
def watched(tmp_path, complete):
    """After `complete`, which points producers at the session's server."""
    with Watched(tmp_path) as servers:
        producer.configure(servers.url("producer"))
        yield servers


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_a_failover_with_jobs_waiting_and_running(
    watched, wire, env, start_worker, submit, fresh, books, pool
):
    """No worker has to be restarted; kombu's own transport would end them."""
    wire.script = lambda request, number: "ok;delay=1"
    workers = [
        start_worker(env | {"REDIS_URL": watched.url("worker")}, pool=pool, concurrency=3)
        for _ in range(2)
    ]
    jobs = submit(30, producer.complete)
    wire.wait_for(lambda calls: len(calls) >= 8)
    watched.catch_up(hold=True)
    watched.primary.kill()
    with pytest.raises(Unavailable):
        producer.complete.delay(ask("meanwhile"), "u1")
    watched.wait_promoted()
    for job in jobs:
        assert job.value(90).finish_reason == "stop"
        assert job.get(timeout=30)["finish_reason"] == "stop"
    assert asyncio.run(waited(jobs[0])).finish_reason == "stop"
    fresh(producer.complete)
    assert all(worker.pid for worker in workers)
    logged = "".join(worker.log() for worker in workers)
    assert [
        word
        for word in (acl.password("worker"), quote(acl.password("worker"), safe=""))
        if word in logged
    ] == []
    books(watched.replica.url(), jobs, wire.calls[:-20])


async def waited(job):
    return await job


def test_outcomes_that_the_replica_had_not_received_are_settled_again(
    watched, wire, env, start_worker, submit, fresh, books
):
    """As after the restart of a server that lost its last second: no answered job is paid twice."""
    wire.script = lambda request, number: "ok;delay=1.5"
    worker = start_worker(env | {"REDIS_URL": watched.url("worker")}, concurrency=4)
    jobs = submit(4, producer.complete)
    wire.wait_for(lambda calls: len(calls) == 4)
    watched.catch_up()
    watched.part()
    for job in jobs:
        job.value(30)
    worker.wait_for_log('"job_ended"', times=4)  # or a reply is not there yet: tried once more
    watched.primary.kill()
    watched.wait_promoted()
    worker.wait_for_log("4 outcomes settled again")
    for job in jobs:
        assert job.value(30).finish_reason == "stop"
    assert len(wire.calls) == 4
    fresh(producer.complete)
    assert books(watched.replica.url(), jobs, wire.calls[:4]) == 0


def test_flower_follows(watched, wire, env, start_worker, submit, tmp_path):
    """What happens after the failover is shown like what happened before."""
    start_worker(env | {"REDIS_URL": watched.url("worker")}, concurrency=4)
    with flower.running(tmp_path, REDIS_URL=watched.url("flower")) as fleet_view:

        def answered():
            (job,) = submit(1, producer.complete)
            job.value(60)
            return job

        fleet_view.wait_shown(answered)
        watched.catch_up(hold=True)
        watched.primary.kill()
        watched.wait_promoted()
        fleet_view.wait_shown(answered)


@pytest.mark.timeout(40)
def test_no_frozen_server_holds_the_web_request(watched):
    """Neither the Sentinel, nor the primary until it is replaced."""
    with connect(watched.url("worker")) as redis:
        ledger_functions(redis, KEYS).load()  # as the first worker does
    watched.sentinel.freeze()
    with pytest.raises(Unavailable):
        producer.complete.delay(ask("x"), "u1")
    watched.sentinel.thaw()
    producer.complete.delay(ask("x"), "u1")
    watched.catch_up()
    watched.primary.freeze()
    with pytest.raises(Unavailable):
        producer.complete.delay(ask("y"), "u1")
    watched.wait_promoted()
    assert producer.complete.delay(ask("z"), "u1").progress().state == "released"
