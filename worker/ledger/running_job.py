"""A job while a worker holds it: what was asked, what its attempts cost, and who may make the next
one.
"""

import math
import time
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from producer.contract.names import Lane
from producer.contract.requests import CompletionRequest

from ..rate_limit_headers import SILENCE, Allowance
from ..settings import Link


@dataclass(frozen=True)
class Bill:
    """What the open attempt cost: nothing, the hold as possibly billed, or a real amount in
    micro-dollars and tokens.
    """

    kind: Literal["none", "maybe", "real"] = "none"
    micro_usd: int = 0
    tokens: int = 0
    output: int = 0
    """How many of the tokens were answered."""


class Candidate(NamedTuple):
    """One link that may make the next attempt, with that attempt's worst case."""

    link: Link
    max_tokens: int
    micro_usd: int
    tokens: int
    trimmed: int = 0
    """How many of the oldest messages are left out to fit the model's window."""
    priced: bool = True
    """Whether its price is known; if not, `micro_usd` is by the ceiling."""


@dataclass
class Job:
    """A job this process holds the lease of. `bill`, `fault` and `cool_s` describe the attempt
    since it began.
    """

    id: str
    fence: int
    request: CompletionRequest = field(repr=False)
    user_id: str
    lane: Lane
    submitted_ms: int
    begun_ms: int
    deadline_ms: int
    """Server time by which it must end; 0 = none was asked."""
    spent_micro: int
    maybe_micro: int
    attempts: int
    tried: tuple[tuple[str, str], ...]
    """(link, fault) of every closed attempt, in order."""
    double_max_tokens: bool
    """Whether a truncated answer asked for twice the tokens."""
    first_begun_ms: int
    asked: str = ""
    """Which prompt of it the audit log has, by its hash."""
    started: float = field(default_factory=time.monotonic)
    link: str = ""
    """The link of the attempt under way, "" before one."""
    held_micro: int = 0
    """What is held for it."""
    bill: Bill = field(default_factory=Bill)
    allowance: Allowance = SILENCE
    """What the provider told of its limits with the attempt's answer."""
    cache_key: str = ""
    """Where the answer may be kept; "" if it may not."""
    stale: str = field(default="", repr=False)
    """The expired cache entry found there, to answer with when every provider fails."""
    keep: tuple[str, str, int] = field(default=("", "", 0), repr=False)
    """Cache key, entry and life in ms to store with the outcome."""
    provider_ms: int = 0
    call_outcome: str = ""
    """What came of the call that this start of the job made: "ok", "length" or a fault; "" without
    one.
    """

    @property
    def now_ms(self) -> int:
        """The server's time, carried forward by this machine's monotonic clock."""
        return self.begun_ms + int((time.monotonic() - self.started) * 1000)

    @property
    def asked_s(self) -> float:
        """Seconds until the deadline that the request or the caller set; infinite without one."""
        return (self.deadline_ms - self.now_ms) / 1000 if self.deadline_ms else math.inf

    def remaining_s(self, deadline_s: float) -> float:
        """Seconds until the sooner of the asked deadline and `deadline_s` after the first start."""
        return min(
            self.asked_s, (self.first_begun_ms + int(deadline_s * 1000) - self.now_ms) / 1000
        )


def begun(job_id: str, reply: list[Any]) -> Job:
    """From what begin.lua tells after 'go'."""
    (
        fence,
        request,
        user,
        lane,
        submitted,
        now,
        deadline,
        cost,
        maybe,
        attempts,
        tried,
        double_max_tokens,
        began,
        asked,
    ) = reply
    history = (item.rpartition("=") for item in tried.split(";") if item)
    return Job(
        id=job_id,
        fence=fence,
        request=CompletionRequest.model_validate_json(request),
        user_id=user,
        lane=lane,
        submitted_ms=submitted,
        begun_ms=now,
        deadline_ms=deadline,
        spent_micro=cost,
        maybe_micro=maybe,
        attempts=attempts,
        tried=tuple((link, fault) for link, _, fault in history),
        double_max_tokens=bool(double_max_tokens),
        first_begun_ms=began,
        asked=asked,
    )
