"""Blocking sockets that another thread can shut, for an SDK on `requests`: the only way to end a
call that trickles.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_thread = threading.local()


class _Seen:
    """Tells the thread which connection its request is on."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        _thread.use(self)
        return super().request(*args, **kwargs)  # type: ignore[misc]


class _Http(_Seen, HTTPConnection):
    pass


class _Https(_Seen, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class Sockets:
    """The connections of a `requests` session, by the name of the call that is on them."""

    def __init__(self, session: requests.Session) -> None:
        self._lock = threading.Lock()
        self._connections: dict[str, Any] = {}
        self._unwanted: set[str] = set()
        for scheme in ("http://", "https://"):
            adapter = HTTPAdapter(pool_maxsize=64)
            adapter.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
            session.mount(scheme, adapter)

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """Requests of this thread are `name`'s."""

        def use(connection: Any) -> None:
            with self._lock:
                if name in self._unwanted:
                    raise ConnectionError("stopped before it was sent")
                self._connections[name] = connection

        _thread.use = use
        try:
            yield
        finally:
            with self._lock:
                self._connections.pop(name, None)
                self._unwanted.discard(name)

    def shut(self, name: str) -> None:
        """End the request that is running under `name`, or is about to: its thread gets a
        connection error.
        """
        with self._lock:
            connection = self._connections.get(name)
            if connection is None:
                self._unwanted.add(name)
        sock = getattr(connection, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def shut_all(self) -> None:
        """End every request."""
        for name in list(self._connections):
            self.shut(name)
