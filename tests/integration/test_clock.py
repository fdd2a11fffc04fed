"""The clock of the ledger's server is set by a day, forward or back, while jobs run, wait and are
parked: none is ended, lost or started a second time, and what was fetched back is no day late.
"""

import pytest
from support import moved_clock
from support.ledger import KEYS
from support.moved_clock import SET_BY, with_moved_clock

from worker.budgets.overrides import Subject
from worker.faults import Deferred, Fault
from worker.ledger.calls import Ended
from worker.ledger.running_job import RunningJob
from worker.settings import Pace

DAY_S = 86_400
LEASE_S, QUIET_S = 10, 3.5
DIRECTIONS = pytest.mark.parametrize("by_s", [DAY_S, -DAY_S])


@pytest.fixture
def fleet(hand_run, monkeypatch):
    with_moved_clock(monkeypatch)
    fleet = hand_run(slots=20)
    fleet.ledger._quiet_ms = fleet.quiet_ms
    fleet.redis.set(SET_BY, 0)
    return fleet


def beat(fleet, worker="test"):
    fleet.ledger.heartbeat(worker, 20, 3600)


def set_clock(fleet, by_s):
    moved_clock.set_clock(fleet.redis, by_s)


def let_pass(fleet, seconds, running=()):
    """With what workers do in that time."""
    for _ in range(int(seconds)):
        set_clock(fleet, 1)
        fleet.ledger._began -= 1
        beat(fleet)
        if running:
            fleet.ledger.renew([(job.id, job.fence) for job in running], {})
        fleet.sweep()


def state(fleet, job_id):
    return fleet.redis.hget(KEYS.job(job_id), "state")


@DIRECTIONS
def test_a_running_job_goes_on_and_is_answered_once(fleet, by_s):
    jobs = [fleet.start(each) for each in fleet.submit("alice", 5)]
    for job in jobs:
        assert fleet.reserve(job, "a") == "a"
    set_clock(fleet, by_s)
    beat(fleet)
    fleet.sweep()
    let_pass(fleet, QUIET_S + 2 * LEASE_S, running=jobs)
    for job in jobs:
        assert state(fleet, job.id) == "running"
        fleet.answer(job)
        assert isinstance(fleet.ledger.start(job.id), Ended)
        assert fleet.redis.hget(KEYS.job(job.id), "unknown") is None


@DIRECTIONS
def test_a_sweep_before_any_heartbeat_does_nothing(fleet, by_s):
    """The clock is set between a worker's heartbeat and its sweep."""
    (job_id,) = fleet.submit("alice")
    job = fleet.start(job_id)
    fleet.reserve(job, "a")
    set_clock(fleet, by_s)
    fleet.sweep()
    assert state(fleet, job_id) == "running"


@DIRECTIONS
def test_a_worker_that_died_is_noticed_as_soon_as_ever(fleet, by_s):
    """Its lease lapses in seconds, not in a day."""
    (job_id,) = fleet.submit("alice")
    fleet.reserve(fleet.start(job_id), "a")
    set_clock(fleet, by_s)
    beat(fleet)
    let_pass(fleet, QUIET_S + LEASE_S + 1)
    assert state(fleet, job_id) == "released"
    assert isinstance(fleet.ledger.start(job_id), RunningJob)


@DIRECTIONS
def test_a_parked_retry_is_no_day_late_and_has_its_time(fleet, by_s):
    (job_id,) = fleet.submit("alice")
    job = fleet.start(job_id)
    fleet.reserve(job, "a")
    fleet.fail(job, Fault.BAD_RESPONSE, after_s=5)
    set_clock(fleet, by_s)
    beat(fleet)
    let_pass(fleet, QUIET_S + 7)
    again = fleet.ledger.start(job_id)
    assert isinstance(again, RunningJob)
    assert 250 < again.remaining_s(300) <= 300


@DIRECTIONS
def test_several_workers_notice_it_once(fleet, by_s):
    for worker in ("w1", "w2", "w3"):
        beat(fleet, worker)
    (job_id,) = fleet.submit("alice")
    job = fleet.start(job_id)
    fleet.reserve(job, "a")
    fleet.fail(job, Fault.BAD_RESPONSE, after_s=100)
    began = int(fleet.redis.hget(KEYS.job(job_id), "began"))
    set_clock(fleet, by_s)
    for worker in ("w1", "w2", "w3", "test"):
        beat(fleet, worker)
    moved = int(fleet.redis.hget(KEYS.job(job_id), "began")) - began
    assert abs(moved - by_s * 1000) < 5000


def test_a_limit_of_an_hour_is_not_used_up_for_a_day(fleet):
    """What was used before the clock was set back counts from then."""
    fleet.limits.change(Subject("user", "alice"), tokens_per_hour=150)
    job = fleet.start(fleet.submit("alice")[0])
    fleet.reserve(job, "a")
    fleet.answer(job)
    set_clock(fleet, -DAY_S)
    beat(fleet)
    let_pass(fleet, QUIET_S + 1)
    blocked = fleet.start(fleet.submit("alice", over_limit="wait")[0])
    waits = fleet.reserve(blocked, "a")
    assert isinstance(waits, Deferred)
    assert 0 < waits.after_s <= 3700


def test_a_link_s_pace_is_not_blocked_for_a_day(fleet):
    fleet.ledger._pace = fleet.ledger._pace.model_copy(update={"limits": {"p:a": Pace(600)}})
    jobs = [fleet.start(each) for each in fleet.submit("alice", 4)]
    assert fleet.reserve(jobs[0], "a") == "a"
    fleet.fail(jobs[0], Fault.RATE_LIMITED)
    set_clock(fleet, -DAY_S)
    beat(fleet)
    let_pass(fleet, 10, running=jobs[1:])
    result = fleet.reserve(jobs[1], "a")
    assert result == "a" or result.after_s < 2


def test_a_new_process_of_a_worker_s_name_is_no_set_clock(fleet):
    """It began later, and so does its count."""
    (job_id,) = fleet.submit("alice")
    job = fleet.start(job_id)
    let_pass(fleet, 9, running=[job])
    fleet.ledger._began += 9
    beat(fleet)
    assert fleet.redis.hget(KEYS.config, "clock_set") is None
    assert isinstance(fleet.ledger.start(fleet.submit("alice")[0]), RunningJob)


def test_after_a_start_of_the_server_only_what_is_older_waits(fleet):
    """What it may have forgotten concerns no later job: those are swept, woken and begin."""
    (old,) = fleet.submit("alice")
    fleet.start(old)
    set_clock(fleet, 1)
    fleet.redis.hset(KEYS.config, "clock_set", fleet.redis.hget(KEYS.job(old), "at"))
    fleet.redis.hincrby(KEYS.config, "clock_set", 500)
    (young,) = fleet.submit("bob")
    fleet.start(young)
    for job_id in (old, young):
        fleet.redis.zadd(KEYS.open, {job_id: 1})
    fleet.sweep()
    assert (state(fleet, old), state(fleet, young)) == ("running", "released")
    assert isinstance(fleet.ledger.start(young), RunningJob)
