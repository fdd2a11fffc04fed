import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.semantic.bound import Curve, Seen, at_most, contradicted, interval, rate

COUNTS = st.integers(0, 400)


@pytest.mark.parametrize(
    ("wrong", "of", "bound"),
    [(0, 299, 0.00997), (0, 10, 0.2589), (1, 10, 0.3942), (5, 100, 0.1023), (0, 0, 1), (3, 3, 1)],
)
def test_clopper_and_pearson_s_bound(wrong, of, bound):
    """The published table's values, of 95 % on one side."""
    assert at_most(wrong, of) == pytest.approx(bound, abs=1e-3)


@given(COUNTS, COUNTS)
def test_a_wrong_one_raises_it_and_a_right_one_lowers_it(wrong, right):
    here = at_most(wrong, wrong + right)
    assert wrong / max(1, wrong + right) <= here <= 1
    assert at_most(wrong + 1, wrong + right + 1) >= here - 1e-6
    assert at_most(wrong, wrong + right + 1) <= here + 1e-6


@given(COUNTS, COUNTS)
def test_wilson_s_interval_holds_the_rate(wrong, right):
    low, high = interval(wrong, wrong + right)
    share = wrong / (wrong + right) if wrong + right else 0.5
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


def test_what_contradicts_a_stated_rate():
    assert not contradicted(0, 0, 0.01)
    assert not contradicted(1, 100, 0.01)
    assert contradicted(6, 100, 0.01)
    assert contradicted(2, 2, 0.01)


def test_a_curve_finds_what_made_its_evidence():
    """Chances of a known logistic curve, of many pairs: the bound lies above and near."""
    places = [0.7 + number / 50 for number in range(15)]
    true = {each: 1 / (1 + math.exp(8 * (each - 0.8) / 0.1 / 8)) for each in places}
    seen = [Seen(each, 5000 * (1 - chance), 5000 * chance) for each, chance in true.items()]
    curve = Curve.fit(seen)
    for each, chance in true.items():
        assert chance < rate(curve.odds(each)) < chance * 1.2


@settings(max_examples=200)
@given(st.lists(st.tuples(st.floats(0.4, 1), COUNTS, COUNTS), max_size=30), st.floats(0.4, 1))
def test_any_evidence_gives_a_curve(rows, similarity):
    curve = Curve.fit([Seen(*row) for row in rows])
    assert 0 < rate(curve.odds(similarity)) <= 1


def test_little_evidence_proves_little():
    few = Curve.fit([Seen(0.95, 5, 0)])
    many = Curve.fit([Seen(0.95, 500, 0)])
    assert rate(Curve.fit([]).odds(0.95)) > 0.5
    assert rate(few.odds(0.95)) > 0.15
    assert rate(many.odds(0.95)) < 0.02
