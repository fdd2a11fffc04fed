"""The index for large scopes: the questions in the ledger's server, their vectors in Chroma.

Chroma only says which questions are alike. What they are, that they are still there, and all
evidence is the ledger's; what has left there leaves Chroma when it is next seen, or at its end.
While Chroma is away nothing is found and nothing kept.
"""

import random
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from producer.contract.ledger.functions import Functions

from ..ledger.semantic_functions import NearKeep, NearLook, NearRead
from .chroma import Chroma
from .entries import Entry
from .evidence import LOWEST
from .index import Away, Candidate, Copies, CountedPool, Known
from .scope import Scope
from .vectors import SHORTLIST

MOST_ENTRIES = 100_000
"""Of a scope; the oldest leave. In the ledger each has some 300 bytes and its question."""
SWEEP_S = 600.0
"""Between two sweeps of one process, more or less."""
COUNTS_ONLY = 2**53 - 1
"""In place of a question's number: none was added after it."""


@dataclass
class _Kept:
    """Of one scope, in this process."""

    pool: CountedPool = field(default_factory=CountedPool)
    gone: set[str] = field(default_factory=set)
    """Seen in Chroma, and no longer in the ledger."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class ChromaIndex:
    """`stated`: the rate of wrong answers that is to be kept, for people to see."""

    def __init__(
        self,
        call: Functions,
        stated: float,
        chroma: Chroma,
        most: int = MOST_ENTRIES,
        sweep_s: float = SWEEP_S,
    ) -> None:
        self._call = call
        self._stated = stated
        self._chroma = chroma
        self._most = most
        self._sweep_s = sweep_s
        self._sweep_at = time.monotonic() + random.uniform(0, sweep_s)  # noqa: S311
        self._copies = Copies(_Kept)

    def ahead(self, scope: Scope) -> Known:
        reply = self._call(NearLook(scope.key, COUNTS_ONLY))
        copy = self._copies.of(scope.key)
        with copy.lock:
            return Known(copy.pool.of(reply.counts), reply.judge_micro)

    def nearest(self, scope: Scope, vector: str) -> tuple[Candidate, ...]:
        try:
            hits = self._chroma.nearest(scope.key, vector, SHORTLIST)
        except Away:
            return ()
        if not hits:
            return ()
        reply = self._call(NearRead(scope.key, tuple(hit.entry for hit in hits)))
        found, gone = [], []
        for hit, body in zip(hits, reply.entries, strict=True):
            if not body or hit.end_ms <= reply.now_ms:
                gone.append(hit.entry)
                continue
            entry = Entry.read(body)
            if hit.similarity >= LOWEST and entry.content != scope.content:
                kept = (hit.entry, entry.content, entry.namespace, entry.question)
                found.append(Candidate(*kept, hit.similarity))
        self._note_gone(scope, gone)
        return tuple(found)

    def keep(self, scope: Scope, vector: str, maker: str, life_ms: int) -> None:
        if self._chroma.paused:
            return
        body = Entry(maker, scope.content, scope.namespace, "", scope.question).body()
        name, stated = scope.name, self._stated
        # First in the ledger: what is in Chroma alone counts as gone.
        kept = self._call(NearKeep(scope.key, scope.entry, body, name, stated, self._most, life_ms))
        with suppress(Away):
            end_ms = kept.now_ms + life_ms
            self._chroma.keep(scope.key, scope.entry, vector, maker, end_ms)
            if gone := self._all_gone(scope, kept.gone):
                self._chroma.drop(scope.key, vector, gone)
            if time.monotonic() >= self._sweep_at:
                pause_s = self._sweep_s * random.uniform(0.5, 1.5)  # noqa: S311
                self._sweep_at = time.monotonic() + pause_s
                self._chroma.drop_ended(kept.now_ms)

    def prepare(self) -> None:
        with suppress(Away):
            self._chroma.prepare()

    def close(self) -> None:
        self._chroma.close()

    def _note_gone(self, scope: Scope, gone: Sequence[str]) -> None:
        """They leave Chroma with the next that is kept: a job waits for this lookup."""
        if gone:
            copy = self._copies.of(scope.key)
            with copy.lock:
                copy.gone.update(gone)

    def _all_gone(self, scope: Scope, left: Sequence[str]) -> list[str]:
        copy = self._copies.of(scope.key)
        with copy.lock:
            gone = (copy.gone | set(left)) - {scope.entry}
            copy.gone = set()
        return sorted(gone)
