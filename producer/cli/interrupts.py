"""Ctrl-C while a command waits."""

import signal
import threading
import time
from types import FrameType
from typing import Self

LOOK_S = 0.1


class Interrupts:
    """Inside `with` no Ctrl-C is lost.

    Python drops a `KeyboardInterrupt` that is raised in a destructor or a callback of C code; it is
    raised again by the next `pause`.
    """

    def __enter__(self) -> Self:
        self._seen = False
        self._is_ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self._is_ours:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def pause(self, seconds: float) -> None:
        """Sleep. Raises `KeyboardInterrupt`, also for one that came before."""
        until = time.monotonic() + seconds
        while True:
            if self._seen:
                raise KeyboardInterrupt
            left_s = until - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(left_s, LOOK_S))

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._seen = True
        raise KeyboardInterrupt
