"""Awaited jobs: one thread of the process reads their outcomes for all event loops.

Not a task of the loop: loops end, `asyncio.run` has one for each request, and a connection that was
opened in a loop is lost with it.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from . import forks
from .contract.errors import Unavailable
from .ledger_client import LedgerClient, ledger

POLL_S = 0.05
AWAY_POLL_S = 1.0
"""While the ledger is out of reach: awaited jobs wait until it is back."""

Future = asyncio.Future[str | None]


class OutcomeWaiter:
    """One per process and ledger. Its thread ends when no job is awaited."""

    def __init__(self, client: LedgerClient) -> None:
        self.client = client
        self._awaited: dict[str, list[Future]] = {}
        self._changing = threading.Lock()
        self._reads = False

    async def outcome(self, job_id: str) -> str | None:
        """The stored outcome, once it is there; None if the ledger has no such job."""
        future: Future = asyncio.get_running_loop().create_future()
        self._await(job_id, future)
        try:
            return await future
        finally:
            self._forget(job_id, future)

    def _await(self, job_id: str, future: Future) -> None:
        with self._changing:
            self._awaited.setdefault(job_id, []).append(future)
            if not self._reads:
                self._reads = True
                threading.Thread(target=self._read_all, name="outcomes", daemon=True).start()

    def _forget(self, job_id: str, future: Future) -> None:
        with self._changing:
            left = [each for each in self._awaited.get(job_id, ()) if each is not future]
            if left:
                self._awaited[job_id] = left
            else:
                self._awaited.pop(job_id, None)

    def _read_all(self) -> None:
        """Until no job is awaited any more."""
        while ids := self._ids():
            pause = POLL_S
            try:
                self._read(ids)
            except Unavailable:
                pause = AWAY_POLL_S
            except Exception as error:  # noqa: BLE001 -- whoever awaits is told
                self._end_all(ids, error)
            time.sleep(pause)

    def _ids(self) -> list[str]:
        """Of the awaited jobs, but for those whose loop has ended; none: the reading ends."""
        with self._changing:
            self._awaited = {
                job_id: alive
                for job_id, futures in self._awaited.items()
                if (alive := [each for each in futures if not each.get_loop().is_closed()])
            }
            self._reads = bool(self._awaited)
            return list(self._awaited)

    def _read(self, ids: list[str]) -> None:
        """Read the outcomes of these jobs, and hand out those that are there."""
        for job_id, outcome in self.client.outcomes(ids).items():
            if outcome.text is not None or not outcome.known:
                self._end(job_id, Future.set_result, outcome.text)

    def _end_all(self, ids: list[str], error: Exception) -> None:
        for job_id in ids:
            self._end(job_id, Future.set_exception, error)

    def _end(self, job_id: str, end: Callable[[Future, Any], None], by: Any) -> None:
        with self._changing:
            futures = self._awaited.pop(job_id, [])
        for each in futures:
            with suppress(RuntimeError):  # its loop has ended
                each.get_loop().call_soon_threadsafe(_unless_done, each, end, by)


def _unless_done(future: Future, end: Callable[[Future, Any], None], by: Any) -> None:
    if not future.done():
        end(future, by)


_waiter: OutcomeWaiter | None = None


def outcome_waiter() -> OutcomeWaiter:
    """The process's, for the ledger of the current settings. Raises `SettingsError`."""
    global _waiter
    client = ledger()
    waiter = _waiter
    if waiter is None or waiter.client is not client:
        waiter = _waiter = OutcomeWaiter(client)
    return waiter


@forks.in_each_child
def _without_thread() -> None:
    """The parent's thread does not live in the child."""
    global _waiter
    _waiter = None
