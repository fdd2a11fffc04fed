"""What the log tells of a provider call and of a job's end: fields, units, and how they are
written. Never a prompt or an answer.

`docs/records.schema.json` says the same to machines, and a test holds real lines against it.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, section 3.2."""


@dataclass(frozen=True)
class CallRecord:
    """One provider call as the log tells it. Money in micro-dollars, time in milliseconds; never a
    prompt or an answer.

    `error`: the `Fault`'s value or the `JobError`'s name, None if the call answered.
    `maybe_billed_micro_usd`: the worst case held for a call that gave no bill although the provider
    may have worked, else 0.
    """

    request_id: str
    """The job's id."""
    user_id: str | None
    lane: str
    model: str
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
    price_unknown: bool = False
    """No price was found: the amounts are by the ceiling `LLM_UNKNOWN_PRICE`."""

    def line(self) -> dict[str, Any]:
        return _dollars(asdict(self)) | {"job_id": self.request_id}


@dataclass(frozen=True)
class JobRecord:
    """How a job ended, all its attempts together. What a delivery cannot know of a job it did not
    run is None.
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
    cached: bool
    degraded: str | None
    trace_id: str | None

    def line(self) -> dict[str, Any]:
        return _dollars(asdict(self))


def trace_id(metadata: Mapping[str, str]) -> str | None:
    """The trace a request belongs to: its metadata's `trace_id`, or the one in its `traceparent`."""
    found = TRACEPARENT.fullmatch(metadata.get("traceparent", ""))
    return metadata.get("trace_id") or (found[1] if found else None)


def _dollars(fields: dict[str, Any]) -> dict[str, Any]:
    """Micro-dollars as dollars, exact to the micro-dollar when they are parsed."""
    for name, shown in (("micro_usd", "cost_usd"), ("maybe_billed_micro_usd", "maybe_billed_usd")):
        micro = fields.pop(name)
        fields[shown] = None if micro is None else micro / 1_000_000
    return fields
