"""Notices: the ledger says on a job's channel when the job has ended.

One connection of a process, however many jobs it waits for. No notice is relied on: who waits looks
now and then as well (`waiting.py`). Where the server does not let us listen, it has to look often.
"""

import selectors
import socket
import time
import weakref
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

SILENT_S = 10.0
"""A connection that says nothing for so long, though it was asked to, is opened anew: a firewall
between may have forgotten it.
"""
DEAF_S = 1.0
"""Until the next try where the server is away, or does not let us listen."""
REST_S = 0.5
"""For the rest of a message whose beginning is here."""


class Notices(Protocol):
    """Used by one thread; only `wake` is for any."""

    @property
    def hears(self) -> bool:
        """Whether notices come; if not, who waits has to look."""

    def wake(self) -> None:
        """End the wait in `heard`."""

    def follow(self, new: Collection[str], gone: Collection[str]) -> None:
        """From now on listen to the ends of these jobs, and no more to those."""

    def heard(self, timeout_s: float) -> set[str]:
        """Jobs that have ended, or that are listened to from now on and may have ended before.

        Waits until there are any, for `wake`, or for so many seconds.
        """

    def close(self) -> None:
        """Until the next `follow`."""


class Subscription(Notices):
    """Of the jobs' channels.

    `server`: a client of redis-py, for this alone. `channel`: of a job. `errors`: what the server
    raises.
    """

    def __init__(
        self, server: Any, channel: Callable[[str], str], errors: tuple[type[Exception], ...]
    ) -> None:
        self._pubsub = server.pubsub()
        self._channel = channel
        self._errors = errors
        self._jobs: dict[str, str] = {}
        """Channel -> the job that is listened to."""
        self._open = False
        self._deaf_until = 0.0
        self._heard = 0.0
        self._asked = False
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
            weakref.finalize(self, end.close)

    @property
    def hears(self) -> bool:
        return time.monotonic() >= self._deaf_until

    def wake(self) -> None:
        with suppress(BlockingIOError):  # it is being woken
            self._waker.send(b"\0")

    def follow(self, new: Collection[str], gone: Collection[str]) -> None:
        fresh = {self._channel(job_id): job_id for job_id in new}
        left = [name for name in map(self._channel, gone) if self._jobs.pop(name, None)]
        self._jobs |= fresh
        with self._deaf_if_it_fails():
            if self._open and left:
                self._pubsub.unsubscribe(*left)
            wanted = fresh if self._open else self._jobs
            if wanted and self.hears:
                self._subscribe(wanted)

    def heard(self, timeout_s: float) -> set[str]:
        self._pause(timeout_s)
        found: set[str] = set()
        with self._deaf_if_it_fails():
            for message in self._messages():
                job_id = self._jobs.get(message["channel"])
                if job_id and message["type"] in ("subscribe", "message"):
                    found.add(job_id)
            self._probe()
        return found

    def close(self) -> None:
        self._jobs.clear()
        self._hang_up()

    def _subscribe(self, channels: Collection[str]) -> None:
        if not self._open:
            self._heard, self._asked = time.monotonic(), False
        self._pubsub.subscribe(*channels)
        self._open = True

    def _messages(self) -> Iterator[dict[str, Any]]:
        """All that have come; of one that has begun to come the rest is waited for."""
        while self._open and self._pubsub.connection.can_read(timeout=0.0):
            message = self._pubsub.get_message(timeout=REST_S)
            self._heard, self._asked = time.monotonic(), False
            if message:
                yield message

    def _probe(self) -> None:
        """Ask for a sign of life in time."""
        silent_s = time.monotonic() - self._heard
        if not self._open or not self._jobs or silent_s < SILENT_S / 2:
            return
        if silent_s > SILENT_S:
            self._hang_up()
        elif not self._asked:
            self._asked = True
            self._pubsub.ping()

    def _pause(self, timeout_s: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            connection = self._pubsub.connection
            if self._open and connection is not None and connection._sock is not None:
                selector.register(connection._sock, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(timeout_s)}
        if self._woken in ready:
            self._woken.recv(4096)

    @contextmanager
    def _deaf_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except self._errors:
            self._hang_up()
            self._deaf_until = time.monotonic() + DEAF_S

    def _hang_up(self) -> None:
        self._open = False
        with suppress(*self._errors):
            self._pubsub.reset()
