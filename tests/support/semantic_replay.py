"""Pairs of questions replayed as traffic: the first is stored, the second asks for it, once or, if
the pair is there several times, again and again, as after its answer has left the cache.

A scripted judge errs in a share of its verdicts, about questions and about answers alike; one about
two questions is kept. Answers to a pair agree where its label says that it is the same question.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.semantic.bound import interval
from worker.semantic.decision import Near, Rule
from worker.semantic.evidence import Label, Observation, OwnEvidence, Pool, Verdict
from worker.semantic.gate import Pass, compare
from worker.semantic.words import read


class Pair(NamedTuple):
    similarity: float
    gate: Pass
    same: bool
    hostile: bool = False


def pair_of(one: str, two: str, similarity: float, same: bool, hostile: bool = False) -> Pair:
    gate, _ = compare(read(one), read(two))
    return Pair(similarity, gate, same, hostile)


@dataclass
class Score:
    """What came of one order of one rule."""

    hits: int = 0
    wrong: int = 0
    hostile: int = 0
    asked_judge: int = 0
    """About two questions."""
    asked_answers: int = 0
    """About two answers."""
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def error(self) -> float:
        return self.wrong / self.hits if self.hits else 0.0

    def keeps(self, stated: float) -> bool:
        """Whether the stated rate is within the sampling error of the measured one."""
        return interval(self.wrong, self.hits)[0] <= stated

    def served(self, pair: Pair) -> None:
        self.hits += 1
        self.wrong += not pair.same
        self.hostile += pair.hostile


def fixed(pairs: Iterable[Pair], threshold: float) -> Score:
    """What everybody ships."""
    score = Score()
    for pair in pairs:
        if pair.similarity >= threshold:
            score.served(pair)
    return score


class ScriptedJudge:
    def __init__(self, rng: random.Random, error: float) -> None:
        self._rng = rng
        self._error = error

    def says_same(self, pair: Pair) -> bool:
        return pair.same != (self._rng.random() < self._error)


def ours(
    pairs: Iterable[Pair],
    seed: int,
    stated: float = 0.01,
    judge_error: float | None = 0.02,
    start: Counter[str] | None = None,
) -> Score:
    """By the rule, learning on the way. `judge_error`: None = there is no judge."""
    rng = random.Random(seed)
    score = Score(counts=start or Counter())
    judge = ScriptedJudge(rng, judge_error) if judge_error is not None else None
    rule = Rule(stated, judge is not None)
    pool = Pool(score.counts)
    entries: dict[int, _Entry] = {}
    for pair in pairs:
        if pair.gate is Pass.NO:
            continue
        entry = entries.setdefault(id(pair), _Entry())
        near = Near(pair.similarity, pair.gate, OwnEvidence(entry.right, entry.wrong))
        course = rule.course(near, pool, rng.random())
        if course.judged and judge and entry.verdict == "none":
            score.asked_judge += 1
            entry.verdict = "yes" if judge.says_same(pair) else "no"
        serves = rule.of(near, pool, entry.verdict).action == "serve"
        if serves and not course.asked:
            score.served(pair)
        elif course.learns:
            label = _label(judge, pair, entry.verdict, score)
            score.counts.update(Observation(pair.similarity, entry.verdict, label, serves).fields)
            entry.add(label)
            pool = Pool(score.counts)
    return score


@dataclass
class _Entry:
    """What is known of a stored question."""

    verdict: Verdict = "none"
    right: int = 0
    wrong: int = 0

    def add(self, label: Label) -> None:
        self.right += label == "right"
        self.wrong += label == "wrong"


def _label(judge: ScriptedJudge | None, pair: Pair, verdict: Verdict, score: Score) -> Label:
    if judge is None:
        return "right" if pair.same else "wrong"
    said = judge.says_same(pair)
    score.asked_answers += 1
    if verdict != "none" and said != (verdict == "yes"):
        score.asked_answers += 1
        if judge.says_same(pair) != said:
            said = verdict == "yes"
    return "right" if said else "wrong"


def orders(pairs: list[Pair], count: int) -> list[list[Pair]]:
    """The same ones every time."""
    found = []
    for seed in range(count):
        shuffled = pairs[:]
        random.Random(seed).shuffle(shuffled)
        found.append(shuffled)
    return found


def popular(pairs: list[Pair], asks: int, count: int) -> list[list[Pair]]:
    """Traffic in which some are asked for all day: the n-th 1/n as often as the first (Zipf)."""
    found = []
    for order in orders(pairs, count):
        shares = [1 / place for place in range(1, len(order) + 1)]
        found.append(random.Random(len(found)).choices(order, shares, k=asks))
    return found


def halves(pairs: list[Pair], count: int) -> list[tuple[list[Pair], list[Pair]]]:
    """Random ones, each pair in one of them."""
    middle = len(pairs) // 2
    return [(order[:middle], order[middle:]) for order in orders(pairs, count)]


def best_threshold(pairs: list[Pair], stated: float) -> float:
    """Of those that keep the stated rate on these pairs the one with the most hits: the lowest."""
    thousandths = [number / 1000 for number in range(800, 1002)]
    return next(each for each in thousandths if fixed(pairs, each).error <= stated)
