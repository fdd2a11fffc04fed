"""Who used what, and for how much: daily sums that outlive their jobs.

The ledger's functions book them in the same step as the money itself. Redis down: reading raises
one of `connection.ERRORS`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from ..ledger.connection import Keys, Redis

EPOCH = date(1970, 1, 1)
BY = ("user", "group", "model", "provider", "day", "tag")
ABSENT = "-"
"""Stands where there is no group and no tag."""
PAGE = 1_000


@dataclass
class Sums:
    """Answered calls, their tokens and cost; beside them, calls that were possibly billed."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    micro_usd: int = 0
    maybe_calls: int = 0
    maybe_micro_usd: int = 0
    estimated_micro_usd: int = 0
    """Of `micro_usd`: by a worker's estimate, not by what the provider told."""
    hits: int = 0
    """Answers from the cache."""
    saved_micro_usd: int = 0
    """What those had cost."""
    near_hits: int = 0
    """Of `hits`: answers of near questions."""
    near_saved_micro_usd: int = 0

    def add(self, other: "Sums") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


class Usage:
    """Reads the sums."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    def today(self) -> date:
        """By the server's clock, UTC."""
        return datetime.fromtimestamp(int(self._redis.time()[0]), UTC).date()

    def days_of(self, limit: str, zone: tzinfo) -> tuple[date, date]:
        """The UTC days of the calendar period of a limit of dollars, from its beginning until
        today.
        """
        now = datetime.fromtimestamp(int(self._redis.time()[0]), zone)
        back = {"usd_per_day": 0, "usd_per_week": now.weekday(), "usd_per_month": now.day - 1}
        begin = datetime.combine(now.date() - timedelta(days=back[limit]), time.min, zone)
        return begin.astimezone(UTC).date(), now.astimezone(UTC).date()

    def by(self, what: str, since: date, until: date) -> list[tuple[str, Sums]]:
        """Sums per `what` (one of `BY`) of these days, both included.

        The dearest first, days in order. A call with several tags counts under each.
        """
        sums: dict[str, Sums] = {}
        for day, row, counted in self._rows(since, until):
            for name in _names(what, day, row):
                sums.setdefault(name, Sums()).add(counted)
        if what == "day":
            return sorted(sums.items())
        return sorted(sums.items(), key=lambda item: (-item[1].micro_usd, item[0]))

    def total(self, since: date, until: date) -> Sums:
        """Of all users together."""
        total = Sums()
        for _, _, counted in self._rows(since, until):
            total.add(counted)
        return total

    def _rows(self, since: date, until: date) -> Iterator[tuple[date, list[str], Sums]]:
        """Each day's rows: [user, group, link, tags] and their sums."""
        for number in range((since - EPOCH).days, (until - EPOCH).days + 1):
            day = EPOCH + timedelta(days=number)
            for name, value in self._redis.hscan_iter(self._keys.usage(number), count=PAGE):
                yield day, json.loads(name), Sums(*map(int, str(value).split(",")))


def _names(what: str, day: date, row: list[str]) -> list[str]:
    """The names that a row counts under."""
    user, group, link, tags = row
    provider, _, model = link.partition(":")
    if what == "tag":
        return (tags or ABSENT).split(",")
    name = {
        "user": user,
        "group": group,
        "model": model,
        "provider": provider,
        "day": day.isoformat(),
    }[what]
    return [name or ABSENT]
