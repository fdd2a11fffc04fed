"""Limits of single users, groups and the fleet, set at run time: they hold from the next release or
reservation on.

What nobody set here is as the settings say. The scripts (lanes.lua, attempt.lua) obey. Redis down:
raises.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..ledger.connection import Keys, Redis

NONE = -1
"""No limit, whatever the settings say."""

MICRO = 1_000_000

_BUDGETS = ("tokens_per_hour", "requests_per_minute", "usd_per_day")
KNOWN = {
    "user": ("weight", "in_flight", *_BUDGETS, "group"),
    "group": ("in_flight", *_BUDGETS),
    "fleet": ("usd_per_day",),
}
"""What may be set, of whom. `weight` 2 is served twice as often as 1; `in_flight`: released and
running jobs at once; a member of a `group` draws on its budgets, too, with every job submitted from
then on.
"""


class Subject(NamedTuple):
    """Who is limited; the fleet's name is "all"."""

    kind: Literal["user", "group", "fleet"]
    name: str

    def __str__(self) -> str:
        return "the fleet" if self.kind == "fleet" else f"{self.kind} {self.name}"


FLEET = Subject("fleet", "all")


@dataclass(frozen=True)
class CurrentLimits:
    """What holds for one subject now. `own`: only what was set here; dollars as dollars, `NONE` =
    no limit.
    """

    subject: Subject
    own: dict[str, str | float]
    in_flight: int
    waiting: dict[str, int]


class Overrides:
    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    def standing(self, subject: Subject) -> CurrentLimits:
        redis, keys, (kind, name) = self._redis, self._keys, subject
        stored = redis.hgetall(keys.limits(kind, name))
        own = {
            field: _parsed(field, str(stored[field])) for field in KNOWN[kind] if field in stored
        }
        flying = {"user": keys.in_flight, "group": keys.group_in_flight}.get(kind)
        lanes = ("interactive", "batch") if kind == "user" else ()
        return CurrentLimits(
            subject=subject,
            own=own,
            in_flight=int(str(redis.hget(flying, name) or 0))
            if flying
            else int(redis.zcard(keys.open)),
            waiting={lane: int(str(redis.llen(keys.waiting(lane, name)))) for lane in lanes},
        )

    def change(self, subject: Subject, **limits: str | float) -> None:
        """Set these and leave the others. Raises `ValueError` for one that the subject cannot have."""
        unknown = [field for field in limits if field not in KNOWN[subject.kind]]
        if unknown:
            raise ValueError(
                f"{subject} cannot have {', '.join(unknown)}; only {', '.join(KNOWN[subject.kind])}"
            )
        stored = {field: _stored(field, value) for field, value in limits.items()}
        with self._redis.pipeline() as pipe:
            pipe.hset(self._keys.limits(*subject), mapping=stored)  # type: ignore[arg-type]
            pipe.sadd(self._keys.limited, f"{subject.kind}:{subject.name}")
            pipe.execute()

    def reset(self, subject: Subject) -> None:
        """Back to the settings; a user leaves their group."""
        with self._redis.pipeline() as pipe:
            pipe.delete(self._keys.limits(*subject))
            pipe.srem(self._keys.limited, f"{subject.kind}:{subject.name}")
            pipe.execute()

    def special(self) -> list[Subject]:
        """Everybody with limits of their own."""
        named = (str(each).partition(":") for each in self._redis.smembers(self._keys.limited))
        return sorted(Subject(kind, name) for kind, _, name in named)  # type: ignore[arg-type]


def _stored(field: str, value: str | float) -> str:
    if field == "usd_per_day" and value != NONE:
        return str(round(float(value) * MICRO))
    return str(value)


def _parsed(field: str, text: str) -> str | float:
    if field == "group":
        return text
    return float(text) / MICRO if field == "usd_per_day" and float(text) != NONE else float(text)
