"""Signals of prefork's children: their parent may end them, and nobody else.

systemd, Heroku, `tini -g` and a terminal send a stop to every process of a service. The parent
waits for what its children are doing; a child that ended at once would lose a paid call. A child
sees who sent a signal, so it needs no other one to be ended by its parent (a revoked task, a pool
that shrinks).
"""

import os
import signal
import threading
from types import FrameType
from typing import Any

HELD = frozenset({signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP})
"""SIGINT is ignored by billiard."""
SEES_SENDER = hasattr(signal, "sigwaitinfo")
"""Not on macOS: there a child ends by whoever tells it."""


def hold_signals() -> None:
    """In a child right after its fork, before it has a thread: until `obey_parent`, all wait."""
    if SEES_SENDER:
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)


def obey_parent(**_: Any) -> None:
    """In a child, before its first job: from now on the parent's signals do what they do, and
    others' nothing. Does nothing in a process that holds no signals: a solo pool has no children.
    """
    if not signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= HELD:
        return
    # A signal to the process would wake no system call of the main thread, so one is sent to it.
    wake = signal.SIGRTMIN + 7
    obeyed: list[int] = []

    def obey(number: int, frame: FrameType | None) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
        while obeyed:
            signal.raise_signal(obeyed.pop())

    signal.signal(wake, obey)
    main = threading.main_thread()
    thread = threading.Thread(target=_listen, args=(main, wake, obeyed), name="signals")
    thread.daemon = True
    thread.start()


def _listen(main: threading.Thread, wake: int, obeyed: list[int]) -> None:
    while True:
        told = signal.sigwaitinfo(HELD)
        if told.si_pid in (os.getppid(), os.getpid()) and main.ident:
            obeyed.append(told.si_signo)
            signal.pthread_kill(main.ident, wake)
