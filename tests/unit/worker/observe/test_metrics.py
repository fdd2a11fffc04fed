"""Latency percentiles within 2 % of the truth, merged over workers and hours; a dead Redis costs samples only."""

import math
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.commands.stats import table
from worker.observe import metrics
from worker.observe.metrics import GAMMA, Latencies, Row, bucket, quantile, representative

DURATIONS = st.one_of(st.integers(1, 200), st.integers(1, 10_000_000))


class FakeRedis:
    """Hashes in memory behind the five calls that are used. `down` makes every call fail; `trips` counts them."""

    def __init__(self, epoch_s: int = 1_800_000_000) -> None:
        self.epoch_s = epoch_s
        self.down = False
        self.trips = 0
        self.hashes: dict[str, Counter[str]] = {}
        self.ttl: dict[str, int] = {}
        self._queued: list[Any] = []

    def time(self) -> tuple[int, int]:
        self._trip()
        return self.epoch_s, 0

    def pipeline(self, transaction: bool) -> "FakeRedis":
        return self

    def __enter__(self) -> "FakeRedis":
        return self

    def __exit__(self, *_: object) -> None:
        self._queued.clear()

    def hincrby(self, key: str, field: str, amount: int) -> None:
        self._queued.append(lambda: self.hashes.setdefault(key, Counter()).update({field: amount}))

    def expire(self, key: str, seconds: int) -> None:
        self._queued.append(lambda: self.ttl.update({key: seconds}))

    def hgetall(self, key: str) -> None:
        self._queued.append(lambda: {field: str(count) for field, count in self.hashes.get(key, {}).items()})

    def execute(self) -> list[Any]:
        self._trip()
        return [command() for command in self._queued]

    def _trip(self) -> None:
        self.trips += 1
        if self.down:
            raise ConnectionError


def latencies(redis: FakeRedis) -> Latencies:
    return Latencies(redis, lambda hour: f"lat:{hour}")  # type: ignore[arg-type]


@given(DURATIONS)
def test_a_bucket_stands_for_its_values_within_two_percent(value: int) -> None:
    """The promise of DDSketch: (GAMMA - 1) / (GAMMA + 1)."""
    assert abs(representative(bucket(value)) - value) <= value * (GAMMA - 1) / (GAMMA + 1) * (1 + 1e-9)
    assert (GAMMA - 1) / (GAMMA + 1) <= 0.02


