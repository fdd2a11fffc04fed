"""What the ledger answers to a producer, with named fields."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Self, cast

from .contract.submission import Publication

HELD_FOR_MS = 60_000
"""How long the name of a limit that held a batch back is shown after it last did."""

BatchState = Literal["open", "paused", "cancelled", "done"]


class SubmittedJob(NamedTuple):
    """What became of one submission."""

    state: str
    """new; same: it was there; conflict: another job has its id or key; closed: its batch takes no
    more items.
    """
    job_id: str
    """The id of the job that answers: with an idempotency key it may be an earlier one."""


class Submitted(NamedTuple):
    """The reply to `submit`: one job per submission, in the same order."""

    jobs: list[SubmittedJob]
    publications: list[Publication]


class JobStatus(NamedTuple):
    """What the ledger knows of a job.

    States: waiting, released, running, parked, done, failed, cancelled, expired, dead.
    """

    state: str
    attempts: int
    cost_usd: float
    maybe_billed_usd: float
    tried: tuple[tuple[str, str], ...]
    """(link, fault) of each closed attempt; an empty fault is an answer."""
    ahead: int = 0
    """While it waits: how many of the user's own jobs are before it in its lane."""
    users: int = 0
    """Users with jobs waiting in its lane; they are served in turn."""


class StoredOutcome(NamedTuple):
    """`text` None: the job has not ended. `known` false: the ledger has no such job."""

    text: str | None
    known: bool


class Cancellation(NamedTuple):
    """The reply to `cancel`."""

    state: str
    """cancelled, cancelling, the state in which it had ended before, or missing."""
    publications: list[Publication]


class BatchChange(NamedTuple):
    """The reply to a change of a batch: its state afterwards, and what to publish."""

    state: BatchState
    publications: list[Publication]


class RetriedItems(NamedTuple):
    """The reply to `retry_items`."""

    job_ids: list[str]
    """The new ids of the items that are tried again."""
    publications: list[Publication]


class ItemRecord(NamedTuple):
    """One item of a batch, as stored."""

    job_id: str
    state: str
    name: str
    """What the caller calls it ("" if nothing)."""
    retried_as: str
    """The id under which it is tried again; "" if it is not."""
    ended_s: int
    """When it ended, in seconds since the epoch by the ledger's clock; 0 before."""
    outcome: str | None
    """As JSON; None: it has not ended."""


@dataclass(frozen=True)
class Progress:
    """Where a batch stands. Money in dollars."""

    batch_id: str
    user_id: str
    label: str
    state: BatchState
    total: int | None
    """None: it is still being submitted."""
    submitted: int
    done: int
    failed: int
    cancelled: int
    cached: int
    """Of those done: answered without a call."""
    calls: int
    tokens: int
    cost_usd: float
    possibly_billed_usd: float
    elapsed_s: float
    held_back: str
    """What keeps it from going faster: a limit's name, "openai:gpt-x" for room at a link, "paused",
    or "".
    """
    slowest: str
    """The id of the job that runs longest now; "" if none runs."""
    slowest_s: float
    """How long it has been running."""

    @classmethod
    def from_record(
        cls,
        batch_id: str,
        record: dict[str, str],
        awaited_link: str,
        slowest: str,
        slowest_ms: int,
        now_ms: int,
    ) -> Self:
        """`record`: the batch's hash. `awaited_link`: the one for which its line waits, or ""."""
        elapsed_ms = int(record.get("ended", now_ms)) - int(record["at"])
        total = None
        if "total" in record:
            total = int(record["total"])
        held_back = awaited_link
        if now_ms - int(record.get("held_at", 0)) < HELD_FOR_MS:
            held_back = record.get("held_by") or awaited_link
        if record["state"] == "paused":
            held_back = "paused"
        return cls(
            batch_id=batch_id,
            user_id=record["user"],
            label=record["label"],
            state=cast(BatchState, record["state"]),
            total=total,
            submitted=int(record.get("submitted", 0)),
            done=int(record.get("done", 0)),
            failed=int(record.get("failed", 0)),
            cancelled=int(record.get("cancelled", 0)),
            cached=int(record.get("cached", 0)),
            calls=int(record.get("calls", 0)),
            tokens=int(record.get("tokens", 0)),
            cost_usd=int(record.get("cost", 0)) / 1e6,
            possibly_billed_usd=int(record.get("maybe", 0)) / 1e6,
            elapsed_s=elapsed_ms / 1000,
            held_back=held_back,
            slowest=slowest,
            slowest_s=slowest_ms / 1000,
        )

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.cancelled

    @property
    def over(self) -> bool:
        return self.total is not None and self.ended >= self.total
