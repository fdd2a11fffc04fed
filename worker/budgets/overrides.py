"""Limits of single users, groups and the fleet, set at run time.

They hold from the next release or reservation on; the ledger's functions apply them. Limits that
are not set here are as the settings say. Redis down: every method raises.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from producer.contract.ledger.calls import LimitsLeft
from producer.contract.used_limits import MICRO, NONE, UsedLimit, used_limits

from ..ledger.connection import Keys, Redis, ledger_functions
from ..ledger.fleet_functions import ResetLimits, SetLimits, UsedDollars
from .usage import Sums, Usage

DOLLARS = ("usd_per_day", "usd_per_week", "usd_per_month")
_BUDGETS = ("tokens_per_hour", "requests_per_minute", *DOLLARS)
KNOWN = {
    "user": ("weight", "in_flight", *_BUDGETS, "group"),
    "group": ("in_flight", *_BUDGETS),
    "fleet": DOLLARS,
}
"""What may be set, of whom.

`weight` 2 is served twice as often as 1; `in_flight`: released and running jobs at once; a member
of a `group` draws on its budgets, too, with every job submitted from then on.
"""

ALL = KNOWN["user"]

LEAST = {"weight": 0.01, "in_flight": 1} | dict.fromkeys(_BUDGETS, 0)
"""0 of a budget: nothing may be used."""


class Subject(NamedTuple):
    """Who is limited; the fleet's name is "all"."""

    kind: Literal["user", "group", "fleet"]
    name: str

    def __str__(self) -> str:
        return "the fleet" if self.kind == "fleet" else f"{self.kind} {self.name}"


FLEET = Subject("fleet", "all")


@dataclass(frozen=True)
class CurrentLimits:
    """What holds for one subject now."""

    subject: Subject
    own: dict[str, str | float]
    """Only what was set here; dollars as dollars, `NONE` = no limit."""
    in_flight: int
    waiting: dict[str, int]
    """Jobs of a user that wait, by lane; empty for others."""
    used: list[UsedLimit]
    """Of limits that there are or of which something is used."""


class Overrides:
    """The limits set at run time, as `completions limits` shows and changes them."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._call = ledger_functions(redis, keys)
        self._usage = Usage(redis, keys)

    def current(self, subject: Subject) -> CurrentLimits:
        """What was set for the subject, and what it has in flight and waiting."""
        stored = self._redis.hgetall(self._keys.limits(subject.kind, subject.name))
        own = {
            field: _loaded(field, str(stored[field]))
            for field in KNOWN[subject.kind]
            if field in stored
        }
        used = used_limits(subject.kind, self._call(LimitsLeft(*subject)).limits)
        return CurrentLimits(
            subject,
            own,
            self._in_flight(subject),
            self._waiting(subject),
            used,
        )

    def change(self, subject: Subject, **limits: str | float) -> None:
        """Set these and leave the others.

        Raises `ValueError` for one that the subject cannot have and for what is no number.
        """
        known = KNOWN[subject.kind]
        unknown = [field for field in limits if field not in known]
        if unknown:
            raise ValueError(f"{subject} cannot have {', '.join(unknown)}; only {', '.join(known)}")
        stored = {field: _dumped(field, limits[field]) if field in limits else "" for field in ALL}
        used = [self._used_in_period(subject, name) for name in DOLLARS if name in limits]
        self._call(
            SetLimits(
                kind=subject.kind,
                name=subject.name,
                **stored,
                items=tuple(used),
            )
        )

    def reset(self, subject: Subject) -> None:
        """Back to the settings; a user leaves their group."""
        self._call(ResetLimits(subject.kind, subject.name))

    def of_every_user(self) -> dict[str, str | float]:
        """Limits that the fleet's settings give to each user; dollars as dollars."""
        names = [f"user_{name}" for name in _BUDGETS]
        stored: list[Any] = self._redis.hmget(self._keys.config, names)
        return {
            name: _loaded(name, str(text))
            for name, text in zip(_BUDGETS, stored, strict=True)
            if text is not None and float(text) != NONE
        }

    def subjects(self) -> list[Subject]:
        """Every subject with limits of its own."""
        named = (str(each).partition(":") for each in self._redis.smembers(self._keys.limited))
        return sorted(Subject(kind, name) for kind, _, name in named)  # type: ignore[arg-type]

    def _used_in_period(self, subject: Subject, limit: str) -> UsedDollars:
        """So that a first limit counts what was used in its period before it was set: by UTC days,
        from the one in which the period began.
        """
        first, today = self._usage.days_of(limit, self._zone())
        if subject.kind == "fleet":
            sums = self._usage.total(first, today)
        else:
            named = dict(self._usage.by(subject.kind, first, today))
            sums = named.get(subject.name, Sums())
        return UsedDollars(limit, max(0, sums.micro_usd), max(0, sums.maybe_micro_usd))

    def _zone(self) -> ZoneInfo:
        """Of the fleet's budgets."""
        return ZoneInfo(str(self._redis.hget(self._keys.config, "zone") or "UTC"))

    def _in_flight(self, subject: Subject) -> int:
        """Released and running jobs."""
        if subject.kind == "fleet":
            return int(self._redis.zcard(self._keys.open))
        key = self._keys.in_flight
        if subject.kind == "group":
            key = self._keys.group_in_flight
        return int(str(self._redis.hget(key, subject.name) or 0))

    def _waiting(self, subject: Subject) -> dict[str, int]:
        if subject.kind != "user":
            return {}
        return {
            lane: int(str(self._redis.llen(self._keys.waiting(lane, subject.name))))
            for lane in ("interactive", "batch")
        }


def _dumped(field: str, value: str | float) -> str:
    if field == "group":
        return str(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{field} must be a number, not {value}")
    least = LEAST[field]
    if number != NONE and number < least:
        raise ValueError(f"{field} must be at least {least}, or {NONE} for no limit; not {value}")
    if field in DOLLARS and number != NONE:
        return str(round(number * MICRO))
    if field == "weight":
        return f"{number:f}"
    if not number.is_integer():
        raise ValueError(f"{field} must be a whole number, not {value}")
    return str(int(number))


def _loaded(field: str, text: str) -> str | float:
    if field == "group":
        return text
    number = float(text)
    if field in DOLLARS and number != NONE:
        return number / MICRO
    return number
