"""Signals of prefork's children: their parent may end them, and nobody else.

systemd, Heroku, `tini -g` and a terminal send a stop to every process of a service. The parent
waits for what its children are doing; a child that ended at once would lose a paid call. A child
sees who sent a signal, so it needs no other one to be ended by its parent (a revoked task, a pool
that shrinks).
"""

import os
import signal
import threading
import time
from types import FrameType
from typing import Any

from celery import signals

HELD = frozenset({signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP})
"""SIGINT is ignored by billiard."""
SEES_SENDER = hasattr(signal, "sigwaitinfo")
"""Not on macOS: there a child ends by whoever tells it."""
WAKE = 41
"""A real-time signal, which nobody else uses."""
LOOK_S = 0.1

_told: list[int] = []
"""Signals of the parent that have not been obeyed."""
_running: list[bool] = []
"""Holds one while a job runs."""


def hold_signals() -> None:
    """In a child right after its fork, before it has a thread: until `obey_parent`, all wait."""
    if SEES_SENDER:
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)


def release_signals(**_: Any) -> None:
    """In a child that is none of the pool's, as the one of -B: anybody may end it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)


def obey_parent(**_: Any) -> None:
    """In a child, before its first job: from now on the parent's signals do what they do once the
    job that runs has ended, and others' nothing. Does nothing in a process that holds no signals: a
    solo pool has no children.

    A pool that shrinks takes a child that has just been sent a job for an idle one; a job that is
    revoked ends by its ledger within seconds.
    """
    if not signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= HELD:
        return
    signals.task_prerun.connect(_begin, weak=False)
    signals.task_postrun.connect(_end, weak=False)
    # A signal to the process would wake no system call of the main thread, so one is sent to it.
    signal.signal(WAKE, _obey)
    threading.Thread(
        target=_listen, args=(threading.main_thread(),), name="signals", daemon=True
    ).start()


def _begin(**_: Any) -> None:
    _running.append(True)


def _end(**_: Any) -> None:
    _running.clear()


def _obey(number: int, frame: FrameType | None) -> None:
    """The main thread's handler, between two jobs."""
    if _told and not _running:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
        signal.raise_signal(_told.pop())


def _listen(main: threading.Thread) -> None:
    while True:
        heard = signal.sigwaitinfo(HELD)
        if heard.si_pid in (os.getppid(), os.getpid()):
            _told.append(heard.si_signo)
        while _told and main.ident:
            time.sleep(LOOK_S)  # its result is on its way to the parent when a job has ended
            if not _running:
                signal.pthread_kill(main.ident, WAKE)
