"""Awaited jobs: all of an event loop's wait in one room, whose attendant looks at the ledger for
all of them at once.
"""

import asyncio
import contextlib
from typing import ClassVar
from weakref import WeakKeyDictionary

from .store import ERRORS, AsyncStore

LOOK_S = 0.05
AWAY_S = 1.0
"""Between looks while the ledger is out of reach: an awaited job waits until it is back, or its
caller gives up.
"""


class OutcomeWaiter:
    """One per event loop and ledger. Ends its connection when nobody waits."""

    _rooms: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, "OutcomeWaiter"]] = (
        WeakKeyDictionary()
    )

    def __init__(self, url: str, prefix: str) -> None:
        self.place = (url, prefix)
        self._waiting: dict[str, list[asyncio.Future[str | None]]] = {}
        self._attendant: asyncio.Task[None] | None = None

    @classmethod
    def of_this_loop(cls, url: str, prefix: str) -> "OutcomeWaiter":
        loop = asyncio.get_running_loop()
        room = cls._rooms.get(loop)
        if room is None or room.place != (url, prefix):
            room = cls._rooms[loop] = cls(url, prefix)
        return room

    async def outcome(self, job_id: str) -> str | None:
        """The stored outcome, once it is there; None if the ledger has no such job."""
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, []).append(future)
        if self._attendant is None or self._attendant.done():
            self._attendant = asyncio.create_task(self._attend())
        try:
            return await future
        finally:
            self._forget(job_id, future)

    async def _attend(self) -> None:
        store = AsyncStore(*self.place)
        try:
            while self._waiting:
                pause = LOOK_S
                try:
                    await self._look(store)
                except ERRORS:
                    pause = AWAY_S
                await asyncio.sleep(pause)
        finally:
            with contextlib.suppress(*ERRORS):
                await store.close()

    async def _look(self, store: AsyncStore) -> None:
        for job_id, (text, known) in (await store.outcomes(list(self._waiting))).items():
            if text is not None or not known:
                for future in self._waiting.get(job_id, []):
                    if not future.done():
                        future.set_result(text)

    def _forget(self, job_id: str, future: "asyncio.Future[str | None]") -> None:
        left = [each for each in self._waiting.get(job_id, []) if each is not future]
        if left:
            self._waiting[job_id] = left
        else:
            self._waiting.pop(job_id, None)
