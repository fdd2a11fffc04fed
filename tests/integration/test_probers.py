"""Who probes a link, and what becomes of a probe whose worker freezes or dies."""

import pytest
from support.circuits import LINK, elapse, fail_all, is_open, opened, running
from support.ledger import KEYS

from worker.faults import Outage


def frozen(hand_run):
    """A fleet whose lone link is half-open; its prober's worker no longer renews the lease."""
    fleet = opened(hand_run)
    elapse(fleet, 6)
    (probe,) = running(fleet, "w")
    other = fleet.start(fleet.submit("x")[0])
    assert isinstance(fleet.reserve(other, "a"), Outage)  # as long as it may be answered
    fleet.redis.zadd(KEYS.open, {probe.id: 1})
    fleet.released.clear()
    fleet.sweep()
    return fleet, probe


def prober(fleet):
    return fleet.redis.hget(KEYS.pace(LINK), "probe")


def test_the_probe_of_a_frozen_worker_lapses_with_its_lease(hand_run):
    fleet, probe = frozen(hand_run)
    assert probe.id in fleet.released
    another = fleet.start(fleet.submit("y")[0])
    assert fleet.reserve(another, "a") == "a"
    fleet.answer(another)
    assert not is_open(fleet)


def test_a_job_that_went_on_elsewhere_probes_no_longer(hand_run):
    """It is running again, but calls another link."""
    fleet, probe = frozen(hand_run)
    again = fleet.start(probe.id)
    assert fleet.reserve(again, "b") == "b"
    another = fleet.start(fleet.submit("y")[0])
    assert fleet.reserve(another, "a") == "a"
    assert prober(fleet) == another.id


@pytest.mark.parametrize(
    ("tokens", "late_s", "goes"), [(110, 0, True), (300, 0, False), (300, 4, True)]
)
def test_a_short_job_goes_first_and_after_three_seconds_any(hand_run, tokens, late_s, goes):
    """A little more than the mean is short: jobs that are all alike differ by a few tokens."""
    fleet = hand_run(slots=20)
    for job in running(fleet, *"uvuv"):
        fleet.answer(job)
    fail_all(fleet, running(fleet, *"uvuvu"))
    elapse(fleet, 6 + late_s)
    job = fleet.start(fleet.submit("w")[0])
    assert (fleet.reserve(job, "a", tokens=tokens) == "a") == goes


@pytest.mark.parametrize("says", ["fails", "answers"])
def test_what_a_frozen_worker_says_late_is_not_said_by_its_job_s_new_start(hand_run, says):
    """The same job probes again: only that call says what the link does."""
    fleet, probe = frozen(hand_run)
    again = fleet.start(probe.id)
    assert fleet.reserve(again, "a") == "a"
    fleet.fail(probe, says=says)
    assert is_open(fleet)
    assert prober(fleet) == again.id
    fleet.answer(again)
    assert not is_open(fleet)
