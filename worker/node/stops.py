"""Stops: however a worker is told to end, it takes no job any more, and calls on the wire go on.

Celery's second SIGINT, its SIGQUIT and its SIGTERM under REMAP_SIGTERM end what runs: a call that
is paid for would be repeated. Here all of them are one warm stop, which lasts as long as the calls
or `LLM_STOP_SECONDS`, whichever ends first. What has not ended then is named in the log, and others
take it over as from a worker that died.
"""

import logging
import os
import queue
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from celery import bootsteps, signals
from celery.concurrency import prefork
from celery.worker import state

from ..broker import outbox
from ..runtime import current
from .pool_children import hold_signals

logger = logging.getLogger(__name__)

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
MOST_NAMED = 20
"""Jobs that one line of the log names."""
OVER = 1
"""The exit code of a worker whose time ran out."""


class Stops(bootsteps.StartStopStep):  # type: ignore[misc]
    """In the main process of each worker."""

    def __init__(self, controller: Any, **kwargs: Any) -> None:
        super().__init__(controller, **kwargs)
        self._pid = os.getpid()
        # Its put may be interrupted by a handler that puts, too.
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()
        if is_prefork(controller.pool_cls):
            os.register_at_fork(after_in_child=hold_signals)

    def start(self, controller: Any) -> None:
        """Celery has set its own handlers before. A worker in a thread, of a test, is not told by
        signals, and does not end its process.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for number in STOPS:
            signal.signal(number, self._note)
        clock = threading.Thread(target=self._watch, args=(controller,), name="stop", daemon=True)
        clock.start()

    def close(self, controller: Any) -> None:
        """The stop begins, also one that no signal asked for."""
        self._told.put("")

    def _note(self, number: int, *_: Any) -> None:
        """A handler, so it does as little as it can; a child between its fork and its own handlers
        has this one, too.
        """
        if os.getpid() == self._pid:
            state.should_stop = os.EX_OK
            self._told.put(signal.Signals(number).name)

    def _watch(self, controller: Any) -> None:
        why = self._told.get()
        left_s = current().settings.call.stop_s
        ends = time.monotonic() + (left_s or 0.0)
        _say(why, left_s)
        signals.worker_shutting_down.send(
            sender=controller.hostname, sig=why, how="Warm", exitcode=os.EX_OK
        )
        while left_s is None or left_s > 0:
            with suppress(queue.Empty):
                if why := self._told.get(timeout=left_s):
                    _say(why, left_s)
            if left_s is not None:
                left_s = ends - time.monotonic()
        _give_up(controller)


def is_prefork(pool: Any) -> bool:
    """Whether a pool, or a class of them, has processes of its own."""
    if isinstance(pool, str):
        return pool in ("prefork", "processes")
    kind = pool if isinstance(pool, type) else type(pool)
    return issubclass(kind, prefork.TaskPool)


def _running() -> list[str]:
    """Ids of the jobs whose end this worker waits for."""
    return sorted(str(request.id) for request in tuple(state.active_requests))


def _say(why: str, left_s: float | None) -> None:
    limit = "as long as they take" if left_s is None else f"at most {left_s:.0f} s"
    logger.warning(
        "STOPPING%s: Warm shutdown: no job is taken; %d that run are finished, %s",
        f" ({why})" if why else "",
        len(_running()),
        limit,
    )


def _give_up(controller: Any) -> None:
    """End at once, with all children: nothing of what runs here is waited for any more."""
    jobs = _running()
    more = f" and {len(jobs) - MOST_NAMED} more" if len(jobs) > MOST_NAMED else ""
    logger.error(
        "STOP_TIME_OVER: %d jobs had not ended: %s%s. Their calls count as possibly billed, and "
        "others take the jobs over. Fix: a longer LLM_STOP_SECONDS, and time from the platform",
        len(jobs),
        ", ".join(jobs[:MOST_NAMED]),
        more,
    )
    outbox.flush()
    if is_prefork(controller.pool):
        for pid in controller.pool.info["processes"]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    os._exit(OVER)
