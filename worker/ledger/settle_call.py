"""The end of a job as the ledger takes it."""

from typing import Any, Literal

from producer.contract.completions import Completion
from producer.contract.outcome import Outcome, dump_outcome

from .attempt import Attempt, CacheEntry
from .job_functions import Settle
from .running_job import RunningJob

NO_ENTRY = CacheEntry("", "", 0)
MOST_MS = 315_360_000_000
"""Ten years: the ledger's functions refuse longer times."""


def milliseconds(seconds: float) -> int:
    """Of a wait: what a provider asks for must not have the end of a job refused."""
    return int(min(max(seconds, 0.0) * 1000, MOST_MS))


def bill_of(attempt: Attempt) -> dict[str, Any]:
    """The arguments of settle and park that say what the attempt cost, and of its link."""
    evidence = attempt.evidence
    return {
        "billing": attempt.bill.kind,
        "micro": attempt.bill.micro_usd,
        "tokens": attempt.bill.tokens,
        "output": attempt.bill.output_tokens,
        "estimated": attempt.bill.estimated,
        "prompt_tokens": attempt.candidate.prompt_tokens if attempt.candidate else -1,
        "prompt_micro": attempt.candidate.prompt_micro_usd if attempt.candidate else -1,
        "booked_as": attempt.bill.booked_as,
        "says": evidence.says,
        "reason": evidence.reason,
        "told_ms": milliseconds(evidence.told_s),
        "opening_ms": milliseconds(evidence.opening_s),
        "limits": str(attempt.rate_limits),
    }


def settle_call(job: RunningJob, attempt: Attempt, outcome: Outcome, fault: str) -> Settle:
    """Raises whatever is wrong with its arguments, before anything is sent."""
    state: Literal["done", "failed"] = "failed"
    if isinstance(outcome, Completion):
        state = "done"
    entry = attempt.cache_entry or NO_ENTRY
    call = Settle(
        id=job.id,
        fence=job.fence,
        state=state,
        outcome=dump_outcome(outcome),
        fault=fault,
        **bill_of(attempt),
        saved_by=attempt.saved.link,
        saved_micro=attempt.saved.micro_usd,
        near=attempt.saved.near,
        cache_key=entry.key,
        cache_entry=entry.text,
        cache_ms=min(entry.life_ms, MOST_MS),
        items=attempt.samples,
    )
    for argument in call.arguments:
        if not isinstance(argument, str | int):
            raise TypeError(f"an argument of settle is a {type(argument).__name__}")
    return call
