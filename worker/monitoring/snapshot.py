"""What there is to know about the fleet right now, read from the ledger: one reading for health,
alerts and Prometheus.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from ..ledger.connection import Keys, Redis, unsafe
from ..ledger.scripts import Scripts
from ..telemetry.metrics import Metrics, Tally, measured

LINES = 1_000
"""Of each ring, so many users' lines are looked at; how many jobs wait beyond those is not counted."""


class Cooling(NamedTuple):
    """A link that is left alone."""

    link: str
    fault: str
    left_s: float


class Budget(NamedTuple):
    """A window limit and what is used of it: micro-dollars, tokens or requests."""

    kind: str
    name: str
    limit: str
    used: int
    allowed: int


@dataclass(frozen=True)
class FleetSnapshot:
    """Amounts in micro-dollars, times in seconds or, where it says so, milliseconds."""

    redis_ms: float
    """The best of three round trips: what the server takes, not what a busy machine here does."""
    workers: int
    slots: int
    open: int
    """Released and running jobs."""
    parked: int
    dead: int
    """Dead letters kept."""
    waiting: dict[str, int]
    oldest_s: dict[str, float]
    """By lane, how long the first waiting job has waited."""
    cooling: tuple[Cooling, ...]
    skew_s: dict[str, float]
    """Worker -> how far its clock is ahead of the server's; this process is "here"."""
    spent: int
    maybe: int
    """Of this UTC day, by the whole fleet."""
    budgets: tuple[Budget, ...]
    unsafe: tuple[str, ...]
    recent: Tally
    """What was counted in the window asked for."""

    @classmethod
    def read(
        cls, redis: Redis, keys: Keys, metrics: Metrics, window_s: int, usd_per_day: float | None
    ) -> Self:
        """`usd_per_day`: the settings' limit of the fleet. Raises one of `store.ERRORS`."""
        limit = -1 if usd_per_day is None else round(usd_per_day * 1_000_000)
        redis_ms = min(measured(redis.ping) for _ in range(3))
        told: dict[str, Any] = json.loads(Scripts(redis, keys.root)("vitals", LINES, limit)[0])
        skews = told["skew"] or {}
        here_s = datetime.now(UTC).timestamp() - told["now"] / 1000
        return cls(
            redis_ms=redis_ms,
            **{
                name: told[name]
                for name in ("workers", "slots", "open", "parked", "dead", "spent", "maybe")
            },
            waiting={lane: seen["waiting"] for lane, seen in told["lanes"].items()},
            oldest_s={lane: seen["oldest_ms"] / 1000 for lane, seen in told["lanes"].items()},
            cooling=tuple(
                Cooling(link, fault, left / 1000) for link, fault, left in told["cooling"]
            ),
            skew_s={worker: ms / 1000 for worker, ms in skews.items()} | {"here": here_s},
            budgets=tuple(Budget(*each) for each in told["budgets"]),
            unsafe=tuple(unsafe(redis)),
            recent=metrics.window(window_s),
        )
