"""The retry decision: what one failure means for the job. Pure functions.

This is the only retry layer: the SDKs' retries are 0 and Celery's autoretry is unused. `tasks.py`
carries the decision out, with Celery and the ledger.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal, Self, assert_never

from producer.contract.errors import (
    DeadlineExceeded,
    InvalidRequest,
    JobError,
    ProvidersExhausted,
    Refused,
    TooLong,
)
from producer.contract.history import PastAttempt

from .faults import Deferred, Fault, Outage, ProviderError
from .ledger.attempt import MIN_CALL_S, Attempt
from .ledger.running_job import RunningJob
from .settings import RetrySettings

OUTAGES = frozenset(
    {
        Fault.RATE_LIMITED,
        Fault.OVERLOADED,
        Fault.UNAVAILABLE,
        Fault.TIMEOUT,
        Fault.BAD_RESPONSE,
        Fault.QUOTA_EXHAUSTED,
        Fault.MISCONFIGURED,
        Fault.LOST,
    }
)
"""Faults of attempts that are the provider's doing, or ours: never the caller's."""


@dataclass(frozen=True)
class History:
    """What the decision goes by."""

    link: str
    """The provider link that failed; "" if none was called."""
    attempts: int
    """How many attempts were spent, the failed one included; to probe a link spends none."""
    tried: tuple[PastAttempt, ...]
    """The attempts before it."""
    links: int
    """How many provider links the job may use."""
    remaining_s: float
    """Seconds until the job must have ended."""
    asked_deadline_s: float = math.inf
    """Seconds until the deadline that was asked for; the settings' own does not count."""
    next_on_refusal: bool = False
    """Whether another link is asked when one blocks the prompt."""
    ended_by_s: float | None = None
    """The time limit of its worker's flags, if that has ended the attempt."""
    probed: bool = False
    """Whether the failed attempt tried for all jobs if its link is back, and it is not."""
    on_outage: Literal["wait", "fail"] = "wait"
    """What the job does while all its links are in trouble."""

    @classmethod
    def of(cls, job: RunningJob, attempt: Attempt, links: int, policy: RetrySettings) -> Self:
        return cls(
            link=attempt.link,
            attempts=attempt.spent_so_far(job),
            ended_by_s=job.limit_s if job.limit_left_s <= 0 else None,
            probed=attempt.probed_in_vain,
            tried=job.tried,
            links=links,
            remaining_s=job.remaining_s(policy.deadline_s),
            asked_deadline_s=job.asked_deadline_s,
            next_on_refusal=job.request.on_refusal == "next",
            on_outage=job.request.on_outage or policy.on_outage,
        )

    @property
    def untried_links(self) -> int:
        return self.links - len({each.link for each in self.tried} | {self.link})

    def refused_as(self, fault: Fault) -> bool:
        """Whether an attempt before it was refused with this fault."""
        return any(each.fault == fault for each in self.tried)


@dataclass(frozen=True)
class RetryAfter:
    """Try again after `after_s` seconds."""

    after_s: float
    wakes_on: str = ""
    waits_for_room: bool = False
    """As in `Deferred`."""


@dataclass(frozen=True)
class GiveUp:
    """The job ends with `error`."""

    error: JobError


Decision = RetryAfter | GiveUp


def decide(
    failure: ProviderError | Deferred, history: History, policy: RetrySettings, jitter: float
) -> Decision:
    """What to do about `failure`.

    `jitter` in [0, 1) spreads the wait: exponential backoff with full jitter (the AWS architecture
    blog's scheme).
    """
    if isinstance(failure, Outage):
        return _decide_outage(failure, history)
    if isinstance(failure, Deferred):
        return _decide_wait(failure, history)
    final = _end_of_time(failure, history) or _final_error(failure, history)
    if final:
        return GiveUp(final)
    after_s = _wait_s(failure, history, policy, jitter)
    too_late = after_s + MIN_CALL_S > history.remaining_s
    spent = history.attempts >= policy.max_attempts and failure.fault is not Fault.STALE
    unwilling = history.probed and history.on_outage == "fail"
    if spent or too_late or unwilling:
        return GiveUp(_exhausted(failure, history))
    return RetryAfter(after_s)


def end_of_refused(refused: JobError, history: History) -> JobError:
    """How a job ends whose next attempt a limit refuses: if providers failed it before, by their
    fault, whatever the last check says.
    """
    if not any(each.fault in OUTAGES for each in history.tried):
        return refused
    return ProvidersExhausted(
        f"no provider answered in {len(history.tried)} attempts: {_listed(history.tried)}. "
        f"There is no other one: {refused}",
        {**_details(history.tried), "refused_by": refused.details.get("limit")},
    )


