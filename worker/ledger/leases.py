"""The leases this process holds, renewed by one thread while their jobs run, whatever the pool.

The same thread notes of which jobs Celery has stored the outcome, and settles again what a
restarted server may have forgotten.
Redis down: leases are left as they are; if it stays away longer than a lease, other workers take
the jobs over.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from producer.redis_trouble import reason

from .connection import ERRORS
from .ledger import Ledger
from .running_job import RunningJob

logger = logging.getLogger(__name__)

WARNED_AT = 2
MOST_TOLD = 500
"""Results that wait, of which the ledger hears in one period."""

Fate = Callable[[], bool | None]
"""Whether Celery has stored an outcome; None if it never will."""


def _stored() -> bool:
    return True


class Leases:
    """The leases of this process's running jobs.

    `cancel`: ends what is being done for a job. `period_s`: how often they are renewed; a fifth of
    the lease leaves room for four lost trips.
    """

    def __init__(self, ledger: Ledger, cancel: Callable[[str], None], period_s: float) -> None:
        self._ledger = ledger
        self._cancel = cancel
        self._period_s = period_s
        self._held: dict[str, int] = {}
        self._fates: dict[str, Fate] = {}
        """Of outcomes that are reported, or about to be, those told of longest ago first."""
        self._lost: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, job: RunningJob) -> Iterator[None]:
        """Keep the lease of `job` alive inside the block."""
        with self._lock:
            self._held[job.id] = job.fence
            self._start()
        try:
            yield
        finally:
            with self._lock:
                if self._held.get(job.id) == job.fence:
                    del self._held[job.id]

    def note_reported(self, job_id: str, fate: Fate = _stored) -> None:
        """The result backend knows the job's outcome, or will: the ledger hears of it within a
        period. Of one that waits it hears as long as this process lives.
        """
        with self._lock:
            self._fates[job_id] = fate
            self._start()

    def close(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=2 * self._period_s)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        # At once for the first time: the server must be known before anything is settled at it.
        while True:
            try:
                self._renew()
            except ERRORS as error:
                logger.warning("ledger: %s; leases are not renewed", reason(error))
            if self._stop.is_set():
                return
            self._stop.wait(self._period_s)

    def _renew(self) -> None:
        if settled := self._ledger.replay():
            logger.warning("the ledger's server restarted: %d outcomes settled again", settled)
        with self._lock:
            held = list(self._held.items())
            reported = self._take_reported()
        if not held and not reported:
            self._lost.clear()
            return
        lost, cancelled = self._ledger.renew(held, reported)
        with self._lock:
            for job_id in filter(reported.get, reported):
                self._fates.pop(job_id, None)
        self._warn_of_lost(set(lost))
        for job_id in cancelled:
            self._cancel(job_id)

    def _take_reported(self) -> dict[str, bool]:
        """Job -> whether its outcome is stored; those that never will be are forgotten."""
        fates = {job_id: fate() for job_id, fate in self._fates.items()}
        for job_id in [each for each, fate in fates.items() if fate is None]:
            del self._fates[job_id]
        waiting = [job_id for job_id, fate in fates.items() if fate is False][:MOST_TOLD]
        for job_id in waiting:
            self._fates[job_id] = self._fates.pop(job_id)
        stored = [job_id for job_id, fate in fates.items() if fate]
        return dict.fromkeys(stored, True) | dict.fromkeys(waiting, False)

    def _warn_of_lost(self, lost: set[str]) -> None:
        """Of jobs that are still worked on a period later: a job that has just ended, or was given
        back, is not ours any more either.
        """
        with self._lock:
            working = lost & set(self._held)
        self._lost = Counter({job_id: self._lost[job_id] + 1 for job_id in working})
        for job_id, times in self._lost.items():
            if times == WARNED_AT:
                logger.warning("lease of job %s lost; its reply will be booked as late", job_id)
