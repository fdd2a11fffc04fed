"""Pairs of questions replayed as traffic: the first is stored, the second asks for it.

A scripted judge errs in a share of its verdicts, about questions and about answers alike. Answers
to a pair agree where its label says that it is the same question.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.semantic.bound import interval
from worker.semantic.decision import Near, Rule
from worker.semantic.evidence import Observation, OwnEvidence, Pool, Verdict
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
    for pair in pairs:
        near = Near(pair.similarity, pair.gate, OwnEvidence())
        course = rule.course(near, pool, rng.random())
        verdict: Verdict = "none"
        if course.judged and judge:
            score.asked_judge += 1
            verdict = "yes" if judge.says_same(pair) else "no"
        serves = rule.of(near, pool, verdict).action == "serve"
        if serves and not course.asked:
            score.served(pair)
        elif course.learns and pair.gate is not Pass.NO:
            seen = Observation(
                pair.similarity, verdict, _label(judge, pair, verdict, score), serves
            )
            score.counts.update(seen.fields)
            pool = Pool(score.counts)
    return score


def _label(judge: ScriptedJudge | None, pair: Pair, verdict: Verdict, score: Score) -> str:
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