@given(st.lists(DURATIONS, min_size=1, max_size=300), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_percentiles_agree_with_the_exact_ones(values: list[int], q: float) -> None:
    """Whatever the samples, a percentile read from buckets is within 2 % of the sample of that rank."""
    exact = sorted(values)[math.floor(q * (len(values) - 1))]
    assert quantile(Counter(map(bucket, values)), q) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("value", [0, 0.4, -3])
def test_less_than_a_millisecond_is_zero(value: float) -> None:
    """Also a negative wait, from two instants in the wrong order."""
    assert representative(bucket(value)) == 0


def test_no_samples_have_no_percentile() -> None:
    """Rather than an invented 0."""
    with pytest.raises(ValueError, match="no samples"):
        quantile({}, 0.5)


@given(st.lists(st.tuples(st.sampled_from("ab"), DURATIONS), min_size=1, max_size=60))
def test_workers_and_hours_merge_into_one_truth(samples: list[tuple[str, int]]) -> None:
    """Two workers over three hours read like one list: per model its count and percentiles, and all together."""
    redis = FakeRedis()
    for number, (model, total_ms) in enumerate(samples):
        redis.epoch_s = 1_800_000_000 + 3600 * (number % 3)
        latencies(redis).record("batch", "openai", model, 1, 1, total_ms)
    redis.epoch_s = 1_800_000_000 + 2 * 3600
    rows = {row.model: row for row in latencies(redis).read(24) if row.kind == "total"}
    for model in {"*", *(model for model, _ in samples)}:
        values = sorted(ms for of, ms in samples if model in ("*", of))
        row = rows[model]
        assert row.count == len(values)
        assert row.p95 == pytest.approx(values[math.floor(0.95 * (len(values) - 1))], rel=0.02)
        assert row.max == pytest.approx(values[-1], rel=0.02)


def test_a_job_is_one_round_trip_and_its_hash_expires() -> None:
    """Three counts and the TTL travel together; the server's time is asked for once."""
    redis = FakeRedis()
    fleet = latencies(redis)
    for _ in range(10):
        fleet.record("interactive", "openai", "gpt-4o-mini", 5, 700, 710)
    assert redis.trips == 11
    assert redis.ttl == {f"lat:{1_800_000_000 // 3600}": 48 * 3600}
    assert sum(redis.hashes[f"lat:{1_800_000_000 // 3600}"].values()) == 30


def test_the_servers_clock_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ten minutes, so that drift cannot pile up; in between the monotonic clock counts on, over the hour too."""
    redis, now = FakeRedis(3600 * 1000 - 10), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    fleet = latencies(redis)
    for now[0] in (0.0, 20.0, 599.0):
        fleet.record("batch", "p", "m", 1, 1, 1)
    assert (redis.trips, set(redis.hashes)) == (4, {"lat:999", "lat:1000"})
    now[0] = 601.0
    fleet.record("batch", "p", "m", 1, 1, 1)
    assert redis.trips == 6


def test_a_job_without_a_call_has_no_provider_time() -> None:
    """A cached answer must not make a provider look fast."""
    redis = FakeRedis()
    latencies(redis).record("interactive", "none", "none", 5, 0, 6)
    assert {row.kind for row in latencies(redis).read()} == {"queue", "total"}


def test_names_cannot_break_the_field() -> None:
    """A model called a|b is written a/b."""
    redis = FakeRedis()
    latencies(redis).record("batch", "p", "a|b", 1, 1, 1)
    assert {row.model for row in latencies(redis).read()} == {"*", "a/b"}


def test_old_hours_are_not_read() -> None:
    """A window of one hour reads the last full hour and the running one."""
    redis = FakeRedis()
    latencies(redis).record("batch", "p", "m", 1, 1, 1)
    redis.epoch_s += 2 * 3600
    assert latencies(redis).read(1) == []
    assert latencies(redis).read(2) != []


def test_a_dead_server_costs_samples_and_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropped samples are counted; after a failure nothing is sent for a while, then it works again."""
    redis, now = FakeRedis(), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    fleet = latencies(redis)
    redis.down = True
    for _ in range(5):
        fleet.record("batch", "p", "m", 1, 1, 1)
    assert (fleet.dropped, redis.trips) == (5, 1)
    redis.down, now[0] = False, metrics.QUIET_S + 1
    fleet.record("batch", "p", "m", 1, 1, 1)
    assert (fleet.dropped, len(fleet.read())) == (5, 6)


def test_rows_come_by_kind_with_the_total_first() -> None:
    """A reader sees queue, provider, total, and in each first what all have in common."""
    redis = FakeRedis()
    latencies(redis).record("interactive", "openai", "m", 5, 700, 710)
    latencies(redis).record("batch", "openai", "m", 5, 700, 710)
    rows = latencies(redis).read()
    assert [(row.kind, row.lane) for row in rows] == [
        (kind, lane) for kind in ("queue", "provider", "total") for lane in ("*", "batch", "interactive")
    ]


def test_the_table_is_aligned() -> None:
    """Names to the left, numbers to the right, thousands marked."""
    lines = table(
        [
            Row("queue", "*", "*", "*", 12_345, 1.4, 20.0, 300.0, 4_000.0),
            Row("total", "batch", "openai", "m", 1, 1, 2, 3, 4),
        ]
    ).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["queue", "*", "*", "*", "12,345", "1", "20", "300", "4,000"]
