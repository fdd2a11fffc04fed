"""Connections to Redis are bounded in each process, so that a fleet fits on a small plan."""

import asyncio
import threading

import pytest
from redis import ConnectionError as NoConnection
from redis import Redis
from support import web_side
from support.ledger import ask

import producer
from producer.connections import BoundedPool
from worker.embedded import EmbeddedValkey

PLANS = [
    pytest.param(20, {"REDIS_MAX_CONNECTIONS": "7"}, id="20, each side with the least"),
    pytest.param(30, {}, id="30, by default", marks=pytest.mark.faults),
]


@pytest.fixture
def plan(tmp_path):
    """`plan(clients)`: the URL of a server that takes no more."""
    started = []

    def start(clients):
        options = ["--maxclients", str(clients)]
        started.append(EmbeddedValkey(tmp_path / "plan", options=options))
        started[0].start()
        return started[0].url()

    yield start
    for each in started:
        each.kill()


@pytest.mark.parametrize(("clients", "env"), PLANS)
def test_a_fleet_works_on_a_small_plan(plan, start_worker, monkeypatch, clients, env):
    """Sixteen threads on each side, in each way to wait."""
    url = plan(clients)
    monkeypatch.setenv("REDIS_URL", url)
    start_worker(env | {"REDIS_URL": url}, concurrency=16)
    most = int(env.get("REDIS_MAX_CONNECTIONS", "14"))
    producer.configure(url, max_connections=most)
    web_side.in_threads(16, "small")
    assert 0 < len(web_side.to_redis()) <= most
    with Redis.from_url(url) as redis:
        assert redis.info("stats")["rejected_connections"] == 0


def test_loops_of_many_threads_share_the_connections_of_the_process(complete, start_worker):
    """Also one that ends without a word, as in a web server that makes one for each request."""
    start_worker()
    right = []

    def serve(number):
        for n in range(3):
            job = complete.delay(ask(f"{number} {n}"), "u")
            loop = asyncio.new_event_loop()
            right.append(loop.run_until_complete(job).request_id == job.id)
            loop.close()

    threads = [threading.Thread(target=serve, args=(n,)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert right == [True] * 24


def test_who_awaits_in_a_loop_that_has_ended_holds_up_nobody(complete, start_worker):
    lost = complete.delay(ask("first"), "u")
    loop = asyncio.new_event_loop()
    left = loop.create_task(_value(lost))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    job = complete.delay(ask("then"), "u")
    start_worker()
    assert asyncio.run(asyncio.wait_for(_value(job), 30)).request_id == job.id
    assert not left.done()
    left._log_destroy_pending = False
    left.get_coro().close()


async def _value(job):
    return await job


def test_a_pool_makes_wait_and_then_says_why(redis_url):
    pool = BoundedPool.from_url(redis_url, max_connections=1, wait_s=0.05)
    held = pool.get_connection()
    with pytest.raises(NoConnection, match="all 1 connections of this process are in use"):
        pool.get_connection()
    threading.Timer(0.02, pool.release, [held]).start()
    pool._wait_s = 10
    assert pool.get_connection() is held
    pool.release(held)
    pool.disconnect()
