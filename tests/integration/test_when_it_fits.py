"""Random limits of a user, a group and the fleet under a moved clock: a call is refused only by a
limit in force, all that are in the way are named, and `retry_after_s` is the first instant at which
all of them let it in.
"""

import math
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.moved_clock import set_clock, with_moved_clock

from producer.contract.errors import BudgetExceeded, JobError, RateLimited
from worker.budgets.overrides import FLEET, Subject
from worker.faults import Deferred
from worker.ledger.attempt import NOT_SENT, Attempt, Bill, Candidate
from worker.settings import Link, QuotaSettings

USER, GROUP = Subject("user", "alice"), Subject("group", "team")
LINK = Link(provider="p", model="a", adapter="simulator")
NO_LIMITS = QuotaSettings(max_cost_per_request=None, tokens_per_hour=None)
MICRO = 1_000_000


@pytest.fixture
def moved(hand_run, monkeypatch):
    with_moved_clock(monkeypatch)
    return lambda zone="UTC": hand_run(
        slots=10_000, quota=NO_LIMITS.model_copy(update={"zone": zone})
    )


def moved_on(fleet, by_s):
    set_clock(fleet.redis, by_s)
    fleet.ledger.heartbeat("test", 10_000, 10_000_000)


def asked(fleet, tokens, micro):
    """The job and its attempt; raises what the limits say."""
    job = fleet.start(fleet.submit(USER.name)[0])
    attempt = Attempt()
    fleet.quota.take_hold(job, attempt, [Candidate(LINK, 1, micro, tokens)])
    return job, attempt


