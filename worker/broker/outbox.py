"""Results of this process that are to be stored: one thread stores them, beside the slots."""

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from celery import states
from celery.backends.redis import RedisBackend

from producer.redis_trouble import reason

from ..loop.jobs import Event, current_job

PATIENCE_S = 1.0
"""For what must be stored before its task goes on; a server that is well takes a millisecond."""
FLUSH_S = 5.0
"""For what waits when the process is told to stop."""
MOST = 10_000
MOST_BYTES = 64_000_000
"""Of results that wait in one process; beyond either the oldest is dropped."""
AT_ONCE = 200
AT_ONCE_BYTES = 1_000_000
"""Of one trip."""
PAUSES_S = (0.1, 5.0)
"""Between two tries: the first, and the longest; each is twice the one before."""
SAY_S = 30.0
"""Between two lines that say that results wait."""

SERVER_ERRORS = (OSError, RedisBackend.redis.RedisError)

logger = logging.getLogger(__name__)
_outboxes: dict[int, list["Outbox"]] = {}
"""Those of each process, by pid: a forked child has no thread of its parent's."""


@dataclass(frozen=True, eq=False)
class Result:
    """One that is to be stored. Its repr shows no answer."""

    task_id: str
    payload: Any = field(repr=False)
    state: str
    join: Callable[[], None] | None = None
    """Hands it to the chord that its task is a part of, in place of storing it."""
    stored: Event = field(default_factory=Event, repr=False)
    dropped: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def key(self) -> tuple[str, bool]:
        return self.task_id, self.join is not None


Store = Callable[[list[Result]], Iterable[Result]]


class Outbox:
    """Results of this process that are to be stored, oldest first.

    `store`: stores what it is given and yields each that is done with, or raises if the server is
    to be tried again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: OrderedDict[tuple[str, bool], Result] = OrderedDict()
        self._bytes = 0
        self._dropped = 0
        self._in_trouble = False
        self._stopping = False
        self._rings = False
        self._said = -SAY_S
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, result: Result, wait: bool = False) -> None:
        """Have it stored; `wait`: return when it is, or when the server takes too long.

        A state that is not the last is waited for, and dropped if that takes too long: a later one
        must not be overwritten by it.
        """
        final = result.state in states.READY_STATES
        with self._changed:
            if self._in_trouble and not final:
                return
            self._add(result)
            wait = (wait or not final) and not self._in_trouble
        if wait and not result.stored.wait(PATIENCE_S):
            self._in_trouble = True
        if not final:
            self._remove([result])

    @property
    def in_trouble(self) -> bool:
        """Whether the server was at the last look."""
        return self._in_trouble

    def waiting(self, task_id: str) -> list[Result]:
        """What of that task is not stored yet."""
        found = (self._waiting.get((task_id, joins)) for joins in (False, True))
        return [each for each in found if each]

    def flush(self, timeout_s: float) -> None:
        """Wait until nothing waits, or for so long; what is left then is told."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting, timeout_s)
            left = len(self._waiting)
        if left:
            logger.warning("results: %d are not stored; only job.value() has them", left)

    def _add(self, result: Result) -> None:
        self._drop(self._waiting.get(result.key))
        self._waiting[result.key] = result
        self._bytes += len(result.payload)
        while len(self._waiting) > MOST or (self._bytes > MOST_BYTES and len(self._waiting) > 1):
            oldest = next(iter(self._waiting.values()))
            self._drop(oldest)
            oldest.dropped.set()
            self._dropped += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="results", daemon=True)
            self._thread.start()
        job = current_job()
        if job is None:
            self._changed.notify_all()
        elif not self._rings:
            self._rings = True
            job.loop.call_soon(self._ring)

    def _ring(self) -> None:
        """Once for all results of a turn of the loop: to wake a thread takes 0.1 ms of CPU."""
        with self._changed:
            self._rings = False
            self._changed.notify_all()

    def _drop(self, result: Result | None) -> None:
        """Unless another one of its task has taken its place."""
        if result is not None and self._waiting.get(result.key) is result:
            del self._waiting[result.key]
            self._bytes -= len(result.payload)

    def _remove(self, results: list[Result]) -> None:
        with self._changed:
            for each in results:
                self._drop(each)
            self._changed.notify_all()

    def _oldest(self) -> list[Result]:
        """As many as one trip takes."""
        found: list[Result] = []
        left = AT_ONCE_BYTES
        for each in islice(self._waiting.values(), AT_ONCE):
            left -= len(each.payload)
            if found and left < 0:
                break
            found.append(each)
        return found

    def _run(self) -> None:
        pause_s, longest_s = PAUSES_S
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                batch = self._oldest()
            trouble = self._store_batch(batch)
            if trouble:
                self._in_trouble = True
                self._say(trouble)
                self._pause(pause_s)
                pause_s = min(longest_s, 2 * pause_s)
                continue
            pause_s = PAUSES_S[0]
            self._mended()

    def _store_batch(self, batch: list[Result]) -> Exception | None:
        """What is wrong with the server; what is stored then waits no more."""
        stored = []
        trouble: Exception | None = None
        try:
            for each in self._store(batch):
                stored.append(each)
                each.stored.set()
        except SERVER_ERRORS as error:
            trouble = error
        self._remove(stored)
        return trouble

    def _pause(self, seconds: float) -> None:
        """A stop ends it: what waits then has little time."""
        with self._changed:
            stopping = self._stopping
            self._changed.wait_for(lambda: self._stopping, seconds)
        if stopping:
            time.sleep(PAUSES_S[0])

    def _mended(self) -> None:
        """Slots wait for the server again once all that waited is stored."""
        if self._in_trouble and not self._waiting:
            self._in_trouble = False
            logger.warning("results: all are stored again; %d were dropped", self._dropped)
            self._dropped = 0

    def _say(self, error: Exception) -> None:
        if time.monotonic() - self._said < SAY_S:
            return
        self._said = time.monotonic()
        text = "results: %s; %d wait to be stored, %d were dropped; job.value() has them all"
        logger.warning(text, reason(error), len(self._waiting), self._dropped)


def open_in_this_process(store: Store) -> Outbox:
    """One of its own: a forked child has no thread of its parent's."""
    outbox = Outbox(store)
    _outboxes.setdefault(os.getpid(), []).append(outbox)
    return outbox


def flush(timeout_s: float = FLUSH_S) -> None:
    """Store what waits in this process, in so much time."""
    until = time.monotonic() + timeout_s
    for outbox in _outboxes.get(os.getpid(), []):
        outbox.flush(max(0.0, until - time.monotonic()))
