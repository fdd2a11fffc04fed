"""Waiting for outcomes: one thread of the process does it, for all its threads and event loops.

It looks at a job when the ledger has said that it ended (`notices.py`), and seldom otherwise. Not a
task of a loop: loops end, `asyncio.run` has one for each request, and a connection that was opened
in a loop is lost with it.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from . import forks
from .contract.errors import Unavailable
from .current import ledger

if TYPE_CHECKING:
    from .ledger_client import LedgerClient

LOOK_S = 1.0
"""Between two looks at a job of which nothing is heard: its notice was lost, or its worker is of a
version that sends none.
"""
MOST_LOOKS = 250
"""Of one period: thousands may wait."""
POLL_S = 0.05
"""Between two looks at all jobs where no notices are to be had."""
AWAY_POLL_S = 1.0
"""While the ledger is out of reach: who waits does so until it is back."""
LINGER_S = 10.0
"""The thread and its connection stay for so long after the last job: another may follow."""


@dataclass(eq=False)
class _Wait:
    """Of one caller, for one job."""

    loop: asyncio.AbstractEventLoop | None = None
    future: "Future[str | None]" = field(default_factory=Future)

    @property
    def is_over(self) -> bool:
        return self.future.cancelled() or (self.loop is not None and self.loop.is_closed())


class OutcomeWaiter:
    """One per process and ledger."""

    def __init__(self, client: "LedgerClient") -> None:
        self.client = client
        self._notices = client.notices()
        self._awaited: dict[str, list[_Wait]] = {}
        self._looked: dict[str, float] = {}
        """Awaited job -> when it was last looked at, the longest ago first."""
        self._changed: set[str] = set()
        """Jobs of which the notices' subscription does not know yet that somebody waits, or no
        longer does.
        """
        self._changing = threading.Lock()
        self._serves = False

    async def outcome(self, job_id: str) -> str | None:
        """The stored outcome, once it is there; None if the ledger has no such job."""
        wait = _Wait(asyncio.get_running_loop())
        self._begin(job_id, wait)
        try:
            return await asyncio.wrap_future(wait.future)
        finally:
            self._end(job_id, wait)

    def wait(self, job_id: str, timeout_s: float | None) -> str | None:
        """The same for a thread. Raises `TimeoutError`."""
        wait = _Wait()
        self._begin(job_id, wait)
        try:
            return wait.future.result(timeout_s)
        finally:
            self._end(job_id, wait)

    def _begin(self, job_id: str, wait: _Wait) -> None:
        with self._changing:
            if job_id not in self._awaited:
                self._changed.add(job_id)
                self._looked[job_id] = time.monotonic()
            self._awaited.setdefault(job_id, []).append(wait)
            if not self._serves:
                self._serves = True
                threading.Thread(target=self._serve, name="outcomes", daemon=True).start()
        self._notices.wake()

    def _end(self, job_id: str, wait: _Wait) -> None:
        with self._changing:
            self._leave(job_id, (wait,))

    def _leave(self, job_id: str, gone: Collection[_Wait]) -> None:
        left = [each for each in self._awaited.pop(job_id, ()) if each not in gone]
        if left:
            self._awaited[job_id] = left
        elif self._looked.pop(job_id, None):
            self._changed.add(job_id)

    def _serve(self) -> None:
        """Until no job has been awaited for a while."""
        served = time.monotonic()
        while not self._is_over(served):
            due: list[str] = []
            try:
                due = self._due()
                if due:
                    self._read(due)
            except Unavailable:
                time.sleep(AWAY_POLL_S)
            except Exception as error:  # noqa: BLE001 -- whoever waits is told
                self._end_all(due or list(self._looked), error)
                time.sleep(POLL_S)
            if self._looked:
                served = time.monotonic()

    def _is_over(self, served: float) -> bool:
        with self._changing:
            lingers = self._notices.hears and time.monotonic() - served < LINGER_S
            self._serves = bool(self._looked) or lingers
            if not self._serves:
                self._notices.close()
                self._changed.clear()
            return not self._serves

    def _due(self) -> list[str]:
        """Jobs to look at now: those that were heard of, and those that were not for long."""
        with self._changing:
            changed, self._changed = self._changed, set()
            new = [job_id for job_id in changed if job_id in self._looked]
        self._notices.follow(new, changed.difference(new))
        pause_s = LOOK_S if self._notices.hears else POLL_S
        heard = self._notices.heard(pause_s)
        with self._changing:
            due = heard.intersection(self._looked) | self._late(pause_s)
            for job_id in due:
                del self._looked[job_id]
                self._looked[job_id] = time.monotonic()
            self._forget_ended_loops(due)
            return [job_id for job_id in due if job_id in self._looked]

    def _late(self, pause_s: float) -> set[str]:
        before = time.monotonic() - pause_s
        late = takewhile(lambda each: each[1] <= before, self._looked.items())
        return {job_id for job_id, _ in islice(late, MOST_LOOKS)}

    def _forget_ended_loops(self, job_ids: Collection[str]) -> None:
        for job_id in job_ids:
            over = [each for each in self._awaited.get(job_id, ()) if each.is_over]
            self._leave(job_id, over)

    def _read(self, job_ids: list[str]) -> None:
        """Read the outcomes of these jobs, and hand out those that are there."""
        for job_id, outcome in self.client.outcomes(job_ids).items():
            if outcome.text is not None or not outcome.known:
                self._hand_out(job_id, Future.set_result, outcome.text)

    def _end_all(self, job_ids: list[str], error: Exception) -> None:
        for job_id in job_ids:
            self._hand_out(job_id, Future.set_exception, error)

    def _hand_out(self, job_id: str, end: Callable[["Future[Any]", Any], None], by: Any) -> None:
        with self._changing:
            waits = self._awaited.get(job_id, [])
            self._leave(job_id, waits)
        for each in waits:
            if each.future.set_running_or_notify_cancel():
                end(each.future, by)


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
