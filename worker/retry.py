"""The retry decision: what one failure means for the job. Pure; the mechanism (Celery, the ledger)
only obeys.

This is the only retry layer: the SDKs' retries are 0 and Celery's autoretry is unused.
"""

import math
from dataclasses import dataclass
from typing import assert_never

from producer.contract.errors import (
    DeadlineExceeded,
    InvalidRequest,
    JobError,
    ProvidersExhausted,
    Refused,
    TooLong,
)

from .faults import Deferred, Fault, ProviderError
from .settings import RetrySettings

QUOTA_COOLDOWN_S = 300.0
MISCONFIGURED_COOLDOWN_S = 60.0
"""A spent account or a wrong key stays so for minutes; the link is looked at again after that, not
hammered.
"""
RATE_COOLDOWN_S = 1.0
"""After a 429 without Retry-After: the calls under way are refused as well. The halved pace
(pace.lua) does the rest.
"""
MIN_CALL_S = 1.0
"""No attempt starts with less time than this before the deadline: it could only be paid for and
thrown away.
"""


@dataclass(frozen=True)
class History:
    """What the decision looks at. `tried`: (link, fault) of earlier attempts; `links`: how many
    links the job may use; `asked_s`: until the deadline that was asked for, without our own.
    """

    link: str
    attempts: int
    tried: tuple[tuple[str, str], ...]
    links: int
    remaining_s: float
    asked_s: float = math.inf


@dataclass(frozen=True)
class RetryAfter:
    """Try again after `after_s` seconds; leave the failing link alone, fleet-wide, for `cool_s`."""

    after_s: float
    cool_s: float = 0.0
    wakes_on: str = ""
    patient: bool = False


@dataclass(frozen=True)
class GiveUp:
    """The job ends with `error`; `cool_s` as in `RetryAfter`."""

    error: JobError
    cool_s: float = 0.0


Decision = RetryAfter | GiveUp


def decide(
    failure: ProviderError | Deferred, history: History, policy: RetrySettings, jitter: float
) -> Decision:
    """`jitter` in [0, 1) spreads the wait: exponential backoff with full jitter (the AWS
    architecture blog's scheme).
    """
    if isinstance(failure, Deferred):
        if failure.after_s > (history.asked_s if failure.patient else history.remaining_s):
            return GiveUp(_too_late(history))
        return RetryAfter(failure.after_s, wakes_on=failure.wakes_on, patient=failure.patient)
    final = _final(failure, history)
    if final:
        return GiveUp(final)
    cool_s = _cooldown(failure, history, policy)
    if history.attempts >= policy.max_attempts:
        return GiveUp(_exhausted(failure, history), cool_s)
    after_s = _wait(failure, history, policy, jitter)
    if after_s + MIN_CALL_S > history.remaining_s:
        return GiveUp(_exhausted(failure, history), cool_s)
    return RetryAfter(after_s, cool_s)


def _final(failure: ProviderError, history: History) -> JobError | None:
    """The error of a failure that repeating cannot mend, on this link or any."""
    fault = failure.fault
    match fault:
        case Fault.BAD_REQUEST:
            return InvalidRequest(f"{history.link} refused the request: {failure.reason}")
        case Fault.CONTENT_FILTERED:
            return Refused(f"{history.link} blocked the prompt", {"reason": "content_filter"})
        case Fault.TOO_LONG:
            return (
                None
                if _untried(history)
                else TooLong(f"{history.link}: the prompt does not fit the model's window")
            )
        case Fault.UNSUPPORTED:
            reason = f"{history.link} does not take {failure.parameter}, nor does another allowed link. Fix: leave it out"
            return None if _untried(history) else InvalidRequest(reason)
        case (
            Fault.RATE_LIMITED
            | Fault.OVERLOADED
            | Fault.UNAVAILABLE
            | Fault.TIMEOUT
            | Fault.BAD_RESPONSE
            | Fault.QUOTA_EXHAUSTED
            | Fault.MISCONFIGURED
            | Fault.LOST
            | Fault.STALE
        ):
            return None
        case _:
            assert_never(fault)


def _untried(history: History) -> int:
    return history.links - len({link for link, _ in history.tried} | {history.link})


def _cooldown(failure: ProviderError, history: History, policy: RetrySettings) -> float:
    """How long the whole fleet leaves the link alone. A lone link only for as long as the provider
    itself asked.
    """
    asked = failure.retry_after_s or 0.0
    fault = failure.fault
    match fault:
        case Fault.QUOTA_EXHAUSTED:
            own = QUOTA_COOLDOWN_S
        case Fault.MISCONFIGURED:
            own = MISCONFIGURED_COOLDOWN_S
        case Fault.RATE_LIMITED:
            own = min(policy.cooldown_s, RATE_COOLDOWN_S)
        case Fault.OVERLOADED | Fault.UNAVAILABLE | Fault.TIMEOUT:
            own = policy.cooldown_s
        case (
            Fault.BAD_RESPONSE
            | Fault.BAD_REQUEST
            | Fault.TOO_LONG
            | Fault.CONTENT_FILTERED
            | Fault.LOST
            | Fault.UNSUPPORTED
            | Fault.STALE
        ):
            return asked
        case _:
            assert_never(fault)
    return asked if history.links == 1 else asked or own


def _wait(failure: ProviderError, history: History, policy: RetrySettings, jitter: float) -> float:
    """Nothing while this round has an untried link, else backoff, and never less than the provider
    asked.
    """
    failures = len(history.tried) + 1
    if failures % history.links:
        return 0.0
    round_ = failures // history.links
    backoff = jitter * min(policy.backoff_max_s, policy.backoff_s * 2.0 ** (round_ - 1))
    return max(backoff, failure.retry_after_s or 0.0) if history.links == 1 else backoff


def _exhausted(failure: ProviderError, history: History) -> ProvidersExhausted:
    attempts = [*history.tried, (history.link, str(failure.fault))]
    listed = ", ".join(f"{link} {fault}" for link, fault in attempts)
    return ProvidersExhausted(
        f"no provider answered in {len(attempts)} attempts: {listed}",
        {"attempts": [{"link": link, "fault": fault} for link, fault in attempts]},
    )


def _too_late(history: History) -> JobError:
    if history.tried:
        attempts = [{"link": link, "fault": fault} for link, fault in history.tried]
        return ProvidersExhausted(
            "no provider was free again before the deadline", {"attempts": attempts}
        )
    return DeadlineExceeded("the deadline comes before the job could be tried")
