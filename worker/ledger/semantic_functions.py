"""The ledger functions about near questions: those whose cached answers may be given to others, and
what is known of how often that is right. Money in micro-dollars, times in milliseconds.
"""

from dataclasses import dataclass, field

from producer.contract.ledger.call import Call, Reply


@dataclass(frozen=True)
class ErrandReply(Reply):
    fence: int
    """0: there is a job of that id."""
    now_ms: int
    group: str


@dataclass(frozen=True)
class Errand(Call[ErrandReply], function="errand"):
    """A job that a worker does beside the one it runs."""

    id: str
    user: str
    lane: str
    fingerprint: str
    request: str
    tags: str
    wire: int
    owner: str
    lease_ms: int
    paid_by: str = "user"
    """fleet: it counts on no user's and no group's limits and usage."""


@dataclass(frozen=True)
class NearLookReply(Reply):
    size: int
    first: int
    last: int
    numbers: list[int]
    ids: list[str]
    entries: list[str]
    counts: str
    judge_micro: int
    """What the judge has cost today."""


@dataclass(frozen=True)
class NearLook(Call[NearLookReply], function="near_look"):
    scope: str
    since: int


@dataclass(frozen=True)
class NearReadReply(Reply):
    entries: list[str]
    now_ms: int


@dataclass(frozen=True)
class NearRead(Call[NearReadReply], function="near_read"):
    scope: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class NearPeekReply(Reply):
    answer: str
    now_ms: int
    right: int
    wrong: int
    verdict: str


@dataclass(frozen=True)
class NearPeek(Call[NearPeekReply], function="near_peek"):
    scope: str
    entry: str
    pair: str
    content: str
    namespace: str
    tags: str


@dataclass(frozen=True)
class NearKeepReply(Reply):
    size: int
    gone: list[str]
    """Those that left for it."""
    now_ms: int


@dataclass(frozen=True)
class NearKeep(Call[NearKeepReply], function="near_keep"):
    scope: str
    entry: str
    body: str = field(repr=False)
    name: str
    stated: float
    most: int
    life_ms: int


@dataclass(frozen=True)
class NearLearnReply(Reply):
    judge_micro: int


@dataclass(frozen=True)
class NearLearn(Call[NearLearnReply], function="near_learn"):
    scope: str
    entry: str
    pair: str
    verdict: str = "none"
    label: str = ""
    would_micro: int = 0
    judge_micro: int = 0
    items: tuple[str, ...] = ()
