"""A job is poison if it brings down its worker, not if that dies while it waits for a provider."""

import pytest
import redis
from celery.exceptions import Ignore
from support.ledger import KEYS
from support.paid_answers import Job, OwnTask

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


class Refusing:
    """The ledger, but that a reservation is refused, or made and its reply lost."""

    def __init__(self, ledger, error, reserves=False):
        self._ledger, self._error, self._reserves = ledger, error, reserves

    def __getattr__(self, name):
        return getattr(self._ledger, name)

    def reserve(self, *arguments):
        if self._reserves:
            self._ledger.reserve(*arguments)
        raise self._error


def refused(fleet, job_id, error, reserves=False):
    """The job starts in a worker whose reservation fails like that, and is due again at once."""
    runtime = Job().runtime
    runtime.ledger = fleet.ledger
    runtime.pipeline.quota._budgets = Refusing(fleet.ledger, error, reserves)
    with pytest.raises(Ignore):
        OwnTask()._answer(runtime, fleet.start(job_id))
    record = fleet.redis.hgetall(KEYS.job(job_id))
    if record["state"] == "parked":
        fleet.redis.zadd(KEYS.parked, {job_id: 1})
        fleet.sweep()
    return record


@pytest.mark.parametrize(
    "error",
    [
        redis.ResponseError("OOM command not allowed when used memory > 'maxmemory'."),
        redis.ReadOnlyError("READONLY You can't write against a read only replica."),
        redis.TimeoutError("Timeout reading from socket"),
        redis.ConnectionError("Connection reset by peer"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("reserves", [False, True])
def test_a_ledger_that_fails_after_the_start_says_nothing_against_the_job(fleet, error, reserves):
    """However often: it is given back, and holds nothing meanwhile."""
    (job_id,) = fleet.submit("u")
    for _ in range(2 * ALLOWED):
        record = refused(fleet, job_id, error, reserves)
        assert (record["state"], record["deliveries"]) == ("parked", "0")
        assert fleet.redis.hget(KEYS.budget("usd", "fleet", "all"), "h") in (None, "0")
    assert fleet.reserve(fleet.start(job_id), "m") == "m"


def test_a_reservation_that_fails_for_the_job_s_own_sake_is_a_crash(fleet):
    (job_id,) = fleet.submit("u")
    error = redis.ResponseError("WRONGTYPE Operation against a key")
    for number in range(ALLOWED):
        assert refused(fleet, job_id, error)["deliveries"] == str(number + 1)
    assert deaths(fleet, job_id, calling=False) == 0
    assert isinstance(fleet.ledger.outcome(job_id), Poisoned)
