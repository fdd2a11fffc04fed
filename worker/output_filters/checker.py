"""Checks of answers in child processes: what a request wants of an answer may take any time."""

import atexit
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from producer.children import Children, NoReply

from . import child

WALL_S = 5.0
"""For one check, waiting for a child included; its own limits end most of them much sooner."""
MAX_CHILDREN = 16
"""At once, in one worker process."""
MAX_OF_ONE_USER = 2
"""At once. Further answers of the same user wait for these, and no other user's do."""


class NotChecked(Exception):
    """The check took more than it may: nothing is known of the answer."""


class Checker:
    """Checks of this process: each user's in turn, in children that end with it."""

    def __init__(self) -> None:
        self._children = Children(Path(child.__file__))
        self._start_anew()

    def check(
        self, kind: bytes, wanted: str, text: str, within_s: float = WALL_S, user: str = ""
    ) -> str:
        """What is wrong with `text`, "" if nothing. Raises `NotChecked`."""
        if self._pid != os.getpid():
            self._start_anew()
        until = time.monotonic() + min(within_s, WALL_S)
        with self._turn(user, until):
            return self._ask(kind, wanted.encode(), text.encode("utf-8", "surrogatepass"), until)

    @contextmanager
    def _turn(self, user: str, until: float) -> Iterator[None]:
        """Inside the block this is one of the checks that run. Raises `NotChecked`."""
        running = self._running
        with self._changed:
            free = self._changed.wait_for(
                lambda: running[user] < MAX_OF_ONE_USER and running.total() < MAX_CHILDREN,
                until - time.monotonic(),
            )
            if not free:
                raise NotChecked
            running[user] += 1
        try:
            yield
        finally:
            with self._changed:
                running[user] -= 1
                if not running[user]:
                    del running[user]
                self._changed.notify_all()

    def close(self) -> None:
        """End the children."""
        self._children.close()

    def _ask(self, kind: bytes, wanted: bytes, text: bytes, until: float) -> str:
        try:
            return self._children.ask(kind, wanted, text, until).decode("utf-8", "replace")
        except NoReply:
            raise NotChecked from None

    def _start_anew(self) -> None:
        """Also in a forked child, whose parent's checks are not its own."""
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._running: Counter[str] = Counter()
        """User -> checks that run."""


checker = Checker()
atexit.register(checker.close)
