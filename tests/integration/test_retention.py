"""A batch and its results are kept as long as its retention says, counted from its end."""

import pytest
from support.ledger import KEYS

from producer.contract.errors import JobError
from producer.contract.ledger.calls import BatchChange, BatchClose, BatchOpen, BatchRetry
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from worker.ledger.attempt import NOT_BILLED

HOUR_MS = 3_600_000
ITEMS = 250
"""More than a sweep goes through at once."""


@pytest.fixture
def fleet(hand_run):
    return hand_run(slots=400)


def open_batch(fleet, count=ITEMS):
    fleet.ledger._call(BatchOpen("night", "alice", "", HOUR_MS, -1))
    request = CompletionRequest.checked(messages=[{"role": "user", "content": "x"}], lane="batch")
    items = [Submission(f"night.{n}", "alice", request, {}, batch="night") for n in range(count)]
    for each in items:
        fleet._release(fleet.ledger.submit(each))
    return [each.job_id for each in items]


def end(fleet, job_id):
    job = fleet.start(job_id)
    attempt = fleet.attempt_of(job)
    attempt.billed(NOT_BILLED)
    fleet._release(fleet.ledger.settle(job, attempt, JobError("done")))


def lives(fleet, ids, *kinds):
    """Milliseconds left of every key of these jobs."""
    names = [getattr(KEYS, kind)(job_id) for kind in kinds for job_id in ids]
    return [fleet.redis.pttl(name) for name in names]


def kept(fleet, ids):
    return lives(fleet, ids, "job", "outcome", "request")


def test_early_results_of_a_long_batch_outlive_it(fleet):
    """While it lasts they are kept for longer; from its end on for its retention, all alike."""
    ids = open_batch(fleet)
    for job_id in ids[:-1]:
        end(fleet, job_id)
    fleet.sweep()
    assert min(kept(fleet, ids[:-1])) > 29 * 24 * HOUR_MS
    fleet.redis.pexpire(KEYS.outcome(ids[0]), 1000)  # as if it had been an hour ago
    end(fleet, ids[-1])
    fleet.ledger._call(BatchClose("night", len(ids)))
    for _ in range(5):
        fleet.sweep()
    left = [*kept(fleet, ids), fleet.redis.pttl(KEYS.batch("night"))]
    assert max(left) <= HOUR_MS
    assert min(left) > HOUR_MS - 60_000
    assert fleet.redis.smembers(KEYS.batches_to_keep) == set()


def test_a_batch_that_is_tried_again_counts_anew(fleet):
    ids = open_batch(fleet, 3)
    fleet.ledger._call(BatchClose("night", 3))
    for job_id in ids:
        end(fleet, job_id)
    fleet.sweep()
    assert max(kept(fleet, ids)) <= HOUR_MS
    (again,) = fleet.ledger._call(BatchRetry("night", (ids[0],))).ids
    fleet.sweep()
    assert min(lives(fleet, ids, "job", "outcome")) > 29 * 24 * HOUR_MS
    assert fleet.redis.pttl(KEYS.request(ids[0])) == -1  # the second try reads it
    end(fleet, again)
    fleet.sweep()
    assert max(kept(fleet, ids)) <= HOUR_MS
    assert max(lives(fleet, [again], "job", "outcome")) <= HOUR_MS


def test_a_cancelled_batch_is_kept_as_long(fleet):
    ids = open_batch(fleet, 3)
    end(fleet, ids[0])
    fleet.ledger._call(BatchChange("night", "cancel"))
    for _ in range(3):
        fleet.sweep()
    left = lives(fleet, ids, "job", "outcome")
    assert 0 < min(left) <= max(left) <= HOUR_MS
