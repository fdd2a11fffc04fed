"""How likely a stored answer is wrong, at most: upper confidence bounds.

All are one-sided, of `CONFIDENCE`. A rate is between 0 and 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

CONFIDENCE = 0.95
Z = 1.6449
"""Its quantile of the normal distribution."""
Z_TWO_SIDED = 1.96
"""Of a 95 % interval."""
CENTRE = 0.9
WIDTH = 0.1
"""Similarities are fitted as (s - CENTRE) / WIDTH, so that both numbers of the curve are of one
size.
"""
STEPS = 25
"""Of Newton's method at most; it takes five to eight."""
DOUBT = 0.5
"""Of a right and of a wrong answer at both ends of the curve, as Haldane and Anscombe add to counts
(Anscombe 1956): no curve is steeper than its evidence, and none is certain.
"""
ENDS = (0.8, 1.0)


class Seen(NamedTuple):
    """Labelled pairs of about one similarity."""

    similarity: float
    right: float
    wrong: float


@dataclass(frozen=True)
class Curve:
    """The chance of being wrong by similarity: a logistic curve and its uncertainty."""

    level: float
    slope: float
    covariance: tuple[float, float, float]
    """Of level, of both, of slope."""

    @classmethod
    def fit(cls, seen: Sequence[Seen]) -> "Curve":
        """The most likely curve (iteratively reweighted least squares; McCullagh and Nelder,
        Generalized Linear Models, 4.4), as vCache fits one for each entry (arXiv 2502.03771, 4.2).
        """
        rows = [*seen, *(Seen(end, DOUBT, DOUBT) for end in ENDS)]
        points = [((each.similarity - CENTRE) / WIDTH, each.right, each.wrong) for each in rows]
        level = slope = 0.0
        for _ in range(STEPS):
            pull, turn, a, b, c = _slopes(points, level, slope)
            det = a * c - b * b
            step, tilt = (c * pull - b * turn) / det, (a * turn - b * pull) / det
            # A step is cut: far from the best curve Newton's are too long.
            size = max(1.0, abs(step), abs(tilt))
            level, slope = level + step / size, slope + tilt / size
            if abs(step) + abs(tilt) < 1e-6:
                break
        *_, a, b, c = _slopes(points, level, slope)
        det = a * c - b * b
        return cls(level, slope, (c / det, -b / det, a / det))

    def odds(self, similarity: float) -> float:
        """Upper bound of wrong : right. Wald's, of the linear predictor: its mean and `Z` standard
        deviations.
        """
        x = (similarity - CENTRE) / WIDTH
        of_level, of_both, of_slope = self.covariance
        variance = of_level + 2 * x * of_both + x * x * of_slope
        logit = self.level + self.slope * x + Z * math.sqrt(max(variance, 0.0))
        return math.exp(min(max(logit, -50.0), 50.0))


def rate(odds: float) -> float:
    return odds / (1 + odds)


def at_most(wrong: int, of: int) -> float:
    """Upper bound of a rate of which so many were seen: Clopper and Pearson (1934), exact.

    1 without evidence.
    """
    if wrong >= of:
        return 1.0
    low, high = wrong / of, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(wrong, of, middle) > 1 - CONFIDENCE else (low, middle)
    return high


def contradicted(wrong: int, of: int, stated: float, doubt: float = 0.02) -> bool:
    """Whether so many wrong ones are too many for a stated rate: as many or more come by chance
    less often than `doubt` (the exact binomial test).
    """
    return wrong > 0 and 1 - _below(wrong - 1, of, stated) < doubt


def interval(wrong: int, of: int) -> tuple[float, float]:
    """95 % interval of a rate (Wilson 1927); (0, 1) without evidence."""
    if not of:
        return 0.0, 1.0
    share, square = wrong / of, Z_TWO_SIDED**2
    middle = share + square / (2 * of)
    half = Z_TWO_SIDED * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, (middle - half) / (1 + square / of)), min(
        1.0, (middle + half) / (1 + square / of)
    )


def _slopes(
    points: list[tuple[float, float, float]], level: float, slope: float
) -> tuple[float, float, float, float, float]:
    """First derivatives of the likelihood, and the three different second ones, negated."""
    pull = turn = a = b = c = 0.0
    for x, right, wrong in points:
        logit = min(max(level + slope * x, -30.0), 30.0)
        chance = 1 / (1 + math.exp(-logit))
        rest = wrong - (right + wrong) * chance
        weight = (right + wrong) * chance * (1 - chance) + 1e-9
        pull, turn = pull + rest, turn + rest * x
        a, b, c = a + weight, b + weight * x, c + weight * x * x
    return pull, turn, a, b, c


def _below(wrong: int, of: int, chance: float) -> float:
    """The chance of at most `wrong` of `of`, each at `chance`: the binomial distribution."""
    if chance <= 0:
        return 1.0
    if chance >= 1:
        return float(wrong >= of)
    first = of * math.log1p(-chance)
    odds = math.log(chance) - math.log1p(-chance)
    term, total = first, math.exp(first)
    for k in range(1, wrong + 1):
        term += math.log((of - k + 1) / k) + odds
        total += math.exp(term)
    return min(1.0, total)
