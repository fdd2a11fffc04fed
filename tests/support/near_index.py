"""Questions in an index of the semantic cache, by number."""

from array import array
from random import Random

from worker.semantic.index import Candidate, Index
from worker.semantic.scope import Scope
from worker.semantic.vectors import packed

MINUTE = 60_000


def scope(question: str, key: str = "scope") -> Scope:
    return Scope(key, "faq -", question, f"content of {question}", "faq", "")


def vector(seed: int, size: int = 16) -> str:
    rng = Random(seed)
    return packed(array("f", [rng.gauss() for _ in range(size)]).tobytes())


def keep(index: Index, number: int, key: str = "scope", life_ms: int = MINUTE) -> None:
    index.keep(scope(f"question {number}", key), vector(number), "ann", life_ms)


def first(index: Index, asked: Scope, vector: str) -> Candidate | None:
    index.ahead(asked)
    return next(iter(index.nearest(asked, vector)), None)


def found(index: Index, number: int, key: str = "scope") -> tuple[str, float] | None:
    """The question that is most like one with the vector of that number."""
    candidate = first(index, scope("asked", key), vector(number))
    return candidate and (candidate.question, round(candidate.similarity, 2))
