"""A limit that is raised or removed frees the jobs that wait behind it at once, in their order."""

import pytest
from support.ledger import KEYS

from producer.contract.used_limits import NONE
from worker.budgets.overrides import FLEET, Subject
from worker.faults import Deferred
from worker.ledger.fleet_limits import FleetLimits
from worker.settings import QuotaSettings

ALICE, BOB, TEAM = Subject("user", "alice"), Subject("user", "bob"), Subject("group", "team")
TIGHT = {"tokens_per_hour": 150, "requests_per_minute": 1, "usd_per_day": 0.000015}


def used_up(fleet, user="alice"):
    """One job of 100 tokens and 10 micro-dollars has been answered."""
    job = fleet.start(fleet.submit(user)[0])
    assert fleet.reserve(job, "a") == "a"
    fleet.answer(job)


def parked(fleet, user="alice", count=3):
    """Jobs that wait until a limit has room, in their order."""
    jobs = [fleet.start(each) for each in fleet.submit(user, count, over_limit="wait")]
    for job in jobs:
        result = fleet.reserve(job, "a")
        assert isinstance(result, Deferred)
        assert result.wakes_on.startswith("limit:")
        assert result.after_s > 0.5
    return [job.id for job in jobs]


def released(fleet):
    """What the next sweep hands out, in its order."""
    start = len(fleet.released)
    fleet.sweep()
    return fleet.released[start:]


def state(fleet, job_id):
    return fleet.redis.hget(KEYS.job(job_id), "state")


def raised(fleet, subject, limit):
    fleet.limits.change(subject, **{limit: 10_000})


def removed(fleet, subject, limit):
    fleet.limits.change(subject, **{limit: NONE})


def reset(fleet, subject, _):
    fleet.limits.reset(subject)


@pytest.mark.parametrize("change", [raised, removed, reset])
@pytest.mark.parametrize(
    ("subject", "limit"),
    [
        *[(ALICE, limit) for limit in TIGHT],
        *[(TEAM, limit) for limit in TIGHT],
        (FLEET, "usd_per_day"),
    ],
)
def test_what_waits_is_in_line_at_once_in_its_order(hand_run, subject, limit, change):
    fleet = hand_run(slots=20)
    if subject is TEAM:
        fleet.limits.change(ALICE, group="team")
    fleet.limits.change(subject, **{limit: TIGHT[limit]})
    used_up(fleet)
    waiting = parked(fleet)
    assert released(fleet) == []
    change(fleet, subject, limit)
    later = fleet.submit("alice", 1)
    assert later[0] not in waiting
    (*first, last) = sorted([*waiting, *later], key=[*fleet.released, *released(fleet)].index)
    assert (first, [last]) == (waiting, later)
    for job_id in waiting:
        assert fleet.reserve(fleet.start(job_id), "a") == "a"


def test_they_are_before_what_came_later_and_did_not_start_yet(hand_run):
    """One at a time: what waited behind the limit is older than what is in line."""
    fleet = hand_run(slots=20)
    fleet.limits.change(ALICE, in_flight=3, tokens_per_hour=150)
    used_up(fleet)
    waiting = parked(fleet)
    running = [fleet.start(each) for each in fleet.submit("alice", 3)]
    later = fleet.submit("alice", 3)
    fleet.limits.change(ALICE, tokens_per_hour=NONE)
    start = len(fleet.released)
    for job in running:
        fleet.reserve(job, "a")
        fleet.answer(job)
    assert fleet.released[start:] == waiting
    assert [state(fleet, each) for each in later] == ["waiting"] * 3


def test_a_limit_that_still_stands_parks_them_again(hand_run):
    fleet = hand_run(slots=20)
    fleet.limits.change(ALICE, tokens_per_hour=150)
    used_up(fleet)
    waiting = parked(fleet)
    fleet.limits.change(ALICE, tokens_per_hour=350)
    assert released(fleet) == waiting
    results = [fleet.reserve(fleet.start(each), "a") for each in waiting]
    assert results[:2] == ["a", "a"]
    assert "user_tokens_per_hour" in str(results[2])
    fleet.limits.change(BOB, tokens_per_hour=NONE)
    assert released(fleet) == []


@pytest.mark.parametrize("settings", [QuotaSettings(tokens_per_hour=10_000), QuotaSettings()])
def test_settings_that_allow_more_free_them_at_once(hand_run, settings):
    """The ledger hears of them with the heartbeat of the worker that started last."""
    fleet = hand_run(slots=20, quota=QuotaSettings(tokens_per_hour=150))
    used_up(fleet)
    waiting = parked(fleet)
    fleet.ledger._limits = FleetLimits.of(settings)
    fleet.ledger.heartbeat("test", 20, 3600)
    assert released(fleet) == waiting
    for each in waiting:
        assert fleet.reserve(fleet.start(each), "a") == "a"


def test_jobs_behind_held_amounts_are_freed_too(hand_run):
    fleet = hand_run(slots=20)
    fleet.limits.change(ALICE, tokens_per_hour=150)
    running, blocked = (fleet.start(each) for each in fleet.submit("alice", 2))
    assert fleet.reserve(running, "a") == "a"
    assert fleet.reserve(blocked, "a").wakes_on.startswith("budget:")
    fleet.limits.change(ALICE, tokens_per_hour=200)
    assert released(fleet) == [blocked.id]


def test_a_raised_cap_of_a_user_is_noticed_at_once(hand_run):
    """Nothing of theirs has to end first."""
    fleet = hand_run(slots=20)
    fleet.limits.change(ALICE, in_flight=1)
    jobs = fleet.submit("alice", 4)
    assert fleet.released == jobs[:1]
    fleet.limits.change(ALICE, in_flight=NONE)
    assert released(fleet) == jobs[1:]


def test_so_is_that_of_the_settings(hand_run):
    fleet = hand_run(slots=20, user_in_flight=1)
    jobs = fleet.submit("alice", 4)
    assert fleet.released == jobs[:1]
    fleet.ledger._lanes = fleet.ledger._lanes.model_copy(update={"user_in_flight": None})
    fleet.ledger.heartbeat("test", 20, 3600)
    assert released(fleet) == jobs[1:]


@pytest.mark.parametrize("cap", [NONE, 8])
def test_a_raised_cap_of_a_group_calls_all_its_members(hand_run, cap):
    """In one step: not one of them a second."""
    fleet = hand_run(slots=50)
    users = [f"u{n}" for n in range(7)]
    for user in users:
        fleet.limits.change(Subject("user", user), group="team")
    fleet.limits.change(TEAM, in_flight=1)
    for user in users:
        fleet.submit(user)
    assert len(fleet.released) == 1
    fleet.limits.change(TEAM, in_flight=cap)
    assert len(released(fleet)) == 6


@pytest.mark.parametrize("other", ["free", None])
def test_who_leaves_a_full_group_is_served_at_once(hand_run, other):
    fleet = hand_run(slots=20)
    for subject in (ALICE, BOB):
        fleet.limits.change(subject, group="team")
    fleet.limits.change(TEAM, in_flight=1)
    fleet.submit("bob")
    (job_id,) = fleet.submit("alice")
    assert job_id not in fleet.released
    if other:
        fleet.limits.change(ALICE, group=other)
    else:
        fleet.limits.reset(ALICE)
    assert released(fleet) == [job_id]
    assert not fleet.redis.zscore(f"{KEYS.root}bench:team", "alice")
