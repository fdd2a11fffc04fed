"""The fleet's latencies: histograms that every worker adds to and anybody can merge.

Logarithmic buckets after DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
Relative-Error Guarantees", VLDB 2019, section 2.1): bucket i holds the values in (GAMMA^(i-1), GAMMA^i] and answers
with 2 GAMMA^i / (GAMMA + 1), which is off by at most (GAMMA - 1) / (GAMMA + 1) = 1.96 %.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ..store import ERRORS, Redis

GAMMA = 1.04
"""Changing it changes what stored buckets mean: give the hashes a new key then."""

BELOW_1_MS = -1
"""The bucket of everything under a millisecond, which is not told apart; it answers with 0."""

RETENTION_S = 48 * 3600
RESYNC_S = 600.0
QUIET_S = 10.0
"""How long nothing is sent after a failure: a frozen server must cost a job one timeout, not one per sample."""

KINDS = ("queue", "provider", "total")
ALL = "*"

_LOG_GAMMA = math.log(GAMMA)

Series = tuple[str, str, str, str]
"""kind, lane, provider, model"""


def bucket(value_ms: float) -> int:
    """The bucket of a duration."""
    return BELOW_1_MS if value_ms < 1 else math.ceil(math.log(value_ms) / _LOG_GAMMA)


def representative(index: int) -> float:
    """Milliseconds that stand for every value of a bucket."""
    return 0.0 if index == BELOW_1_MS else 2 * GAMMA**index / (GAMMA + 1)


def quantile(buckets: Mapping[int, int], q: float) -> float:
    """The value of rank floor(q (n - 1)) of n samples in ascending order, within 2 %. No samples: `ValueError`."""
    rank = math.floor(q * (sum(buckets.values()) - 1))
    seen = 0
    for index in sorted(buckets):
        seen += buckets[index]
        if seen > rank:
            return representative(index)
    raise ValueError("no samples")


@dataclass(frozen=True)
class Row:
    """Latencies of one series in milliseconds. `lane`, `provider` and `model` are "*" in the row of all of a kind."""

    kind: str
    lane: str
    provider: str
    model: str
    count: int
    p50: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, series: Series, buckets: Mapping[int, int]) -> "Row":
        p50, p95, p99 = (quantile(buckets, q) for q in (0.50, 0.95, 0.99))
        return cls(*series, sum(buckets.values()), p50, p95, p99, representative(max(buckets)))


class Latencies:
    """Durations of the whole fleet in one Redis hash per hour. Redis down: dropped, counted in `dropped`.

    `key` gives the hash's key for an hour since the epoch, by the server's clock: hosts whose clocks disagree still
    write into the same hour. The server is asked once per `RESYNC_S`, the monotonic clock fills the gaps.
    """

    def __init__(self, redis: Redis, key: Callable[[int], str]) -> None:
        self._redis = redis
        self._key = key
        self._synced: tuple[float, int] | None = None
        self._quiet_until = -math.inf
        self.dropped = 0

    def record(self, lane: str, provider: str, model: str, queue_ms: float, provider_ms: float, total_ms: float) -> None:
        """Add one finished job, in one round trip. `provider_ms` 0: no call was made, so none is counted. Never raises
        for a server that is down."""
        if time.monotonic() < self._quiet_until:
            self.dropped += 1
            return
        samples = [("queue", queue_ms), ("provider", provider_ms), ("total", total_ms)]
        try:
            key = self._key(self._hour())
            with self._redis.pipeline(transaction=False) as pipe:
                for kind, value_ms in samples:
                    if kind != "provider" or value_ms > 0:
                        pipe.hincrby(key, _field((kind, lane, provider, model), bucket(value_ms)), 1)
                pipe.expire(key, RETENTION_S)
                pipe.execute()
        except ERRORS:
            self.dropped += 1
            self._synced = None
            self._quiet_until = time.monotonic() + QUIET_S

    def read(self, hours: int = 24) -> list[Row]:
        """The last `hours` (at most 48) and what has passed of this one; per kind all together first, then one by one.

        Raises one of `store.ERRORS` if the server is down.
        """
        now = self._hour()
        with self._redis.pipeline(transaction=False) as pipe:
            for hour in range(now - hours, now + 1):
                pipe.hgetall(self._key(hour))
            merged = merge(pipe.execute())
        order = sorted(merged, key=lambda series: (KINDS.index(series[0]), series[1:] != (ALL, ALL, ALL), series))
        return [Row.of(series, merged[series]) for series in order]

    def _hour(self) -> int:
        """Hours since the epoch by the server's clock."""
        now = time.monotonic()
        if self._synced is None or now - self._synced[0] > RESYNC_S:
            self._synced = (now, int(self._redis.time()[0]))
        since, epoch_s = self._synced
        return int(epoch_s + now - since) // 3600


def merge(hashes: list[dict[str, str]]) -> dict[Series, Counter[int]]:
    """The buckets of each series and, under "*", of each kind; merging is adding."""
    merged: defaultdict[Series, Counter[int]] = defaultdict(Counter)
    for stored in hashes:
        for field, count in stored.items():
            kind, lane, provider, model, index = field.split("|")
            for series in _with_total((kind, lane, provider, model)):
                merged[series][int(index)] += int(count)
    return dict(merged)


def _with_total(series: Series) -> Iterator[Series]:
    yield series
    yield series[0], ALL, ALL, ALL


def _field(series: Series, index: int) -> str:
    return "|".join([*(part.replace("|", "/") for part in series), str(index)])
