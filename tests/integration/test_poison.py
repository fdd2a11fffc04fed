"""A job is poison if it brings down its worker, not if that dies while it waits for a provider."""

import pytest
from support.ledger import KEYS

from producer.contract.errors import OutcomeUnknown, Poisoned
from worker.ledger.running_job import RunningJob
from worker.settings import LedgerSettings, RetrySettings

ALLOWED = LedgerSettings().deliveries
CALLS = RetrySettings().max_attempts


@pytest.fixture
def fleet(hand_run):
    return hand_run()


def worker_dies(fleet, job_id, calling):
    """Whether the job could be started; its worker dies then, before or during the call."""
    job = fleet.ledger.start(job_id)
    if not isinstance(job, RunningJob):
        return False
    if calling:
        assert fleet.reserve(job, "m") == "m"
    fleet.redis.zadd(KEYS.open, {job_id: 1})
    fleet.sweep()
    return True


def deaths(fleet, job_id, calling):
    count = 0
    while worker_dies(fleet, job_id, calling):
        count += 1
    return count


def test_deaths_during_the_call_are_attempts(fleet):
    """More than a job may crash, but no more calls than it may make; all are possibly billed."""
    (job_id,) = fleet.submit("u")
    assert deaths(fleet, job_id, calling=True) == CALLS > ALLOWED
    assert isinstance(fleet.ledger.outcome(job_id), OutcomeUnknown)
    record = fleet.redis.hgetall(KEYS.job(job_id))
    assert (record["attempts"], record["unknown"]) == (str(CALLS), str(CALLS))
    assert record["maybe"] == str(10 * CALLS)


def test_deaths_before_the_call_are_poison(fleet):
    (job_id,) = fleet.submit("u")
    assert deaths(fleet, job_id, calling=False) == ALLOWED
    assert isinstance(fleet.ledger.outcome(job_id), Poisoned)


@pytest.mark.parametrize("order", ["before", "after", "between"])
def test_both_are_counted_apart(fleet, order):
    (job_id,) = fleet.submit("u")
    innocent = [True] * (CALLS - 1)
    guilty = [False] * (ALLOWED - 1)
    orders = {
        "before": innocent + guilty,
        "after": guilty + innocent,
        "between": [each for pair in zip(innocent, guilty, strict=False) for each in pair],
    }
    for calling in orders[order]:
        assert worker_dies(fleet, job_id, calling)
    assert fleet.ledger.outcome(job_id) is None
    job = fleet.start(job_id)
    assert fleet.reserve(job, "m") == "m"
    fleet.answer(job)
    assert str(fleet.ledger.outcome(job_id)) == "done"
