"""What a notebook shows while one waits: the one place that uses IPython, if it is running."""

import importlib
import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def shown_until(is_over: Callable[[T], bool], look: Callable[[], T], every_s: float) -> T:
    """Look again and again until it is over; returns the last look.

    In a notebook each look takes the place of the one before; elsewhere nothing is shown.
    """
    found = look()
    update = _displayed(found)
    while not is_over(found):
        time.sleep(every_s)
        found = look()
        update(found)
    return found


def _displayed(value: T) -> Callable[[T], None]:
    """Shows `value`, and gives what shows another one in its place."""
    if "IPython" not in sys.modules:
        return lambda _: None
    display = importlib.import_module("IPython.display").display
    handle = display(value, display_id=True)
    if handle is None:  # IPython is loaded, and this is none of its cells
        return lambda _: None
    update: Callable[[T], None] = handle.update
    return update
