"""The ledger functions that producers call."""

from dataclasses import dataclass
from typing import Literal

from ..names import Lane
from ..publication import Publication
from .call import Call, Nothing, Reply


@dataclass(frozen=True)
class SubmittedItem:
    """One job, as `submit` takes it. Times in milliseconds; "" or 0 = none."""

    id: str
    user: str
    lane: Lane
    fingerprint: str
    request: str
    """As JSON."""
    continuation: str
    """Celery's links, chain and chord as JSON."""
    deadline_ms: int
    delay_ms: int
    idempotency_key: str
    replays: str
    """The dead letter it is sent again for."""
    batch: str
    name: str
    """What the caller calls this item of the batch."""
    wrong: str
    """The outcome of an item that can never be run, as JSON."""
    parent: str
    """The job it is a part of."""
    texts: str
    """Hashes of the stored texts that it needs, separated by commas."""
    tags: str
    """Separated by commas."""
    wire: int
    """The oldest wire version that can read the request."""


@dataclass(frozen=True)
class SubmitReply(Reply):
    jobs: list[list[str]]
    """Of each item its state ("new", "same", "conflict" or "closed") and the id of its job."""
    publications: list[Publication]


@dataclass(frozen=True)
class Submit(Call[SubmitReply], function="submit"):
    library: str
    """The library this is called in, so that it stays loaded."""
    items: tuple[SubmittedItem, ...]


@dataclass(frozen=True)
class StatusReply(Reply):
    """`state` is "" for an unknown job. Money in micro-dollars."""

    state: str = ""
    cost: int = 0
    maybe: int = 0
    attempts: int = 0
    tried: str = ""
    """"link=fault;" of each closed attempt."""
    ahead: int = 0
    users: int = 0
    user: str = ""
    estimated: int = 0
    """Of `cost`: by an estimate, not by what the provider told."""
    hinder: str = ""
    """The trouble that it waits for to pass, in words; "" = none."""


@dataclass(frozen=True)
class Status(Call[StatusReply], function="status"):
    id: str


@dataclass(frozen=True)
class StateReply(Reply):
    """The state of a job or batch after a change of it; "missing" if there is none."""

    state: str
    publications: list[Publication]


@dataclass(frozen=True)
class Cancel(Call[StateReply], function="cancel"):
    id: str


@dataclass(frozen=True)
class ExpectedText:
    sha: str


@dataclass(frozen=True)
class ExpectTextsReply(Reply):
    missing: list[str]
    """Hashes, each as often as it was asked for."""


@dataclass(frozen=True)
class ExpectTexts(Call[ExpectTextsReply], function="expect_texts"):
    """One item for each job to come and each text that it will need."""

    items: tuple[ExpectedText, ...]


@dataclass(frozen=True)
class KeepText(Call[Nothing], function="keep_text"):
    """Also expects one job that will need it."""

    sha: str
    text: str


@dataclass(frozen=True)
class BatchStateReply(Reply):
    state: str


@dataclass(frozen=True)
class BatchOpenReply(Reply):
    state: str
    """"new", "same" or "conflict"."""
    max_micro: int
    """Micro-dollars that the batch of this id may spend; -1 = any."""


@dataclass(frozen=True)
class BatchOpen(Call[BatchOpenReply], function="batch_open"):
    batch: str
    user: str
    label: str
    retention_ms: int
    max_micro: int
    """Micro-dollars it may spend; -1 = any."""


@dataclass(frozen=True)
class BatchClose(Call[BatchStateReply], function="batch_close"):
    batch: str
    total: int


@dataclass(frozen=True)
class BatchChange(Call[StateReply], function="batch_change"):
    batch: str
    change: Literal["pause", "resume", "cancel"]


@dataclass(frozen=True)
class BatchRetryReply(Reply):
    state: str
    ids: list[str]
    """The new ids."""
    publications: list[Publication]


@dataclass(frozen=True)
class BatchRetry(Call[BatchRetryReply], function="batch_retry"):
    batch: str
    items: tuple[str, ...]
    """Ids of items that ended."""


@dataclass(frozen=True)
class BatchProgressReply(Reply):
    """`state` is "" for an unknown batch. Numbers come as texts, as they are stored."""

    user: str = ""
    label: str = ""
    state: str = ""
    at: str = "0"
    ended: str = ""
    total: str = ""
    submitted: str = "0"
    done: str = "0"
    failed: str = "0"
    cancelled: str = "0"
    cached: str = "0"
    calls: str = "0"
    tokens: str = "0"
    cost: str = "0"
    maybe: str = "0"
    held_by: str = ""
    held_at: str = "0"
    estimated: str = "0"
    gate: str = ""
    slowest: str = ""
    slowest_ms: int = 0
    now_ms: int = 0
    hinder: str = ""


@dataclass(frozen=True)
class BatchProgress(Call[BatchProgressReply], function="batch_progress"):
    batch: str


@dataclass(frozen=True)
class LimitsLeftReply(Reply):
    limits: list[tuple[str, int, int, int, int, int]]
    """(limit, allowed, spent, possibly billed, held, ms until nothing of it counts); allowed -1:
    any; dollars in micro-dollars.
    """
    group: str
    """Of a user; "" if there is none."""


@dataclass(frozen=True)
class LimitsLeft(Call[LimitsLeftReply], function="limits_left"):
    kind: str
    name: str


@dataclass(frozen=True)
class NearWrongReply(Reply):
    state: Literal["ok", "missing"]


@dataclass(frozen=True)
class NearWrong(Call[NearWrongReply], function="near_wrong"):
    """The answer of a near question that the job was given is wrong."""

    id: str
