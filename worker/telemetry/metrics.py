"""The fleet's latencies and calls: counts in Redis that every worker adds to and anybody can merge.

Each sample is counted three times, by the server's clock: in a slot of ten seconds (kept 70
minutes), in its hour (kept 48 hours) and in the totals since the beginning. A window is the sum of
its slots, so it is up to one slot longer than asked. The ledger's scripts count ends of jobs and
money in the same slots (`count` in common.lua).
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ..ledger.connection import ERRORS, Keys, Redis
from ..ledger.scripts import Scripts
from .sketch import bucket, quantile, representative

SLOT_S = 10
SLOTS_KEPT_S = 3600
"""The longest window that is read from slots; what is longer comes from hours."""
QUIET_S = 10.0
"""How long nothing is sent after a failure: a frozen server must cost a job one timeout, not one
per sample.
"""

KINDS = ("queue", "provider", "total")
"""From submission to the first start; one provider call on the wire; from submission to the
outcome.
"""
ALL = "*"
ANSWERED = ("ok", "length")
"""Outcomes of calls that were answered; every other one is a fault."""


@dataclass(frozen=True)
class Row:
    """Latencies of one series in milliseconds; "*" where it is about all lanes, providers or
    models.
    """

    kind: str
    lane: str
    provider: str
    model: str
    count: int
    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True)
class Tally:
    """What was counted in some stretch of time."""

    buckets: dict[tuple[str, str, str, str], Counter[int]] = field(default_factory=dict)
    """(kind, lane, provider, model) -> bucket -> samples"""
    calls: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    """(lane, provider, model, outcome) -> calls"""
    events: Counter[str] = field(default_factory=Counter)
    """What the ledger counts: submitted, done, failed, error:<type>, spent_micro, ..."""

    @classmethod
    def of(cls, hashes: Iterable[dict[str, str]]) -> "Tally":
        """Merging is adding."""
        buckets: defaultdict[tuple[str, str, str, str], Counter[int]] = defaultdict(Counter)
        calls: Counter[tuple[str, str, str, str]] = Counter()
        events: Counter[str] = Counter()
        for stored in hashes:
            for name, count in stored.items():
                match name.split("|"):
                    case ["l", kind, lane, provider, model, index]:
                        buckets[kind, lane, provider, model][int(index)] += int(count)
                    case ["c", lane, provider, model, outcome]:
                        calls[lane, provider, model, outcome] += int(count)
                    case ["n", event]:
                        events[event] += int(count)
        return cls(dict(buckets), calls, events)

    def rows(self) -> list[Row]:
        """Of each kind: all together, then by lane, by provider, by model."""
        merged: defaultdict[tuple[str, str, str, str], Counter[int]] = defaultdict(Counter)
        for series, counts in self.buckets.items():
            for view in set(_views(*series)):
                merged[view].update(counts)
        order = sorted(
            merged,
            key=lambda view: (
                KINDS.index(view[0]),
                view[1:] != (ALL, ALL, ALL),
                view[1] == ALL,
                view,
            ),
        )
        return [_row(view, merged[view]) for view in order]

    def row(self, kind: str) -> Row | None:
        """All lanes, providers and models together; None without a sample."""
        return next((row for row in self.rows() if row.kind == kind), None)


class Metrics:
    """Redis down: samples are dropped, counted in `dropped`; reading raises one of `store.ERRORS`."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._scripts = Scripts(redis, keys.root)
        self._quiet_until = -math.inf
        self.dropped = 0

    def job_ended(
        self, lane: str, provider: str, model: str, queue_ms: float, total_ms: float
    ) -> list[str]:
        """The samples of a job that ended."""
        return [
            _latency("queue", lane, provider, model, queue_ms),
            _latency("total", lane, provider, model, total_ms),
        ]

    def call_ended(
        self, lane: str, provider: str, model: str, outcome: str, provider_ms: float
    ) -> list[str]:
        """The samples of a provider call. `outcome`: "ok", "length" or a fault."""
        counted = "|".join(("c", *map(_plain, (lane, provider, model, outcome))))
        return [counted, _latency("provider", lane, provider, model, provider_ms)]

    def happened(self, event: str) -> list[str]:
        """The sample of an event that is none of the ledger's."""
        return [f"n|{event}"]

    def add(self, samples: list[str]) -> None:
        """Count samples, in one round trip. Never raises for a server that is down."""
        if not samples:
            return
        if time.monotonic() < self._quiet_until:
            self.dropped += len(samples)
            return
        try:
            self._scripts("tally", *samples)
        except ERRORS:
            self.dropped += len(samples)
            self._quiet_until = time.monotonic() + QUIET_S

    def window(self, seconds: int) -> Tally:
        """The last `seconds`: up to an hour to ten seconds, beyond that (at most 48 hours) to whole
        hours.
        """
        now = int(self._redis.time()[0])
        if seconds <= SLOTS_KEPT_S:
            return self._read(
                map(self._keys.slot, range((now - seconds) // SLOT_S, now // SLOT_S + 1))
            )
        return self._read(map(self._keys.hour, range((now - seconds) // 3600, now // 3600 + 1)))

    def totals(self) -> Tally:
        """Everything since the beginning."""
        return self._read([self._keys.totals])

    def _read(self, keys: Iterable[str]) -> Tally:
        with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(key)
            return Tally.of(pipe.execute())


def measured(question: Callable[[], object]) -> float:
    """Milliseconds that `question` takes."""
    started = time.monotonic()
    question()
    return (time.monotonic() - started) * 1000


def _row(view: tuple[str, str, str, str], counts: Counter[int]) -> Row:
    p50, p95, p99 = (quantile(counts, q) for q in (0.50, 0.95, 0.99))
    return Row(*view, sum(counts.values()), p50, p95, p99, representative(max(counts)))


def _views(kind: str, lane: str, provider: str, model: str) -> Iterator[tuple[str, str, str, str]]:
    yield kind, ALL, ALL, ALL
    yield kind, lane, ALL, ALL
    yield kind, ALL, provider, ALL
    yield kind, ALL, provider, model


def _latency(kind: str, lane: str, provider: str, model: str, value_ms: float) -> str:
    return "|".join(("l", kind, *map(_plain, (lane, provider, model)), str(bucket(value_ms))))


def _plain(name: str) -> str:
    return name.replace("|", "/") or "none"
