"""Repeating a call of the ledger while Redis is away, where giving up would lose something paid."""

import time
from collections.abc import Callable
from typing import TypeVar

from .connection import ERRORS

PATIENCE_S = 60.0
"""How long an outcome is held in memory while Redis is away, before the lease is left to lapse."""

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0

T = TypeVar("T")


def retried_while_away(call: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """The result of `call`, or its last error after `patience_s`."""
    give_up = time.monotonic() + patience_s
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return call()
        except ERRORS:
            if time.monotonic() + wait_s > give_up:
                raise
        time.sleep(wait_s)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)
