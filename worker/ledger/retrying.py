"""Repeating a call of the ledger while Redis is away, where giving up would lose something paid."""

import time
from collections.abc import Callable
from typing import TypeVar

from producer.redis_trouble import refusal_of

from ..loop.jobs import pause
from .connection import ERRORS

PATIENCE_S = 60.0
"""How long an outcome is held in memory while Redis is away, before the lease is left to lapse."""
REFUSED_TIMES = 10
"""So much longer while it refuses: then no other worker can take the job over either."""

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0

T = TypeVar("T")


def retried_while_away(call: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """The result of `call`, or its last error after `patience_s`."""
    began = time.monotonic()
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return call()
        except ERRORS as error:
            times = REFUSED_TIMES if refusal_of(error) else 1
            if time.monotonic() + wait_s > began + patience_s * times:
                raise
        pause(wait_s)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)
