"""How far the request of a call has come, as far as its transport can say.

What ends before the request is written was not billed: nothing has left this process.
"""

import asyncio
import time
from collections.abc import Mapping
from contextvars import ContextVar


class Sending:
    """Of one call, whose thread and event loop share it."""

    def __init__(self) -> None:
        self.written = True
        """Whether the provider may have it; so it is if no transport says that it is not."""
        self.reused = False
        """Whether it goes over a connection that was idle before."""
        self.content = b""
        self.headers: Mapping[str, str] = {}
        """Of the reply, if it is a success, as they came."""
        self._connecting: asyncio.Timeout | None = None
        self._written_at = 0.0

    def prepares(self) -> None:
        """Nothing is written yet, and a transport will say when."""
        self.written = False

    def connects(self, limit: asyncio.Timeout) -> None:
        """It waits for a connection until `limit`; nothing is written."""
        self._connecting = limit
        self.written = False
        self.reused = False

    def writes(self) -> None:
        """From now on the provider may have it."""
        if self._connecting:
            self._connecting.reschedule(None)
        self.written = True
        self._written_at = time.monotonic()

    def answered(self, content: bytes, headers: Mapping[str, str]) -> None:
        """The whole reply is here, and it is a success."""
        self.content = content
        self.headers = headers

    @property
    def written_s(self) -> float:
        """Seconds since it was written."""
        return time.monotonic() - self._written_at


_current: ContextVar[Sending] = ContextVar("sending")


def begin() -> Sending:
    """For the call that this thread or task makes now."""
    sending = Sending()
    _current.set(sending)
    return sending


def current() -> Sending:
    """That of the call of this task."""
    return _current.get(None) or begin()
