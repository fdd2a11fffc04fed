"""The questions of a scope whose answers are cached, found by likeness.

What each question is, and the evidence, lies in the ledger; its vector there, too
(`ledger_index.py`), or in Chroma (`chroma_index.py`).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from .evidence import Pool
from .scope import Scope

MOST_SCOPES = 32
"""Of which a process keeps something; those not used for longest leave."""


class Candidate(NamedTuple):
    """A question that is much like the one asked. Its repr shows it: never log it."""

    entry: str
    content: str
    namespace: str
    question: str
    similarity: float


class Looked(NamedTuple):
    """What a lookup found."""

    candidates: tuple[Candidate, ...]
    """The best first."""
    pool: Pool
    judge_micro_usd: int
    """What the judge has cost today."""


class Known(NamedTuple):
    """What is known of a scope, whatever is asked."""

    pool: Pool
    judge_micro_usd: int
    """What the judge has cost today."""


class Index(Protocol):
    """Raises `ERRORS` while its server is away."""

    def ahead(self, scope: Scope) -> Known:
        """What can be read before the question's vector is there."""

    def nearest(self, scope: Scope, vector: str) -> tuple[Candidate, ...]:
        """The best first, of what `ahead` read. `vector`: as `vectors.packed` gives it."""

    def keep(self, scope: Scope, vector: str, maker: str, life_ms: int) -> None:
        """`maker`: the user whose job made the answer, as the exact cache names them."""

    def prepare(self) -> None:
        """Load what it needs, before the first job. Its server may be away."""

    def close(self) -> None:
        """It is asked no more."""


class Away(Exception):
    """A server of vectors did not answer, or not as it should. Its text names no prompt."""


class VectorStore(Protocol):
    """A server of vectors beside the ledger."""

    def erase(self, maker: str) -> None:
        """All of a user. Raises `Away`."""

    def close(self) -> None:
        """It is asked no more."""


class CountedPool:
    """The evidence of a scope, as it was last told. Not safe across threads."""

    def __init__(self) -> None:
        self._counts = ""
        self._pool = Pool({})

    def of(self, counts: str) -> Pool:
        """Made anew when the counts change: its curve takes a millisecond to fit.

        `counts`: names and values in turn.
        """
        if counts != self._counts:
            words = counts.split(" ")
            pairs = zip(words[::2], map(_number, words[1::2]), strict=False)
            self._counts, self._pool = counts, Pool(dict(pairs))
        return self._pool


T = TypeVar("T")


class Copies(Generic[T]):
    """Something for each of the scopes that were used last. Safe across threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._each: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: str) -> T:
        with self._lock:
            found = self._each.setdefault(key, self._make())
            self._each.move_to_end(key)
            while len(self._each) > MOST_SCOPES:
                self._each.popitem(last=False)
            return found


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
