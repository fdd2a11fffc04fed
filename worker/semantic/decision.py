"""Whether a stored answer is served: the rule, and nothing else. It asks nobody and stores nothing.

An answer is served where the upper bound of its being wrong is at or below the stated rate:

- on its entry's own evidence, by Clopper and Pearson's bound; where that has a wrong one, only so;
- or, with a judge who said yes, on its scope's: odds(wrong | s, yes) = odds(wrong | s) x
  P(yes | wrong) / P(yes | right), by Bayes' rule. The first factor is the upper bound of the
  scope's curve at similarity s, P(yes | wrong) is the rate that is stated for judges,
  `JUDGE_ERROR`, for as long as the evidence does not contradict it, and P(yes | right) is measured;
- or, where the scope's curve alone is low enough, without asking the judge.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from .bound import at_most, contradicted, rate
from .evidence import OwnEvidence, Pool, Verdict
from .gate import Pass

JUDGE_ERROR = 0.02
"""How often a judge may say yes to a wrong pair. One that is found to err more is not believed.
"""
LEAST_LABELLED = 50
"""Of a scope, before its curve means something."""
ENOUGH_LABELLED = 150
"""Until then every near miss is labelled; after it, where nothing can be served, `LEARNT`."""
LEARNT = 0.25
"""The share of those that is labelled: a label may cost a call of the judge."""
MOST_ASKED = 0.05
"""The share of what could be served that is asked all the same, at first."""
LEAST_ASKED = 0.01
"""And however much is known."""
HALF_KNOWN = 300
"""Labels after which that share is half the way down."""


class Near(NamedTuple):
    """A candidate: the stored question that is most like the one asked."""

    similarity: float
    """Cosine."""
    gate: Pass
    own: OwnEvidence = OwnEvidence()


class Ruling(NamedTuple):
    """What may be done with a candidate."""

    action: Literal["serve", "judge", "ask"]
    """judge: it is asked, then ruled again; ask: the job goes its way."""
    bound: float
    """Upper bound of its being wrong, as far as is known."""


@dataclass(frozen=True)
class Rule:
    """`most_wrong`: the stated rate. `judged`: whether there is a judge with money left."""

    most_wrong: float
    judged: bool

    def of(self, near: Near, pool: Pool, verdict: Verdict = "none") -> Ruling:
        own = near.own
        if near.gate is Pass.NO:
            return Ruling("ask", 1.0)
        proved = at_most(own.wrong, own.right + own.wrong)
        if proved <= self.most_wrong:
            return Ruling("serve", proved)
        if own.wrong or not self.judged or self.stopped(pool):
            return Ruling("ask", proved)
        return self._pooled(near.similarity, pool, verdict)

    def _pooled(self, similarity: float, pool: Pool, verdict: Verdict) -> Ruling:
        if pool.labelled < LEAST_LABELLED:
            return Ruling("judge" if verdict == "none" else "ask", 1.0)
        odds = pool.curve.odds(similarity)
        if verdict != "no" and rate(odds) <= self.most_wrong:
            return Ruling("serve", rate(odds))
        agreed, right = pool.true_yes
        judged = rate(odds * JUDGE_ERROR * (right + 2) / (agreed + 1))
        if verdict == "no" or not believed(pool) or judged > self.most_wrong:
            return Ruling("ask", judged)
        return Ruling("serve" if verdict == "yes" else "judge", judged)

    def stopped(self, pool: Pool) -> bool:
        """Whether the measured error has passed the stated rate."""
        return contradicted(*pool.measured, self.most_wrong)

    def course(self, near: Near, pool: Pool, chance: float, shadow: bool = False) -> "Course":
        """What is done with a candidate. `chance`: a random number below 1."""
        first = self.of(near, pool)
        known = pool.labelled >= LEAST_LABELLED
        could = first.action == "serve" or (first.action == "judge" and known)
        asked = shadow or chance < share_asked(pool)
        learns = asked or (not could and (chance < LEARNT or pool.labelled < ENOUGH_LABELLED))
        judged = self.judged and near.gate is not Pass.NO and (learns or first.action == "judge")
        return Course(first, judged and first.action != "serve", asked, learns)


class Course(NamedTuple):
    """What is done with a candidate: a sample that nobody chose by what the judge said."""

    first: Ruling
    judged: bool
    """Whether the judge is asked about the two questions."""
    asked: bool
    """Whether the job goes its way whatever the ruling."""
    learns: bool
    """Whether the pair is labelled, if the job goes its way."""


def believed(pool: Pool) -> bool:
    """Whether the judge's evidence bears the rate that is stated for judges."""
    return not contradicted(*pool.false_yes, JUDGE_ERROR)


def share_asked(pool: Pool) -> float:
    """The share of what could be served that is asked all the same, so that drift is seen."""
    known = pool.labelled / HALF_KNOWN
    return LEAST_ASKED + (MOST_ASKED - LEAST_ASKED) / (1 + known)
