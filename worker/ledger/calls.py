"""What the ledger's methods take and return, by name."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from producer.contract.errors import Conflict
from producer.contract.outcome import Outcome
from producer.contract.publication import Publication


class Submitted(NamedTuple):
    """A submission's result. `job_id` is another job's if that has the same idempotency key."""

    state: Literal["new", "same", "conflict"]
    job_id: str
    publications: list[Publication]

    def or_conflict(self) -> Self:
        """Itself, or `Conflict` if the id is another request's."""
        if self.state != "conflict":
            return self
        raise Conflict(
            f"job {self.job_id} exists and asks something else. "
            "Fix: use a new id or idempotency_key"
        )


class Ended(NamedTuple):
    """The job has its outcome already; `reported`: the result backend knows it too."""

    outcome: Outcome
    reported: bool
    continuation: dict[str, Any]
    """As in `RunningJob`."""
    user_id: str
    lane: str


class Dropped(NamedTuple):
    """This delivery has nothing to do: the job waits, or another worker holds it."""

    state: str


class Missing(NamedTuple):
    """The ledger knows no such job."""


@dataclass(frozen=True)
class Wait:
    """Why and how long a job gives its lease back."""

    after_s: float
    fault: str = ""
    """Why its attempt failed; "" if it made none."""
    wakes_on: str = ""
    """The list of jobs it waits in, so as to be woken sooner; "" for time alone."""
    crashed: bool = False
    """An error of our own: this start counts towards poison."""
    double_max_tokens: bool = False
    """The next attempt asks for twice the tokens."""
    restart_clock: bool = False
    """It waits for a limit or its parts, so its time to finish begins anew with the next start."""


class Ending(NamedTuple):
    """What became of a job that was settled ("ok", "late", "lost", "cancelled") or parked ("ok",
    "lost", "cancelled"), and what to publish.
    """

    state: str
    publications: list[Publication]


class Heard(NamedTuple):
    """The reply to a heartbeat: by which worker's settings the fleet goes, and which of them this
    worker has otherwise.
    """

    ruled_by: str
    differing: tuple[str, ...]
