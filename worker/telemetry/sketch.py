"""Percentiles from counts: of a duration only its bucket's count is kept. Pure.

Logarithmic buckets after DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile
Sketch with Relative-Error Guarantees", VLDB 2019, section 2.1): bucket i holds the values in
(GAMMA^(i-1), GAMMA^i] and stands for 2 GAMMA^i / (GAMMA + 1), which is off by at most
(GAMMA - 1) / (GAMMA + 1) = 1.96 %.
"""

import math
from collections.abc import Mapping

GAMMA = 1.04
"""Changing it changes what stored buckets mean: give their hashes a new key then."""

BELOW_1_MS = -1
"""The bucket of everything under a millisecond; it stands for 0."""

_LOG_GAMMA = math.log(GAMMA)


def bucket(value_ms: float) -> int:
    """The bucket of a duration."""
    if value_ms < 1:
        return BELOW_1_MS
    return math.ceil(math.log(value_ms) / _LOG_GAMMA)


def representative(index: int) -> float:
    """Milliseconds that stand for every value of a bucket."""
    if index == BELOW_1_MS:
        return 0.0
    return 2 * GAMMA**index / (GAMMA + 1)


def upper(index: int) -> float:
    """The largest value, in milliseconds, that a bucket holds."""
    if index == BELOW_1_MS:
        return 1.0
    return GAMMA**index


def quantile(buckets: Mapping[int, int], q: float) -> float:
    """The value of rank floor(q (n - 1)) of n samples in ascending order, within 2 %.

    Raises `ValueError` without samples.
    """
    rank = math.floor(q * (sum(buckets.values()) - 1))
    seen = 0
    for index in sorted(buckets):
        seen += buckets[index]
        if seen > rank:
            return representative(index)
    raise ValueError("no samples")
