"""Waiting for a ledger that is away or full, by what has time: a command that follows a batch."""

import time
from collections.abc import Callable
from typing import TypeVar

from .contract.errors import Unavailable

AWAY_S = 60.0
"""For so long a ledger out of reach is asked again when it was there before."""
PAUSE_S = 0.5
FULL = "OOM"
T = TypeVar("T")


class Patience:
    """Asks again while the ledger is away, for `away_s`, and while its memory is full, for ever.

    `pause` sleeps for so many seconds, and may raise to give up. `on_full` is told once.
    """

    def __init__(
        self,
        pause: Callable[[float], None] = time.sleep,
        on_full: Callable[[str], None] | None = None,
        away_s: float = AWAY_S,
    ) -> None:
        self._away_s = away_s
        self._pause = pause
        self._on_full = on_full
        self._is_full = False

    def insist(self, call: Callable[[], T]) -> T:
        """What `call` gives; it may be called more than once. Raises `Unavailable`."""
        since = time.monotonic()
        while True:
            try:
                return call()
            except Unavailable as error:
                if error.details.get("refused") == FULL:
                    self._tell_full(error.message)
                elif time.monotonic() - since > self._away_s:
                    raise
            self._pause(PAUSE_S)

    def _tell_full(self, reason: str) -> None:
        if self._on_full and not self._is_full:
            self._on_full(reason)
        self._is_full = True
