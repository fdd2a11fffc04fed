"""What the ledger answers to a producer, with named fields."""

from dataclasses import dataclass
from html import escape
from typing import Literal, NamedTuple, Self, cast

from .contract.history import PastAttempt, read_history
from .contract.ledger.calls import BatchProgressReply, StatusReply
from .contract.publication import Publication

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
    user_id: str = ""
    """Whose job it is. An app that takes job ids from browsers compares it with its user."""
    estimated_usd: float = 0.0
    """Of `cost_usd`: by a worker's estimate, because the provider told no usage or no price is
    known.
    """
    history: tuple[PastAttempt, ...] = ()
    """`tried`, and what the providers said: HTTP status, code, type, parameter."""
    waits_for: str = ""
    """The trouble that has to pass first ("openai:gpt-4o-mini: HTTP 500 since 00:01:12, next try in
    8 s", "no worker is alive"); "" if there is none.
    """

    @classmethod
    def from_reply(cls, reply: StatusReply) -> Self:
        history = read_history(reply.tried)
        return cls(
            state=reply.state,
            attempts=reply.attempts,
            cost_usd=reply.cost / 1e6,
            maybe_billed_usd=reply.maybe / 1e6,
            tried=tuple((each.link, each.fault) for each in history),
            ahead=reply.ahead,
            users=reply.users,
            user_id=reply.user,
            estimated_usd=reply.estimated / 1e6,
            history=history,
            waits_for=reply.hinder,
        )


class StoredOutcome(NamedTuple):
    """`text` None: the job has not ended. `known` false: the ledger has no such job."""

    text: str | None
    known: bool


class Cancellation(NamedTuple):
    """The reply to `cancel`."""

    state: str
    """cancelled, cancelling, the state in which it had ended before, or missing."""
    publications: list[Publication]


class OpenedBatch(NamedTuple):
    """The reply to `open_batch`."""

    state: str
    """new; same: it was there; conflict: it is another user's."""
    max_micro: int | None
    """Micro-dollars that it might spend before; None: any."""


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
    estimated_usd: float = 0.0
    """Of `cost_usd`: by a worker's estimate."""
    waits_for: str = ""
    """The trouble that has to pass first, as in `JobStatus`; "" if there is none."""

    @classmethod
    def from_reply(cls, batch_id: str, reply: BatchProgressReply) -> Self:
        elapsed_ms = int(reply.ended or reply.now_ms) - int(reply.at)
        total = None
        if reply.total:
            total = int(reply.total)
        held_back = reply.gate
        if reply.now_ms - int(reply.held_at) < HELD_FOR_MS:
            held_back = reply.held_by or reply.gate
        if reply.state == "paused":
            held_back = "paused"
        return cls(
            batch_id=batch_id,
            user_id=reply.user,
            label=reply.label,
            state=cast(BatchState, reply.state),
            total=total,
            submitted=int(reply.submitted),
            done=int(reply.done),
            failed=int(reply.failed),
            cancelled=int(reply.cancelled),
            cached=int(reply.cached),
            calls=int(reply.calls),
            tokens=int(reply.tokens),
            cost_usd=int(reply.cost) / 1e6,
            possibly_billed_usd=int(reply.maybe) / 1e6,
            elapsed_s=elapsed_ms / 1000,
            held_back=held_back,
            slowest=reply.slowest,
            slowest_s=reply.slowest_ms / 1000,
            estimated_usd=int(reply.estimated) / 1e6,
            waits_for=reply.hinder,
        )

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.cancelled

    @property
    def over(self) -> bool:
        return self.total is not None and self.ended >= self.total

    def _repr_html_(self) -> str:
        """A bar and a line, for notebooks."""
        total = self.submitted if self.total is None else self.total
        parts = [f"{self.ended:,} of {total:,}"]
        for count, word in ((self.failed, "failed"), (self.cached, "cached")):
            if count:
                parts.append(f"{count:,} {word}")
        parts.append(f"${self.cost_usd:.4f}")
        if self.waits_for or self.held_back:
            parts.append(self.waits_for or f"waiting for {self.held_back}")
        text = escape(f"{self.batch_id}: {', '.join(parts)}")
        return f'<progress value="{self.ended}" max="{max(total, 1)}"></progress> {text}'
