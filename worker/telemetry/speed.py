"""How fast the fleet answers: what its calls took lately, and how many there may be at once."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ..ledger.connection import Keys, Redis
from .metrics import Metrics
from .sketch import representative

WINDOWS_S = (3600, 172_800)
"""The first of these in which there were calls: an hour, two days."""
FRESH_S = 10.0
"""A reading is used for so long: a plan is made for each document of a folder."""


@dataclass(frozen=True)
class Speed:
    """As measured."""

    call_s: float | None
    """What a call took on average; None: there was none."""
    at_once: int
    """Slots of all workers."""


class Speeds:
    """Readings raise one of `connection.ERRORS`."""

    def __init__(
        self,
        metrics: Metrics,
        redis: Redis,
        keys: Keys,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics = metrics
        self._redis = redis
        self._keys = keys
        self._now_s = now_s
        self._found: dict[tuple[str, str], tuple[float, Speed]] = {}

    def of(self, provider: str, model: str) -> Speed:
        """Of the calls to this model; of all calls if it has had none."""
        at_s, speed = self._found.get((provider, model), (-FRESH_S, Speed(None, 0)))
        if self._now_s() - at_s < FRESH_S:
            return speed
        slots = sum(map(int, self._redis.hvals(self._keys.slots)))
        speed = Speed(self._call_s(provider, model), slots)
        self._found[provider, model] = (self._now_s(), speed)
        return speed

    def _call_s(self, provider: str, model: str) -> float | None:
        for window_s in WINDOWS_S:
            own: Counter[int] = Counter()
            every: Counter[int] = Counter()
            for series, counts in self._metrics.window(window_s).buckets.items():
                kind, _, *link = series
                if kind == "provider":
                    every += counts
                    own += counts if link == [provider, model] else Counter()
            if every:
                return _mean_s(own or every)
        return None


def _mean_s(counts: Counter[int]) -> float:
    total_ms = sum(representative(index) * count for index, count in counts.items())
    return total_ms / sum(counts.values()) / 1000
