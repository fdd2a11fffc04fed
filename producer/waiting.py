"""Awaited jobs: all of an event loop share one task that reads their outcomes from the ledger."""

import asyncio
import contextlib
from typing import ClassVar
from weakref import WeakKeyDictionary

from .ledger_client import CONNECTION_ERRORS, AsyncLedgerClient, current_settings

POLL_S = 0.05
AWAY_POLL_S = 1.0
"""While the ledger is out of reach: awaited jobs wait until it is back."""


class OutcomeWaiter:
    """One per event loop and ledger. Its connection is closed when no job is awaited."""

    _by_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, "OutcomeWaiter"]] = (
        WeakKeyDictionary()
    )

    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self.prefix = prefix
        self._awaited: dict[str, list[asyncio.Future[str | None]]] = {}
        self._polling: asyncio.Task[None] | None = None

    @classmethod
    def of_this_loop(cls) -> "OutcomeWaiter":
        """The running loop's, for the ledger of the current settings. Raises `SettingsError`."""
        settings = current_settings()
        loop = asyncio.get_running_loop()
        waiter = cls._by_loop.get(loop)
        if waiter is None or (waiter.url, waiter.prefix) != (settings.ledger, settings.prefix):
            waiter = cls(settings.ledger, settings.prefix)
            cls._by_loop[loop] = waiter
        return waiter

    async def outcome(self, job_id: str) -> str | None:
        """The stored outcome, once it is there; None if the ledger has no such job."""
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._awaited.setdefault(job_id, []).append(future)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            return await future
        finally:
            self._forget(job_id, future)

    async def _poll(self) -> None:
        """Until no job is awaited any more."""
        client = AsyncLedgerClient(self.url, self.prefix)
        try:
            while self._awaited:
                pause = POLL_S
                try:
                    await self._read(client)
                except CONNECTION_ERRORS:
                    pause = AWAY_POLL_S
                await asyncio.sleep(pause)
        finally:
            with contextlib.suppress(*CONNECTION_ERRORS):
                await client.close()

    async def _read(self, client: AsyncLedgerClient) -> None:
        """Read the outcomes of all awaited jobs, and hand out those that are there."""
        found = await client.outcomes(list(self._awaited))
        for job_id, outcome in found.items():
            if outcome.text is None and outcome.known:
                continue
            for future in self._awaited.get(job_id, []):
                if not future.done():
                    future.set_result(outcome.text)

    def _forget(self, job_id: str, future: "asyncio.Future[str | None]") -> None:
        left = [each for each in self._awaited.get(job_id, []) if each is not future]
        if left:
            self._awaited[job_id] = left
        else:
            self._awaited.pop(job_id, None)
