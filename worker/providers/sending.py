"""How far a call has come, as far as its transport can say: its request, then its reply.

What ends before the request is written was not billed: nothing has left this process.
"""

import asyncio
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import NamedTuple

PAUSE_SHARE = 0.04
LONGEST_PAUSE_S = 0.25
"""Each pause is a share of the time that a call has taken so far, so an answer is later by 2 % of
its time on average, and by an eighth of a second at most.
"""
END_S = 1.0
"""For the end of a connection after that of a stream; a connection that has none is not used again.
"""
LEAST_BYTES = 32
"""Fewer are no sound: one event of a stream has more, and a trickle of bytes is no answer."""


class Patience(NamedTuple):
    """How long a call waits for something to be heard.

    `silence_s`: seconds; None: as long as the call may last. `streams`: the reply begins before its
    answer is written; one that comes as a whole may take as long as the call. `thinks`: the model
    says nothing while it thinks, so that only the call's own limit ends the frame of a stream.
    """

    silence_s: float | None = None
    streams: bool = False
    thinks: bool = False


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
        self._patience = Patience()
        self._connecting: asyncio.Timeout | None = None
        self._silence: asyncio.Timeout | None = None
        self._heard = 0
        self._written_at = 0.0

    def prepares(self, patience: Patience) -> None:
        """Nothing is written yet, and a transport will say when."""
        self.written = False
        self.content = b""
        self._patience = patience

    def listens(self, silence: asyncio.Timeout) -> None:
        """`silence` ends the call when nothing has been heard for too long."""
        self._silence = silence

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
        self._heard = 0
        if self._patience.streams:
            self._wait(self._patience.silence_s)

    def hears(self, received: int, frame: int) -> None:
        """So many bytes of the reply's body have come; `frame`: as many may be no answer yet."""
        if 0 < received < self._heard + LEAST_BYTES:
            return
        self._heard = received
        silence_s = self._patience.silence_s
        if self._patience.thinks and received < frame:
            silence_s = None
        self._wait(silence_s)

    def answered(self, content: bytes, headers: Mapping[str, str]) -> None:
        """The whole reply is here, and it is a success."""
        self.content = content
        self.headers = headers

    def ends(self) -> None:
        """The stream says that it is whole: its end is waited for a little."""
        self._wait(END_S)

    @property
    def written_s(self) -> float:
        """Seconds since it was written."""
        return time.monotonic() - self._written_at

    @property
    def pause_s(self) -> float:
        """How long what comes of a stream may wait to be read."""
        most_s = LONGEST_PAUSE_S
        if self._patience.silence_s is not None:
            most_s = min(most_s, self._patience.silence_s / 8)
        return min(self.written_s * PAUSE_SHARE, most_s)

    def _wait(self, silence_s: float | None) -> None:
        """From now on; None: as long as the call may last."""
        if not self._silence:
            return
        until = None
        if silence_s is not None:
            until = asyncio.get_running_loop().time() + silence_s
        self._silence.reschedule(until)


_current: ContextVar[Sending] = ContextVar("sending")


def begin() -> Sending:
    """For the call that this thread or task makes now."""
    sending = Sending()
    _current.set(sending)
    return sending


def current() -> Sending:
    """That of the call of this task."""
    return _current.get(None) or begin()
