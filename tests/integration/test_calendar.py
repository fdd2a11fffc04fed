"""The ledger's days, weeks and months are those of the zone's calendar, whatever its clocks do.

Python's `zoneinfo` is what they are compared with.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import hostile
from support.ledger import KEYS
from support.moved_clock import set_clock, with_moved_clock
from support.zone_calendar import period

from producer.contract.ledger.calls import LimitsLeft
from worker.ledger.connection import connect, ledger_functions
from worker.ledger.fleet_functions import SetLimits, UsedDollars
from worker.ledger.fleet_limits import FleetLimits

PERIODS = ("usd_per_day", "usd_per_week", "usd_per_month")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Havana",
)
"""Some put their clocks forward at midnight (Santiago, Cairo, Beirut, Havana), one by half an hour
(Lord Howe).
"""
BEGIN = datetime(2027, 1, 1, tzinfo=UTC)
CHANGES = [
    ("America/Santiago", datetime(2027, 9, 5, 3, 30, tzinfo=UTC)),
    ("Asia/Beirut", datetime(2027, 3, 27, 21, 59, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2027, 3, 28, 0, 59, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2028, 2, 29, 12, 0, tzinfo=UTC)),
]


@pytest.fixture
def at(redis_url, monkeypatch):
    """`at(zone, instant)`: how long each budget of dollars of a user still counts, in seconds."""
    with_moved_clock(monkeypatch)
    redis = connect(redis_url)
    call = ledger_functions(redis, KEYS)

    def resets_in_s(zone, instant):
        redis.flushdb()
        now, _ = redis.time()
        moved_s = int(instant.timestamp()) - now
        set_clock(redis, moved_s)
        limits = FleetLimits(zone=zone).arguments(instant.date())
        call(hostile.heartbeat(**limits, life_ms=10**11))
        used = tuple(UsedDollars(name, 5, 0) for name in PERIODS)
        call(SetLimits("user", "u", "", "", "", "", "9", "9", "9", "", used))
        found = {row[0]: row[5] / 1000 for row in call(LimitsLeft("user", "u")).limits}
        return {name: found[name] for name in PERIODS}

    yield resets_in_s
    redis.close()


def ends(zone: str, instant: datetime) -> dict[str, float]:
    at_s = instant.timestamp()
    return {name: period(name, zone, at_s)[1] - at_s for name in PERIODS}


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(zone=st.sampled_from(ZONES), after_s=st.integers(0, 3 * 365 * 86_400))
def test_periods_end_when_the_zones_calendar_says(at, zone, after_s):
    instant = BEGIN + timedelta(seconds=after_s)
    assert at(zone, instant) == pytest.approx(ends(zone, instant), abs=3)


@pytest.mark.parametrize(("zone", "instant"), CHANGES)
def test_also_when_clocks_change_and_in_leap_years(at, zone, instant):
    assert at(zone, instant) == pytest.approx(ends(zone, instant), abs=3)
