"""Rate limits and budgets: reserve the worst case of a call before it is made.

Redis down: nothing is reserved, so nothing is called; the job waits. All limits or none are taken,
in one script.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from producer.contract.errors import (
    BudgetExceeded,
    Cancelled,
    DeadlineExceeded,
    JobError,
    RateLimited,
)
from producer.contract.used_limits import MICRO

from ..faults import Deferred, Outage, ProviderError
from ..ledger.attempt import NOT_CACHED, Attempt, CachePlace, Candidate, Question
from ..ledger.fleet_limits import in_micro_usd
from ..ledger.job_functions import BudgetLeftReply, InTheWay, ReserveReply
from ..ledger.running_job import RunningJob
from ..settings import QuotaSettings
from .pricing import how_to_price, unpriced

FOLLOWER_WAIT_S = 30.0
"""A follower is woken when its leader ends or waits for something of its own; this is only for a
wake-up that got lost.
"""
HELD_WAIT_S = 5.0
"""A job that waits for others' holds is woken when one settles; this is only for a wake-up that got
lost.
"""


ROUNDING_S = 0.05
"""So that a job parked until a slot leaves its window does not start a millisecond too early."""


class Budgets(Protocol):
    """What a reservation needs of the ledger: `Ledger`, or the tests' `MemoryBudgets`."""

    def reserve(
        self,
        job: RunningJob,
        candidates: list[Candidate],
        question: Question = NOT_CACHED,
    ) -> ReserveReply: ...

    def budget_left(self, job: RunningJob) -> BudgetLeftReply: ...


@dataclass(frozen=True)
class Left:
    """What the budgets of a job's user, group and batch, and the fleet's, leave now; None: no
    limit.
    """

    left_usd: float | None
    usd_per_day: float | None
    """What the tightest of them allows, as with tokens."""
    left_tokens: int | None
    tokens_per_hour: int | None


@contextmanager
def hold_of(attempt: Attempt) -> Iterator[None]:
    """A call that fails inside the block without cost gives the hold back, and is a request if it
    left; any other end leaves the hold as possibly billed, unless the block states the bill. The
    ledger books that when it settles or parks the job.
    """
    try:
        yield
    except ProviderError as error:
        if not error.maybe_billed:
            attempt.not_billed(error.sent)
        raise


class Quota:
    """The limits' rules and words; counters, and limits of more than one job, are the ledger's."""

    def __init__(self, budgets: Budgets, settings: QuotaSettings) -> None:
        self._budgets = budgets
        self._cap_micro_usd = in_micro_usd(settings.max_cost_per_request)
        self._risk_micro_usd = in_micro_usd(settings.max_possibly_billed_per_job)

    def take_hold(
        self,
        job: RunningJob,
        attempt: Attempt,
        candidates: list[Candidate],
        question: Question = NOT_CACHED,
    ) -> Candidate | None:
        """Hold the worst case of the first candidate that may be called, has room and can answer in
        time; None if a fresh answer is cached. Where, and what is there, is noted in `attempt`.

        Raises `BudgetExceeded` or `RateLimited` if it does not fit what is really spent, `Deferred`
        if it only does not fit beside what others hold, no link is free, an identical job is in
        flight or the request chose to wait for a limit that will have room, `Cancelled` if that was
        asked for meanwhile, `DeadlineExceeded` if no call could end in time.
        """
        affordable = [each for each in candidates if self.affords(job, each.micro_usd)]
        offered = [each for each in affordable if self._risks(job, each.micro_usd)]
        if affordable and not offered:
            raise self._over_risk(job, affordable)
        reply = self._budgets.reserve(job, offered, question)
        attempt.place = CachePlace(reply.entry_key, reply.entry, reply.now_ms)
        match reply.verdict:
            case "go":
                chosen = offered[reply.candidate]
                attempt.reserved(chosen, reply.number, probes=bool(reply.probes))
                return chosen
            case "hit":
                return None
            case "unaffordable":
                raise self._over_cap(job, candidates)
            case "cancelled":
                raise Cancelled("The job was cancelled.")
            case "late":
                raise DeadlineExceeded("The deadline is too near for another call.")
            case "over" if not _may_wait(job, reply):
                raise refusal(reply.in_the_way, offered)
            case _:
                raise _wait_for(reply)

    def left(self, job: RunningJob) -> Left:
        """Before anything is held."""
        found = self._budgets.budget_left(job)
        left = Left(None, None, None, None)
        if found.micro >= 0:
            allowed_usd = found.micro_allowed / 1e6
            left = replace(left, left_usd=found.micro / 1e6, usd_per_day=allowed_usd)
        if found.tokens >= 0:
            left = replace(
                left,
                left_tokens=found.tokens,
                tokens_per_hour=found.tokens_allowed,
            )
        return left

    def affords(self, job: RunningJob, micro_usd: int) -> bool:
        """Whether that much more keeps what the job is known to cost under its cap. What its failed
        calls may have cost beside that is the operator's risk, and not its caller's.
        """
        return self._cap_micro_usd < 0 or job.spent_micro_usd + micro_usd <= self._cap_micro_usd

    def _risks(self, job: RunningJob, micro_usd: int) -> bool:
        """Whether the operator risks that much more for the job."""
        risked = job.possibly_billed_micro_usd
        unlimited = self._risk_micro_usd < 0 or not risked
        return unlimited or risked + micro_usd <= self._risk_micro_usd

    def _over_cap(self, job: RunningJob, candidates: list[Candidate]) -> JobError:
        cap = self._cap_micro_usd
        return _over("max_cost_per_request", cap, job.spent_micro_usd, candidates)

    def _over_risk(self, job: RunningJob, candidates: list[Candidate]) -> JobError:
        risked = job.possibly_billed_micro_usd
        return _over("max_possibly_billed_per_job", self._risk_micro_usd, risked, candidates)


