"""Celery's result backend as a producer reads it: no wait is for a dead connection, and none for
one of a parent process.

Celery waits for results on one subscription per process. Where a firewall has forgotten that
connection, nothing comes and nothing fails, and each `get()` of the process would wait for ever.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from weakref import WeakSet

from celery.backends import redis as celery_redis
from celery.backends.asynchronous import greenletDrainer

from . import forks
from .connections import Sentinel, YoungPool
from .contract import errors
from .group_results import note_chord

SILENT_S = 10.0
"""A subscription that was silent for so long is made anew, and what it may have missed is read."""
AWAY_S = 1.0
"""Between two tries of a greenlet to read a subscription whose server is away."""
_consumers: WeakSet[Any] = WeakSet()


class ResultConsumer(celery_redis.ResultConsumer):  # type: ignore[misc]
    _heard = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _consumers.add(self)

    def drain_events(self, timeout: float | None = None) -> None:
        """With gevent and eventlet one greenlet does it for all that wait; an error would end it
        for ever.
        """
        try:
            self._drain(timeout)
        except TimeoutError:
            raise
        except self._connection_errors:
            if not isinstance(self.drainer, greenletDrainer):
                raise
            time.sleep(AWAY_S)

    def _drain(self, timeout: float | None) -> None:
        super().drain_events(timeout)
        self._unless_heard()

    def _unless_heard(self) -> None:
        if self._pubsub is not None and time.monotonic() - self._heard > SILENT_S:
            self._heard = time.monotonic()
            with self.reconnect_on_error():
                self._reconnect_pubsub()

    def consume_from(self, task_id: str) -> None:
        """Who begins to wait after a pause waits for no dead subscription first."""
        with self._locked():
            self._unless_heard()
            super().consume_from(task_id)

    def cancel_for(self, task_id: str) -> None:
        """Asked of every result that is forgotten: of most nobody has waited for here. Also of what
        still waits when the process ends, where nothing can be connected.
        """
        if self.subscribed_to and not sys.is_finalizing():
            super().cancel_for(task_id)

    def begin_anew(self) -> None:
        """In a forked child: nobody waits there yet, and the subscription is the parent's."""
        if hasattr(self, "_reset_sync"):  # Celery 5.7's locks
            self._reset_sync()
        self._pubsub = None
        self.subscribed_to.clear()
        self.drainer: Any = type(self.drainer)(self)
        for waiting in self._pending_results:
            waiting.clear()

    @contextmanager
    def reconnect_on_error(self) -> Iterator[None]:
        """Raises the server's error, and not Celery's, after which nothing is to be tried again."""
        try:
            with super().reconnect_on_error():
                yield
        except RuntimeError as error:
            raise error.__cause__ or error from None

    def start(self, *args: Any, **kwargs: Any) -> None:
        self._heard = time.monotonic()
        super().start(*args, **kwargs)

    def on_state_change(self, meta: Any, message: Any) -> None:
        """`message`: None for what was read, which says nothing of the subscription."""
        if message is not None:
            self._heard = time.monotonic()
        super().on_state_change(meta, message)


class _Ours(celery_redis.RedisBackend):  # type: ignore[misc]
    def apply_chord(self, header_result_args: Any, body: Any, **options: Any) -> None:
        note_chord(header_result_args[0])
        super().apply_chord(header_result_args, body, **options)

    def exception_to_python(self, exc: Any) -> Any:
        if isinstance(exc, dict) and exc.get("exc_module") == errors.WIRE_MODULE:
            exc = exc | {"exc_module": errors.__name__}
        return super().exception_to_python(exc)


class ResultBackend(_Ours):
    ResultConsumer = ResultConsumer
    ConnectionPool = YoungPool


class SentinelResultBackend(_Ours, celery_redis.SentinelBackend):  # type: ignore[misc]
    ResultConsumer = ResultConsumer
    sentinel = SimpleNamespace(Sentinel=Sentinel)


@forks.in_each_child
def _subscribe_anew() -> None:
    for each in list(_consumers):
        each.begin_anew()
