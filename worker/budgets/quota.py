"""Rate limits and budgets: reserve the worst case before the wire, settle the truth after it.

Redis down: nothing is reserved, so nothing is called; the job waits. All limits or none are taken,
in one script.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from producer.contract.completions import Usage
from producer.contract.errors import BudgetExceeded, Cancelled, JobError, RateLimited

from ..faults import Deferred, ProviderError
from ..ledger.running_job import Bill, Candidate, Job
from ..settings import QuotaSettings

HELD_WAIT_S = 5.0
"""A job that waits for others' holds is woken when one settles; this is only for a hint that got
lost.
"""


ROUNDING_S = 0.05
"""So that a job parked until a slot leaves its window does not come back a millisecond too early."""


class Budgets(Protocol):
    """What a reservation needs of the ledger: `jobs.Ledger`, or `memory.MemoryBudgets`."""

    def attempt(self, job: Job, limits: list[int], candidates: list[Candidate]) -> list[Any]: ...

    def left(self, job: Job, limits: list[int]) -> tuple[int, str]: ...


@dataclass
class Reservation:
    """A hold on every limit for one call. Leaving its `with` block decides what becomes of it.

    Settled: the real cost. A failure the provider may have billed, or an answer without usage: the
    hold stays, as possibly billed. Any other failure: nothing. The ledger books it in the same step
    that parks or ends the job.
    """

    job: Job
    chosen: Candidate
    number: int
    """Which attempt of the job this is, from 1."""

    def settle(self, micro_usd: int, usage: Usage | None) -> None:
        """The call was answered and cost this; without a usage nobody knows, and the hold stays as
        possibly billed.
        """
        if usage is not None:
            self.job.bill = Bill("real", micro_usd, usage.input + usage.output, usage.output)

    def __enter__(self) -> Self:
        self.job.bill = Bill("maybe")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, ProviderError) and not error.maybe_billed:
            self.job.bill = Bill()


class Quota:
    """The limits' rules and words; the counters are the ledger's."""

    def __init__(self, budgets: Budgets, settings: QuotaSettings) -> None:
        self._budgets = budgets
        self._cap_micro = _micro(settings.max_cost_per_request)
        self._limits = [
            _or_none(settings.tokens_per_hour),
            _or_none(settings.requests_per_minute),
            _micro(settings.user_usd_per_day),
            _micro(settings.usd_per_day),
        ]

    def reserve(self, job: Job, candidates: list[Candidate]) -> Reservation:
        """Hold the worst case of the first candidate that is not cooling and has room at its pace.

        Raises `BudgetExceeded` or `RateLimited` if it does not fit what is really spent, `Deferred`
        if it only does not fit beside what others hold, no link is free or the request chose to
        wait for a limit that will have room, `Cancelled` if somebody asked for that meanwhile.
        """
        affordable = [each for each in candidates if self.affords(job, each.micro_usd)]
        if not affordable:
            raise self._over_cap(job, candidates)
        verdict, *rest = self._budgets.attempt(job, self._limits, affordable)
        match verdict:
            case "go":
                index, job.attempts = rest
                job.link, job.held_micro = affordable[index].link.name, affordable[index].micro_usd
                return Reservation(job, affordable[index], job.attempts)
            case "cooling":
                raise Deferred(
                    "every allowed link is cooling down", rest[0] / 1000, wakes_on=rest[1]
                )
            case "paced":
                link = rest[1].removeprefix("pace:")
                raise Deferred(
                    f"waiting for room at {link}", rest[0] / 1000, wakes_on=rest[1], patient=True
                )
            case "held":
                raise Deferred(f"waiting for held {rest[0]}", HELD_WAIT_S, wakes_on=rest[-1])
            case "cancelled":
                raise Cancelled("The job was cancelled.")
        fits_in_ms = rest[5]
        if job.request.over_limit == "wait" and fits_in_ms >= 0:
            raise Deferred(
                f"waiting until {rest[0]} has room", fits_in_ms / 1000 + ROUNDING_S, patient=True
            )
        raise refusal(*rest[:6])

    def left_usd(self, job: Job) -> float | None:
        """Dollars that the budgets of the job's user, group and batch, and the fleet's, leave now;
        None without a limit.
        """
        micro, _ = self._budgets.left(job, self._limits)
        return None if micro < 0 else micro / 1_000_000

    def affords(self, job: Job, micro_usd: int) -> bool:
        """Whether that much more keeps the job, with all its attempts, under the cap per request."""
        booked = job.spent_micro + job.maybe_micro
        return self._cap_micro < 0 or booked + micro_usd <= self._cap_micro

    def _over_cap(self, job: Job, candidates: list[Candidate]) -> JobError:
        asked = min(each.micro_usd for each in candidates)
        return refusal(
            "max_cost_per_request", self._cap_micro, job.spent_micro + job.maybe_micro, 0, asked, -1
        )


def refusal(
    limit: str, allowed: int, used: int, held: int, asked: int, fits_in_ms: int
) -> JobError:
    """The error that says which limit, used, held, asked, and when it frees."""
    dollars = "usd" in limit or "cost" in limit
    unit = "" if dollars else " requests" if "requests" in limit else " tokens"
    scale = 1_000_000 if dollars else 1

    def shown(value: int) -> str:
        return f"${value / scale:.6f}" if dollars else f"{value:,}"

    never = fits_in_ms < 0
    when = (
        "it can never fit: shorten the prompt or lower max_tokens"
        if never
        else f"it fits in {fits_in_ms / 1000:.0f} s"
    )
    state = f"{shown(used)} of {shown(allowed)} used, {shown(held)} held by running jobs"
    message = f"{limit}: {shown(asked)}{unit} asked, {state}; {when}"
    details: dict[str, Any] = {
        name: value / scale
        for name, value in (("allowed", allowed), ("used", used), ("held", held), ("asked", asked))
    }
    details |= {"limit": limit, "retry_after_s": None if never else fits_in_ms / 1000}
    return (BudgetExceeded if dollars else RateLimited)(message, details)


def _micro(dollars: float | None) -> int:
    return -1 if dollars is None else round(dollars * 1_000_000)


def _or_none(limit: int | None) -> int:
    return -1 if limit is None else limit
