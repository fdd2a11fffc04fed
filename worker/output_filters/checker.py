"""Checks of answers in child processes: what a request wants of an answer may take any time."""

import atexit
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from producer.children import Children, NoReply, Until

from ..loop.jobs import beside
from . import child

WALL_S = 5.0
"""For one check, waiting for a child included; its own limits end most of them much sooner."""
MAX_CHILDREN = 16
"""At once, in one worker process."""
MAX_OF_ONE_USER = 1
"""At once. Further answers of the same user wait for it, and no other user's do."""


HURRIED_S = 0.5
"""For one check while this process stops."""


class NotChecked(Exception):
    """The check took more than it may, or was ended: nothing is known of the answer."""


class Whose(NamedTuple):
    """Of whose answer a check is."""

    within_s: float = WALL_S
    """What it may take, as its job must end then."""
    user: str = ""
    job_id: str = ""


NOBODY = Whose()


class Checker:
    """Checks of this process: each user's in turn, in children that end with it."""

    def __init__(self) -> None:
        self._children = Children(Path(child.__file__))
        self._start_anew()

    def check(self, kind: bytes, wanted: str, text: str, whose: Whose = NOBODY) -> str:
        """What is wrong with `text`, "" if nothing. Raises `NotChecked`."""
        if self._pid != os.getpid():
            self._start_anew()
        return beside(self._check, kind, wanted, text, whose)

    def _check(self, kind: bytes, wanted: str, text: str, whose: Whose) -> str:
        until = Until(min(whose.within_s, self._most_s))
        parts = wanted.encode(), text.encode("utf-8", "surrogatepass")
        with self._noted(whose.job_id, until), self._turn(whose.user, until):
            return self._ask(kind, *parts, until)

    def cancel(self, job_id: str) -> None:
        """End the checks of that job. From any thread."""
        with self._changed:
            for job, until in self._open:
                if job == job_id:
                    until.at_most(0)
            self._changed.notify_all()

    def hurry(self) -> None:
        """This process is to stop: have every check, also those to come, end in a moment."""
        with self._changed:
            self._most_s = HURRIED_S
            for _, until in self._open:
                until.at_most(HURRIED_S)
            self._changed.notify_all()

    @contextmanager
    def _noted(self, job_id: str, until: Until) -> Iterator[None]:
        """Inside the block the check can be ended."""
        noted = (job_id, until)
        with self._changed:
            self._open.append(noted)
        try:
            yield
        finally:
            with self._changed:
                self._open.remove(noted)

    @contextmanager
    def _turn(self, user: str, until: Until) -> Iterator[None]:
        """Inside the block this is one of the checks that run. Raises `NotChecked`."""
        running = self._running

        def is_free() -> bool:
            return running[user] < MAX_OF_ONE_USER and running.total() < MAX_CHILDREN

        with self._changed:
            while until.left_s > 0 and not is_free():
                self._changed.wait(until.left_s)
            if until.left_s <= 0:
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

    def _ask(self, kind: bytes, wanted: bytes, text: bytes, until: Until) -> str:
        try:
            return self._children.ask(kind, wanted, text, until).decode("utf-8", "replace")
        except NoReply:
            raise NotChecked from None

    def _start_anew(self) -> None:
        """Also in a forked child, whose parent's checks are not its own."""
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._most_s = WALL_S
        self._open: list[tuple[str, Until]] = []
        """(job, until when) of each check that runs or waits for its turn."""
        self._running: Counter[str] = Counter()
        """User -> checks that run."""


checker = Checker()
atexit.register(checker.close)
