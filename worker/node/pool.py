"""The pool `asyncio`: each job is a greenlet on the event loop on which providers are called.

Its code is that of all pools. What it would block on, its job waits for (`worker/loop/jobs.py`), so
that one thread runs a thousand jobs. What Celery does about a job (its events, its
acknowledgement) is done in the main thread, as in a pool of processes.
"""

import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from celery import concurrency
from celery.bin.worker import WORKERS_POOL
from celery.concurrency.base import BasePool, ExceptionInfo

from ..ledger.connection import ERRORS
from ..loop.jobs import Event
from ..runtime import current

NAME = "asyncio"
"""Behind -P."""
POOL = f"{__name__}:TaskPool"

Callback = Callable[[], object]


class _Bell:
    """Wakes the main thread in Celery's loop, once for all jobs that end until it has heard.

    What is called by `hub.call_soon` may not itself call so: the hub would sleep before that. And
    Celery acknowledges a job in this way.
    """

    def __init__(self) -> None:
        self._ear, self._clapper = socket.socketpair()
        for end in (self._ear, self._clapper):
            end.setblocking(False)
        self._rung = False

    def fileno(self) -> int:
        return self._ear.fileno()

    def ring(self) -> None:
        if not self._rung:
            self._rung = True
            self._clapper.send(b"!")

    def hush(self) -> None:
        """First: what comes from now on rings again."""
        with suppress(BlockingIOError):
            self._ear.recv(64)
        self._rung = False

    def close(self) -> None:
        self._ear.close()
        self._clapper.close()


class TaskPool(BasePool):  # type: ignore[misc]
    """Takes as many jobs as its consumer hands it: that knows the limit."""

    body_can_be_buffer = True
    signal_safe = False
    limit: int
    task_join_will_block = False

    def on_start(self) -> None:
        self._loop = current().loop
        self._bell = _Bell()
        self._numbers = count(1)
        self._running: dict[int, str] = {}
        """Celery's "pid" of a job, here a number -> its id."""
        self._ended: deque[Callback] = deque()
        self._changed = Event()

    def register_with_event_loop(self, hub: Any) -> None:
        """Each time that the consumer starts: it forgets callbacks when its connection is lost."""
        hub.add_reader(self._bell, self._tell_celery)
        self._bell.ring()

    def on_apply(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        callback: Callable[[Any], object],
        accept_callback: Callable[[int, float], object],
        error_callback: Callable[[Any], object],
        correlation_id: str = "",
        **_: Any,
    ) -> None:
        number = next(self._numbers)
        self._running[number] = correlation_id
        accepted_at = time.monotonic()

        def work() -> None:
            tell: Callback
            try:
                tell = partial(callback, target(*args, **(kwargs or {})))
            except BaseException:  # noqa: BLE001 -- as of a child process that died
                tell = partial(error_callback, ExceptionInfo())
            self._end(number, tell)

        # First, so that it runs while Celery notes it: its end comes to this thread, so later.
        self._loop.start_job(work)
        accept_callback(number, accepted_at)

    def _end(self, number: int, tell: Callback) -> None:
        """On the loop."""
        self._ended.append(tell)
        del self._running[number]
        self._changed.set()
        self._bell.ring()

    def _tell_celery(self) -> None:
        """In the main thread, of all jobs that have ended."""
        self._bell.hush()
        try:
            while self._ended:
                self._ended.popleft()()
        finally:
            if self._ended:
                self._bell.ring()

    def on_stop(self) -> None:
        """Waits for all jobs; what is too long is ended by `stops.py`."""
        while self._running or self._ended:
            self._changed.wait()
            self._changed.clear()
            self._tell_celery()
        self._bell.close()

    def terminate_job(self, pid: int, signal: Any = None) -> None:
        """A task is revoked with `terminate`: its job is cancelled, with the call on the wire."""
        runtime, job_id = current(), self._running.get(pid)
        if job_id:
            with suppress(*ERRORS):  # else a steward cancels it
                runtime.ledger.cancel(job_id)
            runtime.cancel(job_id)

    def grow(self, n: int = 1) -> None:
        self.limit += n

    def shrink(self, n: int = 1) -> None:
        self.limit = max(1, self.limit - n)

    def _get_info(self) -> dict[str, Any]:
        info: dict[str, Any] = super()._get_info()
        return info | {"running": len(self._running)}


def offer() -> None:
    """Have -P know it."""
    if NAME not in concurrency.ALIASES:
        concurrency.ALIASES[NAME] = POOL
        WORKERS_POOL.choices = (*WORKERS_POOL.choices, NAME)
