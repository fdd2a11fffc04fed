"""The limits of every user and of the fleet, and the calendar that they count by, as the settings
say. They are the fleet's: the ledger keeps those of the worker that started last.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from producer.contract.used_limits import MICRO, NONE

from ..settings import QuotaSettings

PAST_DAYS = 62
"""Before now, for a month that began in the time before a change of the clocks."""
COMING_DAYS = 400


class FleetLimits(NamedTuple):
    """-1: none. Dollars in micro-dollars."""

    user_tokens_per_hour: int = -1
    user_requests_per_minute: int = -1
    user_usd_per_day: int = -1
    user_usd_per_week: int = -1
    user_usd_per_month: int = -1
    usd_per_day: int = -1
    usd_per_week: int = -1
    usd_per_month: int = -1
    zone: str = "UTC"

    @classmethod
    def of(cls, settings: QuotaSettings) -> Self:
        return cls(
            user_tokens_per_hour=_or_none(settings.tokens_per_hour),
            user_requests_per_minute=_or_none(settings.requests_per_minute),
            user_usd_per_day=in_micro_usd(settings.user_usd_per_day),
            user_usd_per_week=in_micro_usd(settings.user_usd_per_week),
            user_usd_per_month=in_micro_usd(settings.user_usd_per_month),
            usd_per_day=in_micro_usd(settings.usd_per_day),
            usd_per_week=in_micro_usd(settings.usd_per_week),
            usd_per_month=in_micro_usd(settings.usd_per_month),
            zone=settings.zone,
        )

    def arguments(self, today: date) -> dict[str, Any]:
        """Of a heartbeat. `today`: about which the changes of the zone's clocks are told."""
        return {**self._asdict(), "offsets": offsets(self.zone, today)}


NO_LIMITS = FleetLimits()


@lru_cache(maxsize=8)
def offsets(zone: str, day: date) -> str:
    """How far a zone's clocks are ahead of UTC around a day: "from:ahead;...", in milliseconds."""
    clock = ZoneInfo(zone)
    first = datetime.combine(day, time.min, UTC) - timedelta(days=PAST_DAYS)
    found = [(first, _ahead(clock, first))]
    for number in range(1, PAST_DAYS + COMING_DAYS):
        begin, end = (first + timedelta(days=number - back) for back in (1, 0))
        if _ahead(clock, end) != found[-1][1]:
            found.append((_change(clock, begin, end), _ahead(clock, end)))
    return ";".join(f"{int(at.timestamp()) * 1000}:{ahead}" for at, ahead in found)


def _ahead(clock: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(clock).utcoffset() or timedelta()
    return round(offset.total_seconds() * 1000)


def _change(clock: ZoneInfo, begin: datetime, end: datetime) -> datetime:
    """The first second of the new offset, between two instants."""
    new = _ahead(clock, end)
    while end - begin > timedelta(seconds=1):
        middle = begin + timedelta(seconds=(end - begin) // timedelta(seconds=2))
        begin, end = (begin, middle) if _ahead(clock, middle) == new else (middle, end)
    return end


def in_micro_usd(dollars: float | None) -> int:
    """A limit of dollars in micro-dollars; -1 = none."""
    return NONE if dollars is None else round(dollars * MICRO)


def _or_none(limit: int | None) -> int:
    return NONE if limit is None else limit
