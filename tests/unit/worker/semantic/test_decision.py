import random
from collections import Counter

import pytest
from support.semantic_replay import Pair, fixed, orders, ours

from worker.semantic.decision import LEAST_LABELLED, Near, Rule, believed, share_asked
from worker.semantic.evidence import Observation, OwnEvidence, Pool, middle, place
from worker.semantic.gate import Pass

RULE = Rule(0.01, judged=True)


def pool_of(right=0, wrong=0, similarity=0.93, verdicts=("yes", "no"), **more):
    counts = Counter()
    for label, verdict, count in (("right", verdicts[0], right), ("wrong", verdicts[1], wrong)):
        for field in Observation(similarity, verdict, label).fields:
            counts[field] += count
    return Pool(counts | more)


def near(similarity=0.93, gate=Pass.MAY, right=0, wrong=0):
    return Near(similarity, gate, OwnEvidence(right, wrong))


def test_a_scope_without_evidence_serves_nothing():
    for verdict in ("none", "no", "yes"):
        assert RULE.of(near(0.999), Pool({}), verdict).action != "serve"
        assert RULE.of(near(0.999), pool_of(LEAST_LABELLED - 1), verdict).action != "serve"


def test_known_enough_the_judge_is_asked_and_believed():
    pool = pool_of(60, 8)
    assert RULE.of(near(), pool).action == "judge"
    found = RULE.of(near(), pool, "yes")
    assert found.action == "serve"
    assert found.bound <= 0.01
    assert RULE.of(near(), pool, "no").action == "ask"


def test_where_the_scope_s_own_curve_is_low_nobody_is_asked():
    assert RULE.of(near(), pool_of(2000, 0)).action == "serve"


def test_without_a_judge_only_own_evidence_counts():
    alone = Rule(0.01, judged=False)
    assert alone.of(near(), pool_of(5000)).action == "ask"
    assert alone.of(near(right=298), pool_of(5000)).action == "ask"
    assert alone.of(near(right=299), Pool({})).action == "serve"


def test_an_entry_that_was_wrong_has_to_earn_it_itself():
    pool = pool_of(2000)
    assert RULE.of(near(wrong=1), pool, "yes").action == "ask"
    assert RULE.of(near(wrong=1, right=300), pool, "yes").action == "ask"
    assert RULE.of(near(wrong=1, right=500), pool).action == "serve"


def test_the_gate_is_before_all_evidence():
    found = RULE.of(near(1.0, Pass.NO, right=10_000), pool_of(10_000), "yes")
    assert found.action == "ask"


def test_a_judge_that_errs_more_than_stated_is_not_believed():
    pool = pool_of(200, 40, **{f"{place(0.8)}:yes:wrong": 6})
    assert not believed(pool)
    assert RULE.of(near(), pool, "yes").action == "ask"


def test_a_scope_whose_measured_error_passes_the_stated_one_stops():
    pool = pool_of(2000, **{"served:right": 40, "served:wrong": 4})
    assert RULE.stopped(pool)
    assert RULE.of(near(), pool, "yes").action == "ask"
    assert not RULE.stopped(pool_of(2000, **{"served:right": 40}))


def test_less_is_asked_the_more_is_known_and_never_nothing():
    shares = [share_asked(pool_of(count)) for count in (0, 300, 3000, 10**6)]
    assert shares[0] == pytest.approx(0.05)
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] >= 0.01


def test_shadow_serves_nothing_and_labels_all():
    course = RULE.course(near(), pool_of(2000), 0.99, shadow=True)
    assert course.asked
    assert course.learns
    known = RULE.course(near(), pool_of(2000), 0.99)
    assert not known.asked
    assert not known.learns


def test_bins_hold_what_they_stand_for():
    for hundredth in range(40, 100):
        assert abs(middle(place(hundredth / 100)) - hundredth / 100) <= 0.0101
    assert place(1.0) == place(0.999)
    assert place(-1.0) == 0


def made_up(seed, count=1500):
    """Pairs of which the more alike are the same more often, as with the usual embeddings."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        similarity = rng.uniform(0.6, 1)
        same = rng.random() < 0.2 + 1.8 * (similarity - 0.6)
        found.append(Pair(similarity, Pass.MAY, same))
    return found


def test_the_stated_error_is_kept_in_every_order_with_several_times_the_hits():
    pairs = made_up(1)
    for seed, order in enumerate(orders(pairs, 4)):
        score = ours(order, seed)
        assert score.keeps(0.01)
        assert score.hits > 4 * fixed(pairs, 0.995).hits


def test_a_bad_judge_and_none_serve_little_or_nothing():
    for seed, order in enumerate(orders(made_up(2), 3)):
        assert ours(order, seed, judge_error=None).hits == 0
        bad = ours(order, seed, judge_error=0.25)
        assert bad.wrong <= 5
