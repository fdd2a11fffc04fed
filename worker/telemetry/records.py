"""The log records of a provider call and of a job's end: fields, units, and how they are written.

Never a prompt or an answer. `docs/records.schema.json` says the same to machines, and a test
compares real lines with it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from producer.contract.completions import CostBasis
from producer.contract.errors import JobError
from producer.contract.outcome import Outcome

from ..ledger.attempt import Start

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, section 3.2."""


@dataclass(frozen=True)
class CallRecord:
    """One provider call. Money in micro-dollars, time in milliseconds.

    `error`: the `Fault`'s value or the `JobError`'s name, None if the call answered. `http_status`,
    `error_code`, `error_type`, `error_param`: the provider's own, None for what it did not state.
    `maybe_billed_micro_usd`: the worst case held for a call that gave no bill although the provider
    may have worked, else 0. `charged_micro_usd`: what the provider says it charged.
    """

    request_id: str
    """The job's id."""
    user_id: str | None
    lane: str
    model: str
    """The one that is booked: another known one than the link's, if that answered."""
    provider: str
    attempt: int
    input_tokens: int
    output_tokens: int
    micro_usd: int
    maybe_billed_micro_usd: int
    latency_ms: int
    finish_reason: str | None
    error: str | None
    prompt_hash: str
    queue_ms: int = 0
    """From the job's submission to its first start."""
    provider_request_id: str | None = None
    """The provider's own name of the call, for its support."""
    trace_id: str | None = None
    cached: bool = False
    http_status: int | None = None
    error_code: str | None = None
    error_type: str | None = None
    error_param: str | None = None
    price_unknown: bool = False
    """No price was found: the amounts are by the ceiling `LLM_UNKNOWN_PRICE`, or what the provider
    says it charged.
    """
    cost_basis: CostBasis = "stated"
    """How the cost is known, as `Completion.cost_basis`."""
    charged_micro_usd: int | None = None
    service_tier: str = ""
    flags: tuple[str, ...] = ()
    """What is odd about the answer, as in `Completion.flags`."""

    def line(self) -> dict[str, Any]:
        return _dollars({**vars(self), "job_id": self.request_id})


@dataclass(frozen=True)
class JobRecord:
    """How a job ended, all its attempts together.

    None for what a delivery cannot know of a job that it did not run.
    """

    job_id: str
    user_id: str | None
    lane: str | None
    state: str
    """done or failed."""
    error: str | None
    """The `JobError`'s name."""
    provider: str | None
    model: str | None
    finish_reason: str | None
    attempts: int | None
    micro_usd: int | None
    maybe_billed_micro_usd: int | None
    queue_ms: int | None
    provider_ms: int | None
    """Of the last call."""
    total_ms: int | None
    cached: bool | Literal["semantic"]
    similarity: float | None
    """Of the near question whose answer it was."""
    degraded: str | None
    trace_id: str | None

    def line(self) -> dict[str, Any]:
        return _dollars({**vars(self)})


def record_of_run(start: Start, outcome: Outcome) -> JobRecord:
    """The record of a job that this process ran to its end."""
    job = start.job
    attempt = start.attempt
    return replace(
        record_of_outcome(job.id, outcome),
        user_id=job.payer,
        lane=job.lane,
        attempts=attempt.number_so_far(job),
        micro_usd=job.spent_micro_usd + attempt.bill.micro_usd,
        maybe_billed_micro_usd=attempt.possibly_billed_micro_usd(job),
        queue_ms=job.first_started_ms - job.submitted_ms,
        provider_ms=attempt.provider_ms,
        total_ms=(start.ended_ms or job.now_ms) - job.submitted_ms,
        trace_id=trace_id(job.request.metadata),
    )


def record_of_outcome(job_id: str, outcome: Outcome) -> JobRecord:
    """The record of a job that ended without a worker.

    It was cancelled, past its deadline or poison, or its worker died before it reported the end.
    """
    record = JobRecord(
        job_id=job_id,
        user_id=None,
        lane=None,
        state="failed",
        error=None,
        provider=None,
        model=None,
        finish_reason=None,
        attempts=None,
        micro_usd=None,
        maybe_billed_micro_usd=None,
        queue_ms=None,
        provider_ms=None,
        total_ms=None,
        cached=False,
        similarity=None,
        degraded=None,
        trace_id=None,
    )
    if isinstance(outcome, JobError):
        return replace(record, error=type(outcome).__name__)
    return replace(
        record,
        state="done",
        provider=outcome.provider,
        model=outcome.model,
        finish_reason=outcome.finish_reason,
        cached=outcome.cached,
        similarity=outcome.similarity,
        degraded=outcome.degraded,
    )


def trace_id(metadata: Mapping[str, str]) -> str | None:
    """The trace a request belongs to: its metadata's `trace_id`, or that of its `traceparent`."""
    if stated := metadata.get("trace_id"):
        return stated
    if found := TRACEPARENT.fullmatch(metadata.get("traceparent", "")):
        return found[1]
    return None


_DOLLARS = {
    "micro_usd": "cost_usd",
    "maybe_billed_micro_usd": "maybe_billed_usd",
    "charged_micro_usd": "provider_cost_usd",
}
"""Field in micro-dollars -> field in dollars."""


def _dollars(fields: dict[str, Any]) -> dict[str, Any]:
    """Micro-dollars as dollars, exact to the micro-dollar when they are parsed."""
    for name, shown in _DOLLARS.items():
        if name not in fields:
            continue
        amount = fields.pop(name)
        if amount is not None:
            amount /= 1_000_000
        fields[shown] = amount
    return fields
