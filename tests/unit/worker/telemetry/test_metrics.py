"""Percentiles from buckets are within 2 % of the truth, and merging is adding."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.commands.stats import table
from worker.telemetry.metrics import Counts, Row
from worker.telemetry.sketch import GAMMA, bucket, quantile, representative, upper

DURATIONS = st.one_of(st.integers(1, 200), st.integers(1, 10_000_000))


@given(DURATIONS)
def test_a_bucket_stands_for_its_values_within_two_percent(value: int) -> None:
    """The promise of DDSketch: (GAMMA - 1) / (GAMMA + 1)."""
    assert abs(representative(bucket(value)) - value) <= value * (GAMMA - 1) / (GAMMA + 1) * (
        1 + 1e-9
    )
    assert (GAMMA - 1) / (GAMMA + 1) <= 0.02
    assert value <= upper(bucket(value)) * (1 + 1e-9)


@given(st.lists(DURATIONS, min_size=1, max_size=300), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_percentiles_agree_with_the_exact_ones(values: list[int], q: float) -> None:
    """A percentile read from buckets is within 2 % of the sample of that rank, for any samples."""
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


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 2), DURATIONS), min_size=1, max_size=60
    )
)
def test_workers_and_slots_merge_into_one_truth(samples: list[tuple[str, int, int]]) -> None:
    """Spread over three hashes they read like one list: count and percentiles of each model."""
    hashes: list[Counter[str]] = [Counter(), Counter(), Counter()]
    for model, slot, total_ms in samples:
        hashes[slot][f"l|total|batch|openai|{model}|{bucket(total_ms)}"] += 1
    stored = [{name: str(n) for name, n in each.items()} for each in hashes]
    rows = {row.model: row for row in Counts.merged(stored).rows()}
    for model in {"*", *(model for model, _, _ in samples)}:
        values = sorted(ms for of, _, ms in samples if model in ("*", of))
        row = rows[model]
        assert row.count == len(values)
        assert row.p95 == pytest.approx(values[math.floor(0.95 * (len(values) - 1))], rel=0.02)
        assert row.max == pytest.approx(values[-1], rel=0.02)


def test_rows_come_by_kind_and_all_together_first() -> None:
    """Queue, provider, total; of each first the whole, then by lane, provider and model."""
    names = [
        f"l|{kind}|{lane}|openai|m|9"
        for kind in ("total", "queue")
        for lane in ("batch", "interactive")
    ]
    rows = Counts.merged([dict.fromkeys(names, "1")]).rows()
    views = [
        ("*", "*", "*"),
        ("batch", "*", "*"),
        ("interactive", "*", "*"),
        ("*", "openai", "*"),
        ("*", "openai", "m"),
    ]
    assert [(row.kind, row.lane, row.provider, row.model) for row in rows] == [
        (kind, *view) for kind in ("queue", "total") for view in views
    ]
    assert [row.count for row in rows[:5]] == [2, 1, 1, 2, 2]


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
