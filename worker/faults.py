"""What can go wrong with an attempt: a closed list.

`retry.py` is the table that says what each means for the job.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, assert_never

from producer.contract.completions import Usage

from .rate_limit_headers import NOT_STATED, RateLimits


class Fault(StrEnum):
    """Why one provider call gave no answer.

    Adapters choose by status and structured code first, by text last.
    """

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    """5xx, a proxy's page, a connection refused, reset or cut."""
    TIMEOUT = "timeout"
    BAD_RESPONSE = "bad_response"
    """A 200 that makes no sense: no JSON, no choices, an unknown finish reason."""
    QUOTA_EXHAUSTED = "quota_exhausted"
    """Our account's money or daily quota is used up: waiting minutes cannot help."""
    MISCONFIGURED = "misconfigured"
    """A key, permission, model name or base URL is wrong: for every job, not this one."""
    BAD_REQUEST = "bad_request"
    UNSUPPORTED = "unsupported"
    """The model refuses something the request needs; another may take it."""
    STALE = "stale"
    """The model refuses a parameter that our data says it takes; the next try leaves it out."""
    TOO_LONG = "too_long"
    CONTENT_FILTERED = "content_filtered"
    LOST = "lost"
    """The worker died with the call on the wire; written by the sweep, never by an adapter."""


About = Literal["request", "model", "link", "key", "nothing"]
"""What a failed attempt says something about.

request: this one alone; another may well be answered by the same link. model: the link's model, or
just this request: a second job confirms it. link: whatever answers at its address. key: the key, or
the account behind it, which is certain at once. nothing: we ended the call ourselves.
"""


def usual_about(fault: Fault) -> About:
    """What a fault says something about, where the provider's words do not say more."""
    match fault:
        case (
            Fault.BAD_REQUEST
            | Fault.UNSUPPORTED
            | Fault.STALE
            | Fault.TOO_LONG
            | Fault.CONTENT_FILTERED
            | Fault.BAD_RESPONSE
        ):
            return "request"
        case (
            Fault.RATE_LIMITED
            | Fault.OVERLOADED
            | Fault.UNAVAILABLE
            | Fault.TIMEOUT
            | Fault.MISCONFIGURED
        ):
            return "link"
        case Fault.QUOTA_EXHAUSTED:
            return "key"
        case Fault.LOST:
            return "nothing"
        case _:
            assert_never(fault)


@dataclass(eq=False, repr=False)
class ProviderError(Exception):
    """A failed attempt, in plain picklable fields.

    Never holds a key, a prompt or an SDK's exception.
    """

    fault: Fault
    reason: str
    """In our own words, but for names of codes."""
    maybe_billed: bool = False
    """The provider may have done, and charged, the work."""
    retry_after_s: float | None = None
    """What the provider asked us to wait, in seconds."""
    status: int | None = None
    """The HTTP status, if one came."""
    parameter: str = ""
    """The one that the provider names, or that a model refused."""
    rate_limits: RateLimits = NOT_STATED
    """What the provider stated of them with it."""
    usage: Usage | None = None
    """What an answer that is of no use took, if it says so."""
    model: str = ""
    """Which model gave that answer."""
    service_tier: str = ""
    """Which service tier it had, "" for the standard one."""
    charged_micro_usd: int | None = None
    """What the provider says it charged for it."""
    about: About | None = None
    """What the failure says something about; None: what its fault usually does."""
    code: str = ""
    """The provider's own code for it, if that is a name."""
    type: str = ""
    """The provider's own type of it, if that is a name."""
    sent: bool = True
    """Whether the call left this process, as far as is known."""
    goes_on: bool = False
    """Whether the reason goes on from the link's name."""

    def __post_init__(self) -> None:
        super().__init__(self.fault, self.reason)
        self.about = self.about or usual_about(self.fault)

    @property
    def noted(self) -> str:
        """As the ledger keeps it of the attempt (`producer.contract.history`)."""
        said = (str(self.status or ""), self.code, self.type, self.parameter)
        names = map(as_name, said)
        return ":".join((str(self.fault), *names)).rstrip(":")

    def of(self, link: str) -> str:
        """What is wrong with the link, or at it."""
        return f"{link} {self.reason}" if self.goes_on else f"{link}: {self.reason}"

    def __str__(self) -> str:
        return f"{self.fault}: {self.reason}"


def as_name(text: str) -> str:
    """What of it can be kept in a job's history."""
    return re.sub(r"[^\w.\[\]-]", "", text, flags=re.ASCII)[:64]


class Deferred(Exception):
    """The job cannot be called now; it waits `after_s` seconds, which is not an attempt.

    `wakes_on` names what wakes it sooner ("flight:<key>", "budget:<key>", "limit:<key>",
    "links:<name>;<name>", "pace:<link>", "parts:<id>"), or "" for time alone. `waits_for_room`:
    it waits for room under a limit or for its own parts, not for trouble to pass, so only the
    deadline that was asked for ends that.
    """

    def __init__(
        self, reason: str, after_s: float, wakes_on: str = "", waits_for_room: bool = False
    ) -> None:
        super().__init__(reason, after_s, wakes_on, waits_for_room)
        self.reason = reason
        self.after_s = after_s
        self.wakes_on = wakes_on
        self.waits_for_room = waits_for_room
        self.noted = ""

    def __str__(self) -> str:
        return self.reason


class Outage(Deferred):
    """All links that the job may use are in trouble: it waits until one of them is itself again, at
    most as long as it has.

    `told`: not for a failure, but because a provider asked to be left alone.
    """

    def __init__(self, reason: str, after_s: float, wakes_on: str, told: bool) -> None:
        super().__init__(reason, after_s, wakes_on)
        self.args = (reason, after_s, wakes_on, told)
        self.told = told


class LeaseLost(Exception):
    """Another worker owns the job now, or it has ended: this delivery does no more."""


class AnswerLost(Exception):
    """An error of our own after the provider had replied. The call is paid for: the job ends.

    Its cause says what it was.
    """


@contextmanager
def after_the_reply(*expected: type[Exception]) -> Iterator[None]:
    """Whatever is raised in here but `expected` becomes `AnswerLost`: nothing of it may look like a
    failure after which the job is tried again.
    """
    try:
        yield
    except expected:
        raise
    except Exception as error:
        raise AnswerLost from error
