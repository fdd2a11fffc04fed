"""The fleet's latencies and calls: counts in Redis that every worker adds to.

Each sample is counted in a slot of ten seconds (kept 70 minutes) by the server's clock; a slot that
is over is added to its hour (kept 48 hours) and to the totals since the beginning. A window is the
sum of its slots, so it is up to one slot longer than asked. The ledger's functions count ends of
jobs and money in the same slots (`counters.lua`).
"""

import logging
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ..ledger.connection import ERRORS, Keys, Redis, ledger_functions
from ..ledger.fleet_functions import CountSamples
from .sketch import bucket, quantile, representative

SLOT_S = 10
SLOTS_KEPT_S = 3600
"""The longest window that is read from slots; what is longer comes from hours."""
SLOTS_LIVE = 420
"""So many slots are kept: 70 minutes."""
PAUSE_S = 10.0
"""How long nothing is sent after a failure.

A frozen server must cost a job one timeout, not one per sample.
"""

KINDS = ("queue", "provider", "total", "hit")
"""What is timed.

From submission to the first start; one provider call on the wire; from submission to the outcome;
the same of jobs that the cache answered, which say nothing of the others.
"""
CUT_BY_DEFAULT = "cut_by_default"
"""An answer ended at max_tokens, and it was not its caller who had set that."""
SIMULATED = "simulated"
"""A simulator gave an answer, whatever its link is called."""
ALL = "*"
ANSWERED = ("ok", "length")
"""Outcomes of calls that were answered; every other one is a fault."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """Latencies of one series, in milliseconds.

    "*" where it covers all lanes, providers or models.
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
class Counts:
    """What was counted in a window of time."""

    buckets: dict[tuple[str, str, str, str], Counter[int]] = field(default_factory=dict)
    """(kind, lane, provider, model) -> bucket -> samples"""
    calls: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    """(lane, provider, model, outcome) -> calls"""
    events: Counter[str] = field(default_factory=Counter)
    """What the ledger counts: submitted, done, failed, error:<type>, spent_micro, ..."""

    @property
    def errors(self) -> Counter[str]:
        """Error type -> jobs that ended in it."""
        return self._named("error")

    @property
    def failures(self) -> Counter[str]:
        """Error type -> jobs that ended in it by the service's doing."""
        return self._named("failure")

    @property
    def refusals(self) -> Counter[str]:
        """Limit -> jobs that it refused."""
        return self._named("refusal")

    def _named(self, kind: str) -> Counter[str]:
        prefix = f"{kind}:"
        return Counter(
            {
                name.removeprefix(prefix): count
                for name, count in self.events.items()
                if name.startswith(prefix)
            }
        )

    @classmethod
    def merged(cls, hashes: Iterable[dict[str, str]]) -> "Counts":
        """The sum of what was counted in several hashes."""
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
        return [_row(view, merged[view]) for view in sorted(merged, key=_order)]

    def row(self, kind: str) -> Row | None:
        """All lanes, providers and models together; None without a sample."""
        return next((row for row in self.rows() if row.kind == kind), None)


class Metrics:
    """While Redis does not answer, samples are dropped; the next ones that arrive report how many.

    Reading raises one of `connection.ERRORS`.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._call = ledger_functions(redis, keys)
        self._paused_until = -math.inf
        self._dropped = 0

    @staticmethod
    def job_ended(
        lane: str, provider: str, model: str, queue_ms: float, total_ms: float
    ) -> list[str]:
        """The samples of a job that ended."""
        return [
            _latency("queue", lane, provider, model, queue_ms),
            _latency("total", lane, provider, model, total_ms),
        ]

    @staticmethod
    def hit_ended(lane: str, queue_ms: float, total_ms: float) -> list[str]:
        """The samples of a job that the cache answered."""
        return [
            _latency("queue", lane, "", "", queue_ms),
            _latency("hit", lane, "", "", total_ms),
        ]

    @staticmethod
    def call_ended(
        lane: str, provider: str, model: str, outcome: str, provider_ms: float
    ) -> list[str]:
        """The samples of a provider call. `outcome`: "ok", "length" or a fault."""
        return [
            _sample("c", lane, provider, model, outcome),
            _latency("provider", lane, provider, model, provider_ms),
        ]

    @staticmethod
    def happened(event: str) -> list[str]:
        """The sample of an event that the ledger does not count itself."""
        return [_sample("n", event)]

    def add(self, samples: list[str]) -> None:
        """Count samples, in one round trip. Never raises for a server that is down."""
        if not samples:
            return
        if time.monotonic() < self._paused_until:
            self._dropped += len(samples)
            return
        try:
            self._call(CountSamples(tuple(samples)))
        except ERRORS:
            self._dropped += len(samples)
            self._paused_until = time.monotonic() + PAUSE_S
            return
        if self._dropped:
            logger.warning(
                "%d latency samples were dropped while Redis did not answer",
                self._dropped,
            )
            self._dropped = 0

    def window(self, seconds: int) -> Counts:
        """The last `seconds`, at most 48 hours of them.

        Exact to ten seconds up to an hour, to whole hours beyond that.
        """
        now, _ = self._redis.time()
        since = now - seconds
        if seconds <= SLOTS_KEPT_S:
            slots = range(since // SLOT_S, now // SLOT_S + 1)
            return self._read(map(self._keys.slot, slots))
        hours = range(since // 3600, now // 3600 + 1)
        return self._read([*map(self._keys.hour, hours), *self._open_slots(now)])

    def totals(self) -> Counts:
        """Everything since the beginning."""
        now, _ = self._redis.time()
        return self._read([self._keys.totals, *self._open_slots(now)])

    def _open_slots(self, now: int) -> list[str]:
        """The slots that are not in the hours and the totals yet."""
        added_up = int(str(self._redis.hget(self._keys.config, "added_up") or 0))
        this = now // SLOT_S
        first = max(added_up + 1, this - SLOTS_LIVE)
        return [self._keys.slot(slot) for slot in range(first, this + 1)]

    def _read(self, keys: Iterable[str]) -> Counts:
        with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(key)
            return Counts.merged(pipe.execute())


def measured(call: Callable[[], object]) -> float:
    """Milliseconds that `call` takes."""
    started = time.monotonic()
    call()
    return (time.monotonic() - started) * 1000


def _order(view: tuple[str, str, str, str]) -> tuple[object, ...]:
    kind, lane, provider, model = view
    in_part = (lane, provider, model) != (ALL, ALL, ALL)
    return KINDS.index(kind), in_part, lane == ALL, view


def _row(view: tuple[str, str, str, str], counts: Counter[int]) -> Row:
    return Row(
        *view,
        count=sum(counts.values()),
        p50=quantile(counts, 0.50),
        p95=quantile(counts, 0.95),
        p99=quantile(counts, 0.99),
        max=representative(max(counts)),
    )


def _views(kind: str, lane: str, provider: str, model: str) -> Iterator[tuple[str, str, str, str]]:
    yield kind, ALL, ALL, ALL
    yield kind, lane, ALL, ALL
    yield kind, ALL, provider, ALL
    yield kind, ALL, provider, model


def _latency(kind: str, lane: str, provider: str, model: str, value_ms: float) -> str:
    index = str(bucket(value_ms))
    return _sample("l", kind, lane, provider, model, index)


def _sample(*parts: str) -> str:
    """The field of a hash in which a sample is counted."""
    return "|".join(part.replace("|", "/") or "none" for part in parts)
