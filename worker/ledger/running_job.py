"""A job that this process holds the lease of, as the ledger knew it when it was started."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, cast

from producer.contract.errors import InvalidRequest
from producer.contract.history import PastAttempt, read_history
from producer.contract.names import Lane
from producer.contract.requests import CompletionRequest
from producer.contract.stored_texts import put_together

from .job_functions import StartReply

TextsOf = Callable[[list[str]], list[str | None]]
LARGE = 20_000
"""Characters of a request whose tokens take some 20 ms to count, in which no other job of an event
loop would go on.
"""


def is_large(request: str) -> bool:
    """Of its JSON, also as it is stored, with its large parts apart."""
    return len(request) > LARGE or request.startswith("[")


@dataclass(frozen=True)
class RunningJob:
    """What was asked, by whom and until when, and what earlier attempts cost.

    What this start of the job does is in its `Attempt`. Instants are the server's, in ms of the
    Unix epoch; money is in micro-dollars.
    """

    id: str
    fence: int
    """The number of this start; the ledger takes no outcome under an older one."""
    request: CompletionRequest = field(repr=False)
    user_id: str
    lane: Lane
    submitted_ms: int
    started_ms: int
    """When this start was granted."""
    deadline_ms: int
    """When it must have ended, as the request or the caller asked; 0 = no deadline was asked."""
    first_started_ms: int
    """When its time to finish began: its first start, or the first after a wait for a limit."""
    spent_micro_usd: int = 0
    possibly_billed_micro_usd: int = 0
    attempts: int = 0
    """Attempts that were closed before this start."""
    probes: int = 0
    """Those of them that tried whether a link is back after an outage."""
    tried: tuple[PastAttempt, ...] = ()
    """What came of each of them, in order."""
    double_max_tokens: bool = False
    """Whether it is asked again for twice the tokens, because its answer was truncated."""
    audited: str = ""
    """The hash of the prompt that the audit log has of it; "" if it has none."""
    group: str = ""
    """Of its user when it was submitted; "" = none."""
    own_wait_ms: int = 0
    """How long it waited for its user's or group's cap, or, as its caller chose, for a limit."""
    incomplete: bool = False
    """Whether the ledger has lost stored texts that the request needs."""
    continuation: dict[str, Any] = field(default_factory=dict, repr=False)
    """Celery's options that say what follows the job, as they were submitted."""
    limit_s: float = math.inf
    """How long this start may take, by the flags of its worker."""
    large: bool = False
    """Whether its request takes long to work on."""
    fleet_pays: bool = False
    """Whether it counts on no user's limits and usage."""
    monotonic: float = field(default_factory=time.monotonic)
    """This machine's monotonic clock at `started_ms`, in seconds."""

    @classmethod
    def from_reply(
        cls, job_id: str, reply: StartReply, texts_of: TextsOf, limit_s: float = math.inf
    ) -> Self:
        """Raises pydantic's `ValidationError` for a request that cannot be read.

        `texts_of`: gives its stored texts, by their hashes.
        """
        request = put_together(reply.request, texts_of)
        return cls(
            id=job_id,
            fence=reply.fence,
            request=CompletionRequest.model_validate_json(request.request),
            incomplete=not request.complete,
            user_id=reply.user,
            lane=cast(Lane, reply.lane),
            submitted_ms=reply.submitted_ms,
            started_ms=reply.now_ms,
            deadline_ms=reply.deadline_ms,
            first_started_ms=reply.first_started_ms,
            spent_micro_usd=reply.cost,
            possibly_billed_micro_usd=reply.maybe,
            attempts=reply.attempts,
            probes=reply.probes,
            tried=read_history(reply.tried),
            double_max_tokens=bool(reply.double_max_tokens),
            audited=reply.audited,
            group=reply.group,
            own_wait_ms=reply.own_wait_ms,
            fleet_pays=bool(reply.fleet_pays),
            large=is_large(request.request),
            continuation=json.loads(reply.continuation) if reply.continuation else {},
            limit_s=limit_s,
        )

    def require_whole_request(self) -> None:
        """Raises `InvalidRequest` if the ledger has lost a part of it."""
        if self.incomplete:
            raise InvalidRequest("request: a part of it is no longer stored. Fix: submit it again")

    @property
    def payer(self) -> str | None:
        """The user on whom it counts; None: the fleet alone."""
        return None if self.fleet_pays else self.user_id

    @property
    def now_ms(self) -> int:
        """The server's time, carried forward by this machine's monotonic clock."""
        return self.started_ms + int((time.monotonic() - self.monotonic) * 1000)

    @property
    def asked_deadline_s(self) -> float:
        """Seconds until the deadline that was asked for; infinite without one."""
        if not self.deadline_ms:
            return math.inf
        return (self.deadline_ms - self.now_ms) / 1000

    @property
    def limit_left_s(self) -> float:
        """Seconds that the flags of the worker leave this start."""
        return self.limit_s - (time.monotonic() - self.monotonic)

    def remaining_s(self, deadline_s: float) -> float:
        """Seconds until the sooner of the asked deadline and `deadline_s` after the first start."""
        own_deadline_ms = self.first_started_ms + int(deadline_s * 1000)
        return min(self.asked_deadline_s, (own_deadline_ms - self.now_ms) / 1000)
