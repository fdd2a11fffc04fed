"""Names that a producer and a worker must agree on. No more than texts."""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, Self

Lane = Literal["interactive", "batch"]

COMPLETE: Final = "completions.complete"
"""The task's name on the wire; routes, Flower and foreign clients use it."""

LANES: Final[tuple[Lane, ...]] = ("interactive", "batch")
"""In the order in which a worker drains them."""

QUEUES: Final[dict[Lane, str]] = {
    "interactive": "completions.interactive",
    "batch": "completions.batch",
}
"""The broker queue of each lane, in a fleet of the default prefix. A foreign client sends by name
to one of these.
"""

QUARANTINE: Final = "completions.quarantine"
"""Broker list of entries that were no messages of ours; newest first."""

DEFAULT_PREFIX: Final = "cc"

WIRE_VERSION: Final = 3
"""Version of the stored job. A worker leaves a job with a newer one to newer workers.

2: what follows a job (links, chain, chord) is read in the ledger, and no more in its message;
requests have a `cache_scope`. 3: large texts of a request are kept apart from it; messages have
refusals, marks for caches, errors of tools; requests have OpenAI's other parameters
(parameters.py), or ask for embeddings. A job that needs nothing of it is of version 1.
"""


class FleetNames(NamedTuple):
    """What a fleet calls its own at the broker and the result backend, so that two fleets on one
    server never meet. With the default prefix queues and results have the plain names.
    """

    root: str
    """Before each name: "" or "<LEDGER_PREFIX>."."""

    @classmethod
    def of(cls, prefix: str) -> Self:
        """Of the fleet with this `LEDGER_PREFIX`."""
        return cls("" if prefix == DEFAULT_PREFIX else f"{prefix}.")

    @property
    def queues(self) -> dict[Lane, str]:
        return {lane: self.root + name for lane, name in QUEUES.items()}

    def lanes_of(self, reads: Callable[[str], bool]) -> str:
        """The lanes of the queues that a worker `reads`: both, interactive, batch or none."""
        lanes = [lane for lane, queue in self.queues.items() if reads(queue)]
        if len(lanes) == len(QUEUES):
            return "both"
        return lanes[0] if lanes else "none"

    @property
    def quarantine(self) -> str:
        return self.root + QUARANTINE

    @property
    def results(self) -> str:
        """Before a job's id: Celery's key of its result."""
        return f"{self.root}celery-task-meta-"

    @property
    def _apart(self) -> str:
        """Before names that Celery gives to every app: with those, a host's `control shutdown`
        would stop our workers, and ours would deliver a second time what its workers hold.
        """
        return self.root or f"{DEFAULT_PREFIX}."

    @property
    def channels(self) -> dict[str, str]:
        """Celery's settings of the exchanges of remote control and of events."""
        events = f"{self._apart}celeryev"
        return {
            "control_exchange": f"{self._apart}celery",
            "event_exchange": events,
            "event_queue_prefix": events,
        }

    @property
    def unacknowledged(self) -> dict[str, str]:
        """kombu's options of the keys of delivered messages."""
        keys = ("unacked", "unacked_index", "unacked_mutex")
        return {f"{key}_key": self._apart + key for key in keys}
