"""The ledger functions that move a job, as only workers call them. Money in micro-dollars, times in
milliseconds; -1 = no limit.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from producer.contract.ledger.call import Call, Reply
from producer.contract.ledger.calls import StateReply
from producer.contract.publication import Publication


@dataclass(frozen=True)
class StartReply(Reply):
    """`verdict`: "started", "ended", "dropped", "missing" or "early". The rest as it applies."""

    verdict: str
    state: str = ""
    """Why it was dropped: the state the job is in, or "newer" than this worker reads."""
    wait_ms: int = 0
    outcome: str = ""
    reported: int = 0
    fence: int = 0
    request: str = ""
    user: str = ""
    lane: str = ""
    submitted_ms: int = 0
    now_ms: int = 0
    deadline_ms: int = 0
    cost: int = 0
    maybe: int = 0
    attempts: int = 0
    probes: int = 0
    tried: str = ""
    double_max_tokens: int = 0
    first_started_ms: int = 0
    audited: str = ""
    continuation: str = ""
    """Celery's links, chain and chord as JSON."""
    group: str = ""
    own_wait_ms: int = 0
    fleet_pays: int = 0


@dataclass(frozen=True)
class Start(Call[StartReply], function="start"):
    id: str
    owner: str
    lease_ms: int
    deliveries: int
    """Starts without an end that are allowed."""
    quiet_ms: int
    """After a start of the server, in which nothing begins."""
    wire: int
    """The newest wire version that this worker reads."""


@dataclass(frozen=True)
class ReservedLink:
    """One link that may be called, its worst case, and the operator's limits of it."""

    link: str
    micro: int
    tokens: int
    requests_per_minute: int
    tokens_per_minute: int
    calls: int


class InTheWay(NamedTuple):
    """A limit that does not let a call in now; the amounts are in its own unit."""

    limit: str
    allowed: int
    used: int
    held: int
    asked: int
    fits_in_ms: int
    """Until it fits what is used; -1 = it never will, 0 = only holds are in the way."""
    maybe_billed: int = 0
    """Of `used`: of calls that gave no bill."""
    resets_in_ms: int = 0
    """Until nothing that is used now counts any more."""


@dataclass(frozen=True)
class ReserveReply(Reply):
    """Whether a call may be made, and on which link; else what answers or is in the way."""

    verdict: Literal[
        "go",
        "hit",  # a fresh answer is cached
        "follow",  # an identical job is to answer
        "lost",
        "cancelled",
        "open",  # all links are in trouble
        "cooling",  # the same, and a provider asked to be left alone
        "late",  # no call could end in time
        "paced",
        "over",
        "held",
        "unaffordable",  # no link was given
    ]
    candidate: int = 0
    """Of "go": which of the links is called, from 0."""
    number: int = 0
    """Of "go": which attempt of the job this is, from 1."""
    probes: int = 0
    """Of "go": 1 if this call tries for all jobs whether the link is itself again."""
    wait_ms: int = 0
    """Of "open", "cooling" and "paced": until the first of the links may be called."""
    wakes_on: str = ""
    """The list of jobs to wait in, so as to be woken sooner; "" if time alone helps."""
    trouble: str = ""
    """Of "open" and "cooling": what is wrong with the links, in words."""
    in_the_way: list[InTheWay] = field(default_factory=list)
    """Of "over" and "held": every limit that does not let it in, first the one that does so last.
    """
    entry_key: str = ""
    """Where the answer is or will be cached; "" if nothing was looked up."""
    entry: str = field(default="", repr=False)
    """What is cached there, fresh or stale."""
    now_ms: int = 0

    def __post_init__(self) -> None:
        rows = [InTheWay(*each) for each in self.in_the_way]
        object.__setattr__(self, "in_the_way", rows)


@dataclass(frozen=True)
class Reserve(Call[ReserveReply], function="reserve"):
    id: str
    fence: int
    left_ms: int
    """Until the job must have ended."""
    least_ms: int
    """That a call needs."""
    content: str
    """Hash of what is asked, to look it up in the cache; "" = not looked up."""
    namespace: str
    take: bool
    """Whether a cached answer may be taken."""
    join: bool
    """Whether to wait for an identical job in flight, or to lead those that come."""
    tags: str
    """Of the asker, with a comma between them."""
    items: tuple[ReservedLink, ...]


@dataclass(frozen=True)
class Settle(Call[StateReply], function="settle"):
    """Replies "ok", "late" (it had ended), "lost" or "cancelled"."""

    id: str
    fence: int
    state: Literal["done", "failed"]
    outcome: str
    fault: str
    billing: str
    micro: int
    tokens: int
    output: int
    estimated: bool
    prompt_tokens: int
    prompt_micro: int
    booked_as: str
    says: str
    reason: str
    told_ms: int
    opening_ms: int
    limits: str
    """What the provider stated of its rate limits: requests, left, tokens, left."""
    saved_by: str
    """Of a cached answer: the link that had answered."""
    saved_micro: int
    near: str
    """"" = it is no near question's; else which one, for reports."""
    cache_key: str
    cache_entry: str
    cache_ms: int
    items: tuple[str, ...]
    """Samples to count if this ends the job."""


@dataclass(frozen=True)
class Park(Call[StateReply], function="park"):
    """Replies "ok", "lost" or "cancelled"."""

    id: str
    fence: int
    delay_ms: int
    fault: str
    billing: str
    micro: int
    tokens: int
    output: int
    estimated: bool
    prompt_tokens: int
    prompt_micro: int
    booked_as: str
    says: str
    reason: str
    told_ms: int
    opening_ms: int
    limits: str
    wakes_on: str
    crashed: bool
    double_max_tokens: bool
    restart_clock: bool
    audited: str
    items: tuple[str, ...]
    """Samples to count."""


@dataclass(frozen=True)
class SweepReply(Reply):
    room_ms: int
    """Until a link has room for jobs that wait for that; -1 = none does."""
    publications: list[Publication]


@dataclass(frozen=True)
class Sweep(Call[SweepReply], function="sweep"):
    limit: int
    deliveries: int
    attempts: int
    interactive_empty: bool
    batch_empty: bool
    on_unknown: str
    quiet_ms: int


@dataclass(frozen=True)
class RenewReply(Reply):
    lost: list[str]
    cancelled: list[str]


@dataclass(frozen=True)
class HeldLease:
    """A lease to extend, or, of fence 0, a job whose outcome the result backend knows, `reported`,
    or is still to hear.
    """

    id: str
    fence: int
    reported: bool


@dataclass(frozen=True)
class Renew(Call[RenewReply], function="renew"):
    lease_ms: int
    items: tuple[HeldLease, ...]


@dataclass(frozen=True)
class BudgetLeftReply(Reply):
    """What the tightest budgets leave and allow; -1: no limit."""

    micro: int
    micro_allowed: int
    tokens: int
    tokens_allowed: int


@dataclass(frozen=True)
class BudgetLeft(Call[BudgetLeftReply], function="budget_left"):
    id: str


@dataclass(frozen=True)
class AgreeReply(Reply):
    agreed: str


@dataclass(frozen=True)
class Agree(Call[AgreeReply], function="agree"):
    id: str
    name: str
    proposed: str
