"""Days, weeks and months of a time zone as Python's `zoneinfo` has them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def first_instant(day: date, zone: str) -> datetime:
    """Of a local day: clocks put forward at midnight begin it later."""
    clock = ZoneInfo(zone)
    local = datetime.combine(day, time.min, clock)
    instant = local.astimezone(UTC)
    while instant.astimezone(clock).date() < day:
        instant += timedelta(minutes=30)
    return instant


def first_days(limit: str, day: date) -> tuple[date, date]:
    """Of the period of a limit of dollars in which a local day is, and of the next one."""
    if limit == "usd_per_day":
        return day, day + timedelta(days=1)
    if limit == "usd_per_week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def period(limit: str, zone: str, at_s: float) -> tuple[float, float]:
    """When it began and when the next one does, in seconds of the epoch."""
    day = datetime.fromtimestamp(at_s, ZoneInfo(zone)).date()
    begin, end = (first_instant(each, zone).timestamp() for each in first_days(limit, day))
    return begin, end