def _decide_outage(outage: Outage, history: History) -> Decision:
    """Wait for a link to be itself again, at no cost, if it is tried before it is too late."""
    details = {**_details(history.tried), "waited_for": outage.reason}
    if history.on_outage == "fail" and not outage.told:
        return GiveUp(
            ProvidersExhausted(f"no provider link can be called: {outage.reason}", details)
        )
    left_s = history.remaining_s - MIN_CALL_S
    if outage.after_s > left_s:
        return GiveUp(
            DeadlineExceeded(
                f"The deadline comes before a call can be made. {outage.reason}", details
            )
        )
    return RetryAfter(left_s, wakes_on=outage.wakes_on)


def _decide_wait(deferred: Deferred, history: History) -> Decision:
    after_s, most_s = deferred.after_s, history.remaining_s
    if deferred.waits_for_room:
        most_s = history.asked_deadline_s
    elif deferred.wakes_on and most_s > MIN_CALL_S:
        # It is woken sooner; the time is only for a wake-up that got lost.
        after_s = min(after_s, most_s)
    if after_s > most_s:
        return GiveUp(_too_late(history))
    return RetryAfter(after_s, wakes_on=deferred.wakes_on, waits_for_room=deferred.waits_for_room)


def _end_of_time(failure: ProviderError, history: History) -> JobError | None:
    """The error of a call that the worker's own time limit has ended: another would end so, too."""
    if history.ended_by_s is None or failure.fault is not Fault.TIMEOUT:
        return None
    billed = ", which may be billed" if failure.maybe_billed else ""
    return DeadlineExceeded(
        f"The worker's time limit of {history.ended_by_s:g} s (--soft-time-limit, --time-limit) "
        f"ended the call{billed}. Fix: a longer limit, or fewer max_tokens",
        {**_details(_all_tried(failure, history)), "limit_s": history.ended_by_s},
    )


def _final_error(failure: ProviderError, history: History) -> JobError | None:
    """The error of a failure that no further attempt can mend; None if one may."""
    link = history.link
    fault = failure.fault
    details = _details(_all_tried(failure, history))
    match fault:
        case Fault.BAD_REQUEST if history.untried_links and not history.refused_as(fault):
            return None
        case Fault.BAD_REQUEST:
            return InvalidRequest(f"{link} refused the request: {failure.reason}", details)
        case Fault.CONTENT_FILTERED if history.untried_links and history.next_on_refusal:
            return None
        case Fault.CONTENT_FILTERED:
            reason = {"reason": "content_filter"}
            return Refused(f"{link} blocked the prompt: {failure.reason}", details | reason)
        case Fault.TOO_LONG | Fault.UNSUPPORTED if history.untried_links:
            return None
        case Fault.TOO_LONG:
            return TooLong(f"{link}: {failure.reason}. Fix: shorten or split the prompt", details)
        case Fault.UNSUPPORTED:
            return InvalidRequest(
                f"{link} does not take {failure.parameter or 'something in it'}, nor does another "
                f"allowed link: {failure.reason}. Fix: leave it out",
                details,
            )
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


def _wait_s(
    failure: ProviderError, history: History, policy: RetrySettings, jitter: float
) -> float:
    """Nothing while this round has an untried link, or to leave a parameter out; else backoff, in
    seconds.

    What a provider asks to wait is kept by the link's circuit.
    """
    if history.probed:
        return 0.0
    failures = len(history.tried) + 1
    if failures % history.links or failure.fault is Fault.STALE:
        return 0.0
    rounds = failures // history.links
    return jitter * min(policy.backoff_max_s, policy.backoff_s * 2.0 ** (rounds - 1))


def _exhausted(failure: ProviderError, history: History) -> ProvidersExhausted:
    tried = _all_tried(failure, history)
    message = f"no provider answered in {len(tried)} attempts: {_listed(tried)}"
    if failure.about != "nothing":
        message += f". {failure.of(history.link)}"
    return ProvidersExhausted(message, _details(tried))


def _all_tried(failure: ProviderError, history: History) -> tuple[PastAttempt, ...]:
    noted = f"{history.link}={failure.noted}"
    return (*history.tried, PastAttempt.read(noted))


def _listed(tried: tuple[PastAttempt, ...]) -> str:
    """Each kind once, in the order of their first."""
    counts = Counter(map(str, tried))
    return ", ".join(
        f"{each} {count} times" if count > 1 else each for each, count in counts.items()
    )


def _too_late(history: History) -> JobError:
    if history.tried:
        return ProvidersExhausted(
            f"no provider was free again before the deadline; tried were {_listed(history.tried)}",
            _details(history.tried),
        )
    return DeadlineExceeded("the deadline comes before the job could be tried")


def _details(tried: tuple[PastAttempt, ...]) -> dict[str, Any]:
    return {"attempts": [each.details() for each in tried]}
