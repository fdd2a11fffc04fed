"""A worker that reads some of our queues is sent jobs of those; others stand in nobody's way."""

import pytest
from support.ledger import KEYS, LedgerProbe, ask, connection, until

from producer.contract.names import QUEUES
from worker.monitoring.health import Health
from worker.settings import HealthSettings


@pytest.fixture
def health(redis_url):
    """`health()`: names of what is wrong now."""
    ledger = connection(redis_url)
    settings = HealthSettings(queue_s=0.5)
    yield lambda: {each.name for each in Health(ledger, settings).check().findings}
    ledger.close()


def batches(complete, count=20):
    return [complete.delay(ask(f"batch {n}"), "ann", lane="batch") for n in range(count)]


def answered(complete, count=3):
    jobs = [complete.delay(ask(f"question {n}"), f"u{n}") for n in range(count)]
    return [job.value(20).finish_reason for job in jobs] == ["stop"] * count


@pytest.mark.faults
@pytest.mark.parametrize("flags", [("-Q", QUEUES["interactive"]), ("-X", QUEUES["batch"])])
def test_batch_jobs_that_nobody_reads_hold_up_no_question(complete, start_worker, health, flags):
    waiting = batches(complete)
    start_worker(concurrency=2, flags=flags)
    assert answered(complete)
    until(lambda: "unserved" in health())
    start_worker(concurrency=2, flags=("-Q", QUEUES["batch"]))
    assert len([job.value(30) for job in waiting]) == 20
    until(lambda: "unserved" not in health())


def test_a_queue_that_is_left_and_taken_again_by_remote_control(
    complete, start_worker, redis_url, health
):
    control = complete.app.control
    start_worker(concurrency=2)
    control.cancel_consumer(QUEUES["batch"])
    with LedgerProbe(redis_url) as ledger:
        until(lambda: ledger.redis.hvals(KEYS.worker_lanes) == ["interactive"])
    waiting = batches(complete, 6)
    assert answered(complete)
    assert "unserved" in health()
    control.add_consumer(QUEUES["batch"])
    assert len([job.value(30) for job in waiting]) == 6
