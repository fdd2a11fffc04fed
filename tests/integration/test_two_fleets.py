"""One prefix isolates everything: two fleets in one database of one server never meet."""

import re

import pytest
import redis
from support.ledger import ask, until
from support.wire import WireServer

import producer
from producer.contract.names import FleetNames
from producer.contract.publication import Publication, publish
from worker.ledger.keys import Keys

FLEETS = ("one", "cc")
"""The second has the default prefix, and so plain names for its queues and results."""


@pytest.fixture
def providers():
    with WireServer() as one, WireServer() as other:
        yield dict(zip(FLEETS, (one, other), strict=True))


@pytest.fixture
def fleets(providers, openai_env, start_worker, redis_url):
    """`fleets(prefix)`: this process is a producer of that fleet from now on; its Celery app."""
    for prefix, wire in providers.items():
        env = openai_env | {"LEDGER_PREFIX": prefix, "OPENAI_BASE_URL": wire.base_url}
        start_worker(env, name=f"worker-of-{prefix}")

    def use(prefix):
        producer.configure(redis_url, prefix=prefix)
        return producer.complete.app

    yield use
    producer.configure(redis_url)


def test_two_fleets_on_one_server_never_meet(fleets, providers, redis_url):
    for prefix in FLEETS:
        jobs_are_answered(prefix, fleets(prefix))
        control_reaches_its_own_worker(prefix, fleets(prefix).control)
    for prefix, wire in providers.items():
        asked = [call.request["messages"][-1]["content"] for call in wire.calls]
        assert sorted(asked) == [f"{n} of {prefix}" for n in range(6)]
    with redis.Redis.from_url(redis_url, decode_responses=True) as server:
        every_key_is_one_fleet_s(server)


def test_a_worker_says_that_its_broker_has_ids_of_another_ledger(complete, start_worker):
    """As where two fleets have one prefix and broker, and each a ledger."""
    worker = start_worker()
    foreign = [Publication(f"foreign-{n}", "interactive", {}) for n in range(3)]
    publish(complete.app, FleetNames.of("cc"), foreign)
    worker.wait_for_log("FOREIGN_IDS")
    assert complete.delay(ask("own"), "u").value(30).finish_reason == "stop"
    assert worker.log().count("FOREIGN_IDS") == 1
    assert "LEDGER_PREFIX=cc" in worker.log()


def jobs_are_answered(prefix, app):
    """Under ids that the other fleet has too, also by Celery's own results."""
    jobs = [
        producer.complete.apply_async((ask(f"{n} of {prefix}"), "u"), task_id=f"job-{n}")
        for n in range(6)
    ]
    assert all(job.value(30).text for job in jobs)
    assert all(job.get(timeout=30)["text"] for job in jobs)


def control_reaches_its_own_worker(prefix, control):
    """Asked again: a worker subscribes just after it says ready."""
    until(lambda: control.ping(timeout=1, limit=1))
    named = [name for reply in control.ping(timeout=0.5) for name in reply]
    assert named == [f"celery@worker-of-{prefix}"]


def every_key_is_one_fleet_s(server):
    """Also an entry that is no message."""
    names = FleetNames.of("one")
    server.rpush(names.queues["batch"], "no message")
    until(lambda: server.llen(names.quarantine) == 1)
    keys = list(server.scan_iter("*"))
    assert any(key.startswith(names.results) for key in keys)
    own = (names.root, Keys("one").root, Keys("cc").root)
    plain = r"completions\.|celery-task-meta-|cc\.|_kombu\.binding(?!\.celery(ev|\.pidbox))"
    assert [key for key in keys if not key.startswith(own) and not re.match(plain, key)] == []
