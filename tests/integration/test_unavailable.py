"""With Redis away: a clear error within two seconds, or an accepted job that is not lost."""

import socket

import pytest
from redis import Redis
from support.ledger import ask

import producer
from producer.contract.errors import Unavailable
from worker.embedded import EmbeddedValkey


@pytest.fixture
def other_valkey(tmp_path):
    with EmbeddedValkey(tmp_path / "other") as server:
        yield server


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_refused_ledger_is_unavailable():
    """The error carries the id that makes a repeat safe."""
    producer.configure(f"redis://127.0.0.1:{closed_port()}/0")
    with pytest.raises(Unavailable) as caught:
        producer.complete.apply_async((ask("x"), "u1"), task_id="mine")
    assert caught.value.job_id == "mine"


@pytest.mark.timeout(20)
def test_a_frozen_ledger_is_unavailable_and_a_repeat_is_safe(own_valkey, start_worker):
    """Only the reply may be lost; under the same id it is the same job, answered once."""
    producer.configure(own_valkey.url())
    producer.complete.delay(ask("warm up"), "u1")
    own_valkey.freeze()
    with pytest.raises(Unavailable) as caught:
        producer.complete.delay(ask("x"), "u1")
    own_valkey.thaw()
    again = producer.complete.apply_async((ask("x"), "u1"), task_id=caught.value.job_id)
    start_worker({"REDIS_URL": own_valkey.url()})
    assert again.value(15).attempts == 1


def test_a_job_is_accepted_while_the_broker_is_down(own_valkey, other_valkey, start_worker):
    """The ledger has it; when the broker is back, a steward publishes it."""
    producer.configure(own_valkey.url(), broker_url=other_valkey.url())
    other_valkey.kill()
    job = producer.complete.delay(ask("x"), "u1")
    assert job.progress().state == "released"
    other_valkey.start()
    start_worker({"REDIS_URL": own_valkey.url(), "CELERY_BROKER_URL": other_valkey.url()})
    assert job.value(30).attempts == 1


def test_a_frozen_broker_does_not_hold_the_web_request(own_valkey, other_valkey, start_worker):
    """As above, when the broker hangs instead of refusing."""
    producer.configure(own_valkey.url(), broker_url=other_valkey.url())
    other_valkey.freeze()
    job = producer.complete.delay(ask("x"), "u1")
    other_valkey.thaw()
    start_worker({"REDIS_URL": own_valkey.url(), "CELERY_BROKER_URL": other_valkey.url()})
    assert job.value(30).attempts == 1


def test_a_ledger_that_restarts_loses_nothing(
    own_valkey, other_valkey, start_worker, wire, openai_env
):
    """Killed during a call and back from its append-only file: the answer is settled, once."""
    with Redis.from_url(own_valkey.url()) as redis:
        redis.config_set("appendfsync", "always")  # else the last second may be gone
    producer.configure(
        own_valkey.url(), broker_url=other_valkey.url(), backend_url=other_valkey.url()
    )
    wire.script = lambda request, number: "ok;delay=1.5"
    start_worker(openai_env | {"LEDGER_URL": own_valkey.url(), "REDIS_URL": other_valkey.url()})
    job = producer.complete.delay(ask("x"), "u1")
    wire.wait_for(lambda calls: len(calls) == 1)
    own_valkey.kill()
    own_valkey.start()
    assert job.value(30).attempts == 1
    assert job.progress().tried == (("openai:gpt-4o-mini", ""),)
