"""What there is to know about the fleet now: one reading for health, alerts and Prometheus."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from ..ledger.connection import LedgerConnection, unsafe_server
from ..ledger.scripts import Scripts
from ..telemetry.metrics import Metrics, Row, Tally, measured

LINES = 1_000
"""Of each ring, so many users' lines are read; how many jobs wait beyond those is not counted."""

MICRO = 1_000_000


class Cooling(NamedTuple):
    """A provider link that is left alone."""

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
    """Warnings about the server's configuration."""
    recent: Tally
    """What was counted in the window asked for."""

    @classmethod
    def read(
        cls, connection: LedgerConnection, window_s: int, fleet_usd_per_day: float | None
    ) -> Self:
        """`fleet_usd_per_day`: the limit in the settings. Raises one of `connection.ERRORS`."""
        redis = connection.redis
        redis_ms = min(measured(redis.ping) for _ in range(3))
        limit = -1
        if fleet_usd_per_day is not None:
            limit = round(fleet_usd_per_day * MICRO)
        scripts = Scripts(redis, connection.keys.root)
        reply: dict[str, Any] = json.loads(scripts("vitals", LINES, limit)[0])
        lanes = reply["lanes"].items()
        skew_s = {worker: ms / 1000 for worker, ms in (reply["skew"] or {}).items()}
        skew_s["here"] = datetime.now(UTC).timestamp() - reply["now"] / 1000
        return cls(
            redis_ms=redis_ms,
            workers=reply["workers"],
            slots=reply["slots"],
            open=reply["open"],
            parked=reply["parked"],
            dead=reply["dead"],
            waiting={lane: line["waiting"] for lane, line in lanes},
            oldest_s={lane: line["oldest_ms"] / 1000 for lane, line in lanes},
            cooling=tuple(Cooling(link, fault, ms / 1000) for link, fault, ms in reply["cooling"]),
            skew_s=skew_s,
            spent=reply["spent"],
            maybe=reply["maybe"],
            budgets=tuple(Budget(*each) for each in reply["budgets"]),
            unsafe=tuple(unsafe_server(redis)),
            recent=Metrics(redis, connection.keys).window(window_s),
        )

    @property
    def interactive(self) -> Row | None:
        """Total times of interactive jobs in the window; None if none ended in it."""
        wanted = ("total", "interactive", "*")
        rows = self.recent.rows()
        return next((row for row in rows if (row.kind, row.lane, row.provider) == wanted), None)


def calls_by_link(calls: Mapping[tuple[str, str, str, str], int]) -> dict[str, Counter[str]]:
    """Provider link -> outcome of a call -> how many; from the `calls` of a `Tally`."""
    links: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (_, provider, model, outcome), count in calls.items():
        links[f"{provider}:{model}"][outcome] += count
    return dict(sorted(links.items()))
