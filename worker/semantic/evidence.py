"""What is known of how often a near miss has the right answer: counts, of a scope and of an entry.

The ledger adds to them (`learn`), so that no worker's observation is lost or counted twice. A pair
without a label counts as wrong: what nobody compared is not right.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from .bound import Curve, Seen

Verdict = Literal["yes", "no", "none"]
"""Of the judge about two questions; none: it was not asked, or did not say."""
Label = Literal["right", "wrong"]
LOWEST = 0.4
"""Similarity below which nothing is a candidate, whatever the embedding model: unrelated questions
are below 0.4 with all that were tried.
"""
BINS = 60
"""Of similarity, from there to 1: a hundredth each."""


class Observation(NamedTuple):
    """A near miss that was asked, and whether the stored answer would have been right."""

    similarity: float
    verdict: Verdict
    label: Label
    would_serve: bool = False
    """Whether it would have been served if it had not been asked to learn from."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Of the scope's counts, those that it adds one to."""
        field = f"{place(self.similarity)}:{self.verdict}:{self.label}"
        return (field, f"served:{self.label}") if self.would_serve else (field,)


def place(similarity: float) -> int:
    """The bin of a similarity."""
    share = (similarity - LOWEST) / (1 - LOWEST)
    return min(max(int(share * BINS), 0), BINS - 1)


def middle(number: int) -> float:
    """The similarity that a bin stands for."""
    return LOWEST + (number + 0.5) * (1 - LOWEST) / BINS


@dataclass(frozen=True)
class Pool:
    """Of a scope. `counts`: field -> how many, as the ledger keeps them."""

    counts: Mapping[str, int]

    @cached_property
    def curve(self) -> Curve:
        """Whether candidates are wrong, whatever the judge said."""
        rows: dict[int, list[int]] = {}
        for number, _, label, count in self._parsed:
            rows.setdefault(number, [0, 0])[label == "wrong"] += count
        return Curve.fit([Seen(middle(each), *sides) for each, sides in sorted(rows.items())])

    @cached_property
    def labelled(self) -> int:
        return sum(count for *_, count in self._parsed)

    @cached_property
    def false_yes(self) -> tuple[int, int]:
        """How often the judge said yes to a wrong pair, of how many it was asked about."""
        return self._yes_of("wrong")

    @cached_property
    def true_yes(self) -> tuple[int, int]:
        """How often it said yes to a right pair, of how many."""
        return self._yes_of("right")

    @property
    def measured(self) -> tuple[int, int]:
        """Of those that would have been served: how many were wrong, of how many."""
        wrong = self.counts.get("served:wrong", 0)
        return wrong, wrong + self.counts.get("served:right", 0)

    def _yes_of(self, label: Label) -> tuple[int, int]:
        yes = self._judged("yes", label)
        return yes, yes + self._judged("no", label)

    def _judged(self, verdict: Verdict, label: Label) -> int:
        return sum(n for _, said, known, n in self._parsed if (said, known) == (verdict, label))

    @cached_property
    def _parsed(self) -> tuple[tuple[int, str, str, int], ...]:
        return tuple(_rows(self.counts))


@dataclass(frozen=True)
class OwnEvidence:
    """Of one entry."""

    right: int = 0
    wrong: int = 0


def _rows(counts: Mapping[str, int]) -> Iterator[tuple[int, str, str, int]]:
    for field, count in counts.items():
        number, _, rest = field.partition(":")
        verdict, _, label = rest.partition(":")
        if number.isdigit() and label:
            yield int(number), verdict, label, count
