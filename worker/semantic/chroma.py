"""Vectors in Chroma, the one door to its client.

A scope's vectors of one size are a collection of their own, so that none of another scope can be
seen. Beside each lie a hash of the user whose job made the answer and when its life ends; no text.
"""

import importlib
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from .index import Away
from .scope import digest
from .vectors import unpacked

if TYPE_CHECKING:
    from chromadb.api.fastapi import FastAPI
    from chromadb.api.models.Collection import Collection
    from chromadb.types import Collection as Model

AWAY_S = 5.0
"""After a failure nothing is asked for so long; then one call sees whether Chroma is back."""
MOST_KNOWN = 1_000
"""Collections that a process knows by id; the others are asked for by name."""
SWEPT = 100
"""Collections that one sweep looks at, any that follow each other."""
MOST_ENDED = 500
"""That a sweep takes out of one, so that it is done in milliseconds."""
COSINE: Any = {"hnsw": {"space": "cosine"}}
FOUND: Any = ["metadatas", "distances"]

logger = logging.getLogger(__name__)


def load_client() -> None:
    """Import it, which takes up to a second."""
    importlib.import_module("chromadb.api.fastapi")


class Hit(NamedTuple):
    """A vector that is like another."""

    entry: str
    end_ms: int
    similarity: float


class Chroma:
    """Of one process, safe across threads. Raises `Away`, at once for a while after a failure.

    `fleet`: its name, as several may share a server. `timeout_s`: of a call's connecting, sending
    and waiting each. `failed` is called at each failure.
    """

    def __init__(
        self, url: str, fleet: str, timeout_s: float, failed: Callable[[], None] = lambda: None
    ) -> None:
        self._url = url
        self._prefix = f"near-{digest(fleet)[:12]}-"
        self._timeout_s = timeout_s
        self._failed = failed
        self._known: dict[str, Collection] = {}
        self._lock = Lock()
        self._away = False
        self._paused_until = 0.0

    @property
    def paused(self) -> bool:
        """Whether it is not asked now, because it was away a moment ago."""
        return time.monotonic() < self._paused_until

    def prepare(self) -> None:
        """Make the client, and see whether Chroma answers."""
        with self._asked():
            self._server.heartbeat()

    def nearest(self, scope: str, vector: str, most: int) -> list[Hit]:
        """The best first. `vector`: as `vectors.packed` gives it."""
        row = unpacked(vector)
        asked: Any = {"query_embeddings": [row], "n_results": most, "include": FOUND}
        with self._asked():
            name = self._name(scope, len(row))
            found = self._in_known(name, lambda each: each.query(**asked))
            if not found:
                return []
            columns = found["ids"][0], found["metadatas"][0], found["distances"][0]
            return [
                Hit(entry, int(beside["end"]), min(1 - distance, 1.0))
                for entry, beside, distance in zip(*columns, strict=True)
            ]

    def keep(self, scope: str, entry: str, vector: str, maker: str, end_ms: int) -> None:
        row = unpacked(vector)
        beside: Any = {"maker": digest(maker), "end": end_ms}

        def put(collection: "Collection") -> bool:
            collection.upsert(ids=[entry], embeddings=[row], metadatas=[beside])
            return True

        with self._asked():
            name = self._name(scope, len(row))
            if not self._in_known(name, put):
                put(self._made(name))

    def drop(self, scope: str, like: str, entries: Sequence[str]) -> None:
        """Those whose vectors are of the size of `like`."""
        with self._asked():
            name = self._name(scope, len(unpacked(like)))
            self._in_known(name, lambda each: each.delete(ids=list(entries)))

    def drop_ended(self, now_ms: int) -> None:
        """Of some scopes, those whose life has ended, and collections that are empty then."""
        ended: Any = {"end": {"$lte": now_ms}}
        with self._asked():
            others = max(0, self._server.count_collections() - SWEPT)
            offset = random.randint(0, others)  # noqa: S311 -- no secret
            for each in self._ours(limit=SWEPT, offset=offset):
                each.delete(where=ended, limit=MOST_ENDED)
                if each.count() == 0:
                    self._server.delete_collection(each.name)

    def erase(self, maker: str) -> None:
        """All of a user."""
        with self._asked():
            for each in self._ours():
                each.delete(where={"maker": digest(maker)})

    def close(self) -> None:
        if server := vars(self).get("_server"):
            server._session.close()

    def _name(self, scope: str, size: int) -> str:
        return f"{self._prefix}{scope[:40]}-{size}"

    def _ours(self, limit: int | None = None, offset: int | None = None) -> "Iterator[Collection]":
        """Each is looked at in turn; one that has gone meanwhile is passed over."""
        from chromadb.errors import NotFoundError

        for model in self._server.list_collections(limit, offset):
            if model.name.startswith(self._prefix):
                with suppress(NotFoundError):
                    yield self._collection(model)

    def _in_known(self, name: str, work: "Callable[[Collection], Any]") -> Any:
        """None if there is no such collection. One that is known by its id may be gone."""
        from chromadb.errors import NotFoundError

        with suppress(NotFoundError):
            if known := self._known.get(name):
                return work(known)
        with suppress(NotFoundError):
            return work(self._remembered(self._server.get_collection(name)))
        return None

    def _made(self, name: str) -> "Collection":
        """Two processes may do so at once."""
        made = self._server.create_collection(name, configuration=COSINE, get_or_create=True)
        return self._remembered(made)

    def _remembered(self, model: "Model") -> "Collection":
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        found = self._known[model.name] = self._collection(model)
        return found

    def _collection(self, model: "Model") -> "Collection":
        from chromadb.api.models.Collection import Collection

        return Collection(self._server, model, embedding_function=None)

    @cached_property
    def _server(self) -> "FastAPI":
        """Not by its `HttpClient`, which asks the server three times before it can be given a
        time-out. It reads no file, tells nobody anything, and has no telemetry.
        """
        from chromadb.api.fastapi import FastAPI
        from chromadb.config import Settings, System

        settings = Settings(
            _env_file=None,
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=self._url,
            chroma_server_http_port=urlsplit(self._url).port or 80,
            anonymized_telemetry=False,
            chroma_otel_granularity="none",
        )
        server = System(settings).instance(FastAPI)
        server._session.timeout = self._timeout_s
        return server

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """A call or two in here; whatever fails in them is `Away`."""
        with self._lock:
            if self.paused:
                raise Away("it was away a moment ago")
            if self._away:  # one looks whether it is back, and no other meanwhile
                self._paused_until = time.monotonic() + AWAY_S
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- the client raises bare ones, too
            self._is_away(type(error).__name__)
            raise Away(type(error).__name__) from None
        if self._away:
            self._away, self._paused_until = False, 0.0
            logger.warning("Chroma answers again")

    def _is_away(self, why: str) -> None:
        with self._lock:
            first, self._away = not self._away, True
            self._paused_until = time.monotonic() + AWAY_S
        if first:
            logger.warning("Chroma does not answer (%s). Fix: check LLM_SEMANTIC_INDEX", why)
        self._failed()
