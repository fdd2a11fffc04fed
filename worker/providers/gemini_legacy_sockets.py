"""Blocking sockets that another thread can shut, for an SDK on `requests`.

That is the only way to end a call whose answer trickles in.
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


class _Reported:
    """Reports the connection of a request to the thread that sends it."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        _thread.report(self)
        return super().request(*args, **kwargs)  # type: ignore[misc]


class _Http(_Reported, HTTPConnection):
    pass


class _Https(_Reported, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class Sockets:
    """The connections of a `requests` session, by the job whose call uses them."""

    def __init__(self, session: requests.Session) -> None:
        self._lock = threading.Lock()
        self._connections: dict[str, Any] = {}
        self._stopped: set[str] = set()
        for scheme in ("http://", "https://"):
            adapter = HTTPAdapter(pool_maxsize=64)
            adapter.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
            session.mount(scheme, adapter)

    @contextmanager
    def used_by(self, job_id: str) -> Iterator[None]:
        """Requests of this thread belong to the job."""

        def report(connection: Any) -> None:
            with self._lock:
                if job_id in self._stopped:
                    raise ConnectionError("stopped before it was sent")
                self._connections[job_id] = connection

        _thread.report = report
        try:
            yield
        finally:
            with self._lock:
                self._connections.pop(job_id, None)
                self._stopped.discard(job_id)

    def shut(self, job_id: str) -> None:
        """End the job's request, running or about to: its thread gets a connection error."""
        with self._lock:
            connection = self._connections.get(job_id)
            if connection is None:
                self._stopped.add(job_id)
        sock = getattr(connection, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def shut_all(self) -> None:
        """End every request."""
        for job_id in list(self._connections):
            self.shut(job_id)
