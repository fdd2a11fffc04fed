"""The questions of a scope whose answers are cached, found by likeness.

They lie in the ledger's server, packed; a process keeps a copy of the scopes that it uses and asks
for what is new. A copy may have what is gone: what a candidate points at is looked at before it is
given out (`near_peek`).
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from producer.contract.ledger.functions import Functions

from ..ledger.semantic_functions import NearKeep, NearLook, NearLookReply
from .entries import Entry
from .evidence import LOWEST, Pool
from .scope import Scope
from .vectors import Vectors

MOST_ENTRIES = 5_000
"""Of a scope; the oldest leave. 5,000 vectors of 1,536 numbers have 31 MB in a process."""
MOST_SCOPES = 32
"""Whose copies a process keeps; those not used for longest leave."""
MOST_PAGES = 4
"""That one lookup reads; the rest is read by the next."""


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


@dataclass
class _Copy:
    """Of one scope, in this process."""

    last: int = 0
    numbers: list[int] = field(default_factory=list)
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(entry, content, namespace, question) of each."""
    vectors: Vectors = field(default_factory=Vectors)
    counts: list[str] = field(default_factory=list)
    pool: Pool = field(default_factory=lambda: Pool({}))
    """Made anew when the counts change: its curve takes a millisecond to fit."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        self.last = 0
        self.numbers, self.rows, self.vectors = [], [], Vectors()

    def pool_of(self, counts: list[str]) -> Pool:
        if counts != self.counts:
            pairs = zip(counts[::2], map(_number, counts[1::2]), strict=True)
            self.counts, self.pool = counts, Pool(dict(pairs))
        return self.pool

    def take(self, reply: NearLookReply) -> None:
        """Drop what has left, add what is new."""
        gone = sum(number < reply.first for number in self.numbers)
        self.numbers, self.rows = self.numbers[gone:], self.rows[gone:]
        self.vectors.drop_first(gone)
        kept = []
        for number, entry, body in zip(reply.numbers, reply.ids, reply.entries, strict=True):
            self.last = number
            if not body:
                continue
            found = Entry.read(body)
            self.numbers.append(number)
            self.rows.append((entry, found.content, found.namespace, found.question))
            kept.append(found.vector)
        self.vectors.add(kept)


class LedgerIndex:
    """The default: no further server. `stated`: the rate of wrong answers that is to be kept, for
    people to see.
    """

    def __init__(self, call: Functions, stated: float, most: int = MOST_ENTRIES) -> None:
        self._call = call
        self._stated = stated
        self._most = most
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._lock = threading.Lock()

    def ahead(self, scope: Scope) -> Known:
        copy = self._copy(scope.key)
        with copy.lock:
            reply = self._renewed(scope.key, copy)
            return Known(copy.pool_of(reply.counts), reply.judge_micro)

    def nearest(self, scope: Scope, vector: str) -> tuple[Candidate, ...]:
        copy = self._copy(scope.key)
        with copy.lock:
            return tuple(self._nearest(copy, scope, vector))

    def keep(self, scope: Scope, vector: str, maker: str, life_ms: int) -> None:
        body = Entry(maker, scope.content, scope.namespace, vector, scope.question).body()
        name, stated = scope.name, self._stated
        self._call(NearKeep(scope.key, scope.entry, body, name, stated, self._most, life_ms))

    def _renewed(self, key: str, copy: _Copy) -> NearLookReply:
        reply = self._call(NearLook(key, copy.last))
        if reply.last < copy.last:  # the server was emptied
            copy.clear()
            reply = self._call(NearLook(key, 0))
        copy.take(reply)
        for _ in range(MOST_PAGES - 1):
            if copy.last >= reply.last:
                break
            reply = self._call(NearLook(key, copy.last))
            copy.take(reply)
        if copy.last >= reply.last and len(copy.rows) > reply.size:  # some were erased
            copy.clear()
        return reply

    @staticmethod
    def _nearest(copy: _Copy, scope: Scope, vector: str) -> Iterator[Candidate]:
        for place, similarity in copy.vectors.nearest(vector):
            found = Candidate(*copy.rows[place], similarity)
            if similarity >= LOWEST and found.content != scope.content:
                yield found

    def _copy(self, key: str) -> _Copy:
        with self._lock:
            found = self._copies.setdefault(key, _Copy())
            self._copies.move_to_end(key)
            while len(self._copies) > MOST_SCOPES:
                self._copies.popitem(last=False)
            return found


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