def call(fleet, tokens, micro, kind):
    """One call, if the limits let it in; a real bill is half of what was held."""
    with suppress(RateLimited, BudgetExceeded):
        job, attempt = asked(fleet, tokens, micro)
        attempt.billed(Bill(kind))
        if kind == "real":
            attempt.billed(Bill(kind, micro // 2, tokens // 2))
        fleet.ledger.settle(job, attempt, JobError("done"))


def refusal_of(fleet, tokens, micro):
    """None if it is let in; the hold is given back."""
    try:
        job, attempt = asked(fleet, tokens, micro)
    except (RateLimited, BudgetExceeded) as error:
        return error
    attempt.billed(NOT_SENT)
    fleet.ledger.settle(job, attempt, JobError("done"))
    return None


def some(most):
    return st.one_of(st.none(), st.integers(most // 3, most))


LIMITS = st.fixed_dictionaries(
    {
        (USER, "tokens_per_hour"): some(100),
        (USER, "requests_per_minute"): some(4),
        (USER, "usd_per_day"): some(100),
        (USER, "usd_per_week"): some(120),
        (USER, "usd_per_month"): some(140),
        (GROUP, "tokens_per_hour"): some(150),
        (GROUP, "requests_per_minute"): some(6),
        (GROUP, "usd_per_day"): some(150),
        (FLEET, "usd_per_day"): some(200),
        (FLEET, "usd_per_month"): some(240),
    }
)
BILLS = st.sampled_from(["none", "free", "maybe", "real"])
PAUSES_S = st.sampled_from([0, 1, 5, 30, 600, 2_000, 40_000, 300_000])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Pacific/Auckland"])
CALLS = st.lists(
    st.tuples(PAUSES_S, st.integers(1, 40), st.integers(0, 40), BILLS), min_size=2, max_size=8
)
"""Seconds before it, tokens and micro-dollars that are held, how it is billed."""
WANTED = st.tuples(st.integers(1, 40), st.integers(0, 40))
QUICK = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


def check_refusals(fleet, limits, calls, wanted):
    fleet.limits.change(USER, group="team")
    for (subject, name), most in limits.items():
        if most is not None:
            limit = most / MICRO if name.startswith("usd") else most
            fleet.limits.change(subject, **{name: limit})
    for pause_s, tokens, micro, kind in calls:
        moved_on(fleet, pause_s)
        call(fleet, tokens, micro, kind)
    error = refusal_of(fleet, *wanted)
    if error is None:
        return
    named = error.details["limits"]
    in_force = {
        name if subject is FLEET else f"{subject.kind}_{name}"
        for (subject, name), most in limits.items()
        if most is not None
    }
    assert {each["limit"] for each in named} <= in_force
    for each in named:
        assert each["used"] + each["held"] <= each["allowed"] + 1e-9
        assert each["used"] + each["held"] + each["asked"] > each["allowed"] - 1e-9
    if error.retry_after_s is None:
        assert any(each["asked"] > each["allowed"] for each in named)
        return
    check_instant(fleet, error.retry_after_s, wanted)


def check_instant(fleet, retry_after_s, wanted):
    """A second before it is refused still, and then let in."""
    before_s = math.floor(retry_after_s - 1)
    if before_s > 0:
        moved_on(fleet, before_s)
        assert refusal_of(fleet, *wanted) is not None
    moved_on(fleet, math.ceil(retry_after_s) - max(before_s, 0))
    assert refusal_of(fleet, *wanted) is None


@settings(max_examples=40, **QUICK)
@given(zone=ZONES, limits=LIMITS, calls=CALLS, wanted=WANTED)
def test_a_refusal_says_when_all_limits_let_it_in(moved, zone, limits, calls, wanted):
    check_refusals(moved(zone), limits, calls, wanted)


@pytest.mark.faults
@settings(max_examples=500, **QUICK)
@given(zone=ZONES, limits=LIMITS, calls=CALLS, wanted=WANTED)
def test_so_do_very_many(moved, zone, limits, calls, wanted):
    check_refusals(moved(zone), limits, calls, wanted)


def test_every_call_that_left_is_a_request(moved):
    fleet = moved()
    fleet.limits.change(USER, requests_per_minute=3)
    for kind in ("none", "free", "maybe", "real"):
        call(fleet, 1, 1, kind)
    error = refusal_of(fleet, 1, 1)
    assert error.details["used"] == 3


def test_a_refusal_says_what_is_used_and_until_when(moved):
    """Of it what calls without a bill may have cost; the day is free again at midnight."""
    fleet = moved()
    fleet.limits.change(USER, usd_per_day=0.0001, tokens_per_hour=100)
    call(fleet, 60, 40, "real")
    call(fleet, 50, 30, "maybe")
    error = refusal_of(fleet, 60, 60)
    by_limit = {each["limit"]: each for each in error.details["limits"]}
    dollars, tokens = by_limit["user_usd_per_day"], by_limit["user_tokens_per_hour"]
    assert (dollars["used"], dollars["maybe_billed"]) == (0.00005, 0.00003)
    assert (tokens["used"], tokens["maybe_billed"]) == (80, 50)
    now, _ = fleet.redis.time()
    assert dollars["resets_in_s"] == pytest.approx(86_400 - now % 86_400, abs=2)
    assert tokens["resets_in_s"] == pytest.approx(3_660 - now % 60, abs=2)
    assert refusal_of(fleet, 200, 1).details["resets_in_s"] == pytest.approx(
        tokens["resets_in_s"], abs=2
    )


def test_a_job_s_own_calls_do_not_end_it(moved):
    """It waits for its requests per minute; others of the user are refused."""
    fleet = moved()
    fleet.limits.change(USER, requests_per_minute=1)
    (job_id,) = fleet.submit(USER.name)
    job = fleet.start(job_id)
    assert fleet.reserve(job, "a") == "a"
    fleet.fail(job)
    fleet.sweep()
    again = fleet.start(job_id)
    waits = fleet.reserve(again, "a")
    assert isinstance(waits, Deferred)
    assert "user_requests_per_minute" in str(waits)
    with pytest.raises(RateLimited, match="user_requests_per_minute"):
        asked(fleet, 1, 1)


def test_a_limit_of_zero_blocks_and_says_so(moved):
    fleet = moved()
    for name, error in (("tokens_per_hour", RateLimited), ("usd_per_day", BudgetExceeded)):
        fleet.limits.change(USER, **{name: 0})
        with pytest.raises(error, match="blocked: the limit is 0") as caught:
            asked(fleet, 1, 1)
        assert "shorten" not in str(caught.value)
        fleet.limits.reset(USER)