def _over(limit: str, allowed: int, used: int, candidates: list[Candidate]) -> JobError:
    """A limit of one job in micro-dollars, which no time helps over."""
    cheapest = min(candidates, key=lambda each: each.micro_usd)
    over = InTheWay(limit, allowed, used, held=0, asked=cheapest.micro_usd, fits_in_ms=-1)
    return refusal([over], [cheapest])


def _may_wait(job: RunningJob, reply: ReserveReply) -> bool:
    """Whether a job waits for what is used: it asked for that, or it has made calls itself and only
    requests per minute are in the way, which must not end it.
    """
    if reply.in_the_way[0].fits_in_ms < 0:
        return False
    over = [each for each in reply.in_the_way if each.fits_in_ms]
    only_requests = all("requests" in each.limit for each in over)
    return job.request.over_limit == "wait" or (job.attempts > 0 and only_requests)


def _wait_for(reply: ReserveReply) -> Deferred:
    """What a job waits for that can have no hold yet."""
    wait_s = reply.wait_ms / 1000
    match reply.verdict:
        case "follow":
            reason = "an identical job is being answered"
            return Deferred(reason, FOLLOWER_WAIT_S, reply.wakes_on)
        case "open" | "cooling":
            told = reply.verdict == "cooling"
            return Outage(reply.trouble, wait_s, reply.wakes_on, told)
        case "paced":
            link = reply.wakes_on.removeprefix("pace:")
            return Deferred(
                f"waiting for room at {link}", wait_s, reply.wakes_on, waits_for_room=True
            )
        case "held":
            limit = reply.in_the_way[0].limit
            return Deferred(f"waiting for held {limit}", HELD_WAIT_S, reply.wakes_on)
    last = reply.in_the_way[0]
    fits_in_s = last.fits_in_ms / 1000 + ROUNDING_S
    return Deferred(
        f"waiting until {last.limit} has room", fits_in_s, reply.wakes_on, waits_for_room=True
    )


def refusal(in_the_way: Sequence[InTheWay], candidates: Sequence[Candidate] = ()) -> JobError:
    """The error that says which limits, how much is used, held and asked, and when all of them let
    it in; of `candidates` without a known price, that. The first limit is the one that decides.
    """
    last = in_the_way[0]
    dollars = _is_dollars(last.limit)
    kind: type[JobError] = BudgetExceeded if dollars else RateLimited
    when = _when(last)
    if dollars and candidates and not any(each.priced for each in candidates):
        link = candidates[0].link.name
        when = (
            f"{unpriced(link)}, so it is reserved at LLM_UNKNOWN_PRICE. "
            f"Fix: the operator adds {how_to_price(link)}"
        )
    others = ", ".join(each.limit for each in in_the_way[1:])
    beside = f"; also in the way: {others}" if others else ""
    rows = [_detailed(each) for each in in_the_way]
    return kind(f"{_in_words(last)}{beside}; {when}", {**rows[0], "limits": rows})


def _in_words(each: InTheWay) -> str:
    dollars = _is_dollars(each.limit)
    unit = " tokens"
    if dollars:
        unit = ""
    elif "requests" in each.limit:
        unit = " requests"

    def shown(value: int) -> str:
        return f"${value / MICRO:.6f}" if dollars else f"{value:,}"

    state = f"{shown(each.used)} of {shown(each.allowed)} used"
    held = f"{shown(each.held)} held by running jobs"
    return f"{each.limit}: {shown(each.asked)}{unit} asked, {state}, {held}"


def _when(each: InTheWay) -> str:
    if each.fits_in_ms >= 0:
        return f"it fits in {each.fits_in_ms / 1000:.0f} s"
    if each.allowed == 0:
        return "blocked: the limit is 0. Fix: the operator raises it"
    return "it can never fit: shorten the prompt or lower max_tokens"


def _detailed(each: InTheWay) -> dict[str, Any]:
    scale = 1
    if _is_dollars(each.limit):
        scale = MICRO
    retry_after_s = None
    if each.fits_in_ms >= 0:
        retry_after_s = each.fits_in_ms / 1000
    return {
        "limit": each.limit,
        "allowed": each.allowed / scale,
        "used": each.used / scale,
        "maybe_billed": each.maybe_billed / scale,
        "held": each.held / scale,
        "asked": each.asked / scale,
        "retry_after_s": retry_after_s,
        "resets_in_s": each.resets_in_ms / 1000,
    }


def _is_dollars(limit: str) -> bool:
    return "usd" in limit or "cost" in limit
