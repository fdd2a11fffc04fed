"""Limits under random users, groups, windows, zones, changes, cancels, crashes and clocks: never
over, never refused without a limit in force, in line by order, and at the end nobody waits.

At every call the ledger is compared with books in Python; `retry_after_s` is tried out at the end.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.limit_storm import Storm
from support.moved_clock import with_moved_clock

from worker.budgets.overrides import FLEET, Subject
from worker.settings import QuotaSettings

NO_LIMITS = QuotaSettings(max_cost_per_request=None, tokens_per_hour=None)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Pacific/Kiritimati"])
USERS = st.sampled_from(["alice", "bob", "carol"])
TEAM = Subject("group", "team")
NAMED = st.one_of(
    st.tuples(
        st.builds(Subject, st.just("user"), USERS),
        st.sampled_from(
            [
                "tokens_per_hour",
                "requests_per_minute",
                "usd_per_day",
                "usd_per_week",
                "usd_per_month",
            ]
        ),
    ),
    st.tuples(
        st.just(TEAM), st.sampled_from(["tokens_per_hour", "requests_per_minute", "usd_per_week"])
    ),
    st.tuples(st.just(FLEET), st.sampled_from(["usd_per_day", "usd_per_week", "usd_per_month"])),
)
WHICH = st.integers(0, 9)
STEPS = {
    "ask": st.tuples(
        USERS,
        st.integers(1, 60),
        st.integers(0, 60),
        st.sampled_from(["interactive", "interactive", "batch"]),
        st.sampled_from(["fail", "wait"]),
    ),
    # Billed with so many hundredths of its hold, and whether it is tried again.
    "end": st.tuples(
        WHICH,
        st.sampled_from(["real", "real", "maybe", "none", "free"]),
        st.integers(0, 100),
        st.booleans(),
    ),
    "change": st.tuples(NAMED, st.one_of(st.none(), st.integers(0, 100))),
    "reset": st.tuples(st.one_of(st.builds(Subject, st.just("user"), USERS), st.just(TEAM))),
    "join": st.tuples(USERS, st.just("team")),
    "cancel": st.tuples(WHICH),
    "crash": st.tuples(WHICH),
    "move": st.tuples(st.sampled_from([1, 3, 6, 40, 70, 1_900, 50_000, 300_000])),
    "to_the_end_of": st.tuples(st.sampled_from(["usd_per_day", "usd_per_week", "usd_per_month"])),
}
OFTEN = ["ask"] * 9 + ["end"] * 4 + ["change", "move"]
STEP = st.sampled_from([*OFTEN, *STEPS]).flatmap(lambda name: st.tuples(st.just(name), STEPS[name]))
LIMITS = st.lists(st.tuples(NAMED, st.integers(20, 100)), min_size=1, max_size=5)
MEMBERS = st.sets(USERS)
LAST = st.one_of(st.none(), st.tuples(USERS, st.integers(1, 60), st.integers(0, 60)))
"""None: all end, and whoever waits is called."""
QUICK = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@pytest.fixture
def storm(hand_run, monkeypatch):
    with_moved_clock(monkeypatch)
    return lambda zone: Storm(
        hand_run(slots=10_000, quota=NO_LIMITS.model_copy(update={"zone": zone})), zone
    )


def steps(most):
    return st.lists(STEP, min_size=10, max_size=most)


def check(found, limits, members, steps, last):
    for user in sorted(members):
        found.join(user, "team")
    for (subject, name), most in limits:
        found.change((subject, name), most)
    for name, arguments in steps:
        getattr(found, name)(*arguments)
    if last:
        found.check_instants(*last)
    else:
        found.finish()


@settings(max_examples=40, **QUICK)
@given(zone=ZONES, limits=LIMITS, members=MEMBERS, steps=steps(30), last=LAST)
def test_limits_hold_in_a_storm(storm, zone, limits, members, steps, last):
    check(storm(zone), limits, members, steps, last)


@pytest.mark.faults
@pytest.mark.timeout(600)
@settings(max_examples=500, **QUICK)
@given(zone=ZONES, limits=LIMITS, members=MEMBERS, steps=steps(60), last=LAST)
def test_so_they_do_in_very_many(storm, zone, limits, members, steps, last):
    check(storm(zone), limits, members, steps, last)


def test_a_limit_that_is_changed_counts_its_own_period_only(storm):
    """The day in Berlin begins within yesterday's UTC day, whose sums are of another day there."""
    found = storm("Europe/Berlin")
    dollars = (Subject("user", "alice"), "usd_per_day")
    found.change(dollars, 50)
    found.to_the_end_of("usd_per_day")
    found.move(43_200)
    found.ask("alice", 1, 40)
    found.end(0, "real", 100)
    found.to_the_end_of("usd_per_day")
    found.move(3)
    found.ask("alice", 1, 20)
    found.end(0, "real", 100)
    found.change(dollars, 60)
    found.ask("alice", 1, 30)
    assert found.running()
