"""The default index: the questions of a scope in the ledger's server, with their vectors, packed.

A process keeps a copy of the scopes that it uses and asks for what is new. A copy may have what is
gone: what a candidate points at is looked at before it is given out (`near_peek`).
"""

import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from producer.contract.ledger.functions import Functions

from ..ledger.semantic_functions import NearKeep, NearLook, NearLookReply
from .entries import Entry
from .evidence import LOWEST
from .index import Candidate, Copies, CountedPool, Known
from .scope import Scope
from .vectors import Vectors

MOST_ENTRIES = 5_000
"""Of a scope; the oldest leave. 5,000 vectors of 1,536 numbers have 31 MB in a process."""
MOST_PAGES = 4
"""That one lookup reads; the rest is read by the next."""


@dataclass
class _Copy:
    """Of one scope, in this process."""

    last: int = 0
    numbers: list[int] = field(default_factory=list)
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(entry, content, namespace, question) of each."""
    vectors: Vectors = field(default_factory=Vectors)
    pool: CountedPool = field(default_factory=CountedPool)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        self.last = 0
        self.numbers, self.rows, self.vectors = [], [], Vectors()

    def take(self, reply: NearLookReply) -> None:
        """Drop what has left, add what is new."""
        if gone := bisect_left(self.numbers, reply.first):
            self.numbers, self.rows = self.numbers[gone:], self.rows[gone:]
            self.vectors.drop_first(gone)
        kept = []
        for number, entry, body in zip(reply.numbers, reply.ids, reply.entries, strict=True):
            self.last = number
            if not body:
                continue
            found = Entry.read(body)
            if not found.vector:  # it is in Chroma, from when that was the index
                continue
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
        self._copies = Copies(_Copy)

    def ahead(self, scope: Scope) -> Known:
        copy = self._copies.of(scope.key)
        with copy.lock:
            reply = self._renewed(scope.key, copy)
            return Known(copy.pool.of(reply.counts), reply.judge_micro)

    def nearest(self, scope: Scope, vector: str) -> tuple[Candidate, ...]:
        copy = self._copies.of(scope.key)
        with copy.lock:
            return tuple(self._nearest(copy, scope, vector))

    def keep(self, scope: Scope, vector: str, maker: str, life_ms: int) -> None:
        body = Entry(maker, scope.content, scope.namespace, vector, scope.question).body()
        name, stated = scope.name, self._stated
        self._call(NearKeep(scope.key, scope.entry, body, name, stated, self._most, life_ms))

    def prepare(self) -> None:
        pass

    def close(self) -> None:
        pass

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
