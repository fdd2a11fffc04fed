"""A result that waits for its server in a process that dies is reported by another one."""

import pytest
from support.ledger import KEYS


@pytest.fixture
def ended(hand_run):
    """A fleet, and a job whose result Celery has not stored."""
    fleet = hand_run()
    (job_id,) = fleet.submit("u")
    fleet.answer(fleet.start(job_id))
    fleet.ledger.renew([], {job_id: False})
    fleet.released.clear()
    return fleet, job_id


def let_time_pass(fleet, job_id):
    fleet.redis.zadd(KEYS.unreported, {job_id: 1}, xx=True)
    fleet.sweep()


def test_its_id_is_published_again_and_again_until_it_is_stored(ended):
    fleet, job_id = ended
    fleet.sweep()
    assert fleet.released == []
    for times in (1, 2):
        let_time_pass(fleet, job_id)
        assert fleet.released == times * [job_id]
    assert not fleet.ledger.start(job_id).reported
    fleet.ledger.renew([], {job_id: True})
    let_time_pass(fleet, job_id)
    assert fleet.released == 2 * [job_id]
    assert fleet.redis.exists(KEYS.unreported) == 0


def test_an_end_is_noted_until_it_is_known_to_be_stored(hand_run):
    """A worker that dies in between has told nobody."""
    fleet = hand_run()
    (job_id,) = fleet.submit("u")
    fleet.answer(fleet.start(job_id))
    fleet.released.clear()
    let_time_pass(fleet, job_id)
    assert fleet.released == [job_id]
    fleet.ledger.renew([], {job_id: True})
    assert fleet.redis.exists(KEYS.unreported) == 0


@pytest.mark.parametrize("lost", ["the message", "its worker"])
def test_the_messenger_of_an_end_is_followed_by_another(hand_run, lost):
    """Of a job that was cancelled in line; until a worker has reported it."""
    fleet = hand_run(slots=1)
    job_id = fleet.submit("u", 5)[-1]
    fleet.ledger.cancel(job_id)
    if lost == "its worker":
        fleet.redis.delete(KEYS.unreported)
        assert not fleet.ledger.start(job_id).reported
    fleet.released.clear()
    let_time_pass(fleet, job_id)
    assert job_id in fleet.released


def test_one_that_runs_or_is_forgotten_is_not_published(ended):
    fleet, job_id = ended
    fleet.redis.delete(KEYS.job(job_id))
    let_time_pass(fleet, job_id)
    assert fleet.released == []
    (other,) = fleet.submit("u")
    fleet.start(other)
    fleet.released.clear()
    fleet.redis.zadd(KEYS.unreported, {other: 1})
    fleet.sweep()
    assert fleet.released == []
    assert fleet.redis.exists(KEYS.unreported) == 0
