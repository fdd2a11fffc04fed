"""The ledger functions about the whole fleet, its users, its cache and its books. Money in
micro-dollars, times in milliseconds; -1 = no limit.
"""

from dataclasses import dataclass

from producer.contract.ledger.call import Call, Nothing, Reply

FLEET_SETTINGS = {
    "outcome_ms": "LLM_RESULT_EXPIRES_SECONDS",
    "dead_letter_ms": "LEDGER_DEAD_LETTER_SECONDS",
    "usage_ms": "LLM_USAGE_DAYS",
    "batch_share": "LLM_BATCH_SHARE",
    "user_in_flight": "LLM_USER_MAX_IN_FLIGHT",
    "zone": "LLM_BUDGET_ZONE",
    "user_tokens_per_hour": "LLM_USER_TOKENS_PER_HOUR",
    "user_requests_per_minute": "LLM_USER_REQUESTS_PER_MINUTE",
    "user_usd_per_day": "LLM_USER_USD_PER_DAY",
    "user_usd_per_week": "LLM_USER_USD_PER_WEEK",
    "user_usd_per_month": "LLM_USER_USD_PER_MONTH",
    "usd_per_day": "LLM_USD_PER_DAY",
    "usd_per_week": "LLM_USD_PER_WEEK",
    "usd_per_month": "LLM_USD_PER_MONTH",
}
"""Arguments of a heartbeat that hold for the whole fleet -> the variables that set them."""


def setting_names(listed: str) -> tuple[str, ...]:
    """The variables of a worker's settings that differ, as `heartbeat` and `snapshot` list them."""
    return tuple(FLEET_SETTINGS[name] for name in listed.split(",") if name)


@dataclass(frozen=True)
class HeartbeatReply(Reply):
    ruled_by: str
    """The worker whose settings hold for the fleet."""
    differing: str
    """Names of the settings that this worker has otherwise, separated by commas."""
    unneeded: list[str]
    """Libraries to delete."""


@dataclass(frozen=True)
class Heartbeat(Call[HeartbeatReply], function="heartbeat"):
    worker: str
    process: str
    """Another one after each start of the worker."""
    slots: int
    """0: it is leaving."""
    lanes: str
    """That it serves: both, interactive, batch or none."""
    life_ms: int
    age_ms: int
    clock_ms: int
    library: str
    outcome_ms: int
    dead_letter_ms: int
    usage_ms: int
    batch_share: float
    user_in_flight: int
    """0 = any."""
    zone: str
    offsets: str
    """What the zone's clocks are ahead of UTC, as `calendar.lua` reads it."""
    user_tokens_per_hour: int
    user_requests_per_minute: int
    user_usd_per_day: int
    user_usd_per_week: int
    user_usd_per_month: int
    usd_per_day: int
    usd_per_week: int
    usd_per_month: int
    items: tuple[str, ...] = ()
    """Ids that it has taken from the broker and starts soon."""


@dataclass(frozen=True)
class CountSamples(Call[Nothing], function="count_samples"):
    items: tuple[str, ...]


@dataclass(frozen=True)
class ForgetJobsReply(Reply):
    forgotten: list[str]
    seen: int
    """Of the items, the first so many were looked at; the others are for the next call."""
    passed: int
    """Ids of jobs that do not wait, which have left the user's lines; 0: no more can."""


@dataclass(frozen=True)
class ForgetJobs(Call[ForgetJobsReply], function="forget_jobs"):
    user: str
    most_ms: int
    """After so long it leaves the rest: a request may be of 32 MB, whose memory takes time to free.
    """
    items: tuple[str, ...]


@dataclass(frozen=True)
class BatchForgetReply(Reply):
    forgotten: int
    """0: it has not ended."""


@dataclass(frozen=True)
class BatchForget(Call[BatchForgetReply], function="batch_forget"):
    batch: str


@dataclass(frozen=True)
class ReassignUsageReply(Reply):
    rows: int


@dataclass(frozen=True)
class ReassignUsage(Call[ReassignUsageReply], function="reassign_usage"):
    day: int
    name: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class ForgiveReply(Reply):
    seen: int
    kept: int
    calls: int
    micro: int


@dataclass(frozen=True)
class Forgive(Call[ForgiveReply], function="forgive"):
    link: str
    id: str
    since_ms: int
    until_ms: int
    skip: int
    most: int
    dry: bool


@dataclass(frozen=True)
class UsedDollars:
    """What was used of a limit of dollars in its period before it was set."""

    limit: str
    spent: int
    maybe: int


@dataclass(frozen=True)
class SetLimits(Call[Nothing], function="set_limits"):
    """ "" leaves a limit as it is."""

    kind: str
    name: str
    weight: str
    in_flight: str
    tokens_per_hour: str
    requests_per_minute: str
    usd_per_day: str
    usd_per_week: str
    usd_per_month: str
    group: str
    items: tuple[UsedDollars, ...]


@dataclass(frozen=True)
class ResetLimits(Call[Nothing], function="reset_limits"):
    kind: str
    name: str


@dataclass(frozen=True)
class SnapshotReply(Reply):
    now_ms: int
    workers: int
    slots: int
    open: int
    parked: int
    dead: int
    lanes: list[tuple[str, int, int, str]]
    """(lane, waiting jobs, ms that the oldest has waited, the link for whose room, "" = a slot)"""
    cooling: list[tuple[str, str, int, str, int]]
    """(link, why, ms left, all of it in words, jobs that wait for it)"""
    skews: list[tuple[str, str]]
    """(worker, ms)"""
    spent: int
    maybe: int
    budgets: list[tuple[str, str, str, int, int]]
    """(kind, name, limit, used, allowed)"""
    settings: list[tuple[str, str]]
    """(worker, "started_ms names,of,differing,settings")"""
    ruled_by: str
    users: tuple[int, int, int]
    """Estimates of how many had jobs that ended in the window, failed, were refused by a limit."""
    unserved: list[str]
    """Lanes that no worker takes jobs of, though some live."""
    released: tuple[int, int]
    """Jobs that no worker has begun though it may, and ms that the first one has been so."""


@dataclass(frozen=True)
class Snapshot(Call[SnapshotReply], function="snapshot"):
    most: int
    window_ms: int
