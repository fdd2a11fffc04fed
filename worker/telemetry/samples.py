"""What one start of a job adds to the fleet's latencies and calls."""

from producer.contract.completions import Completion
from producer.contract.outcome import Outcome

from ..ledger.attempt import Start
from .metrics import ANSWERED, CUT_BY_DEFAULT, SIMULATED, Metrics


def samples_of(start: Start, outcome: Outcome | None = None) -> tuple[str, ...]:
    """Its call, if it made one; of a job that it ended with `outcome`, how long that was queued
    and took, but for what it waited for a cap of its user or group, or chose to for a limit.
    """
    job = start.job
    attempt = start.attempt
    provider, _, model = attempt.booked_as.partition(":")
    samples: list[str] = []
    if attempt.call_outcome:
        samples += Metrics.call_ended(
            job.lane, provider, model, attempt.call_outcome, attempt.provider_ms
        )
    if attempt.call_outcome == "length" and job.request.max_tokens is None:
        samples += Metrics.happened(CUT_BY_DEFAULT)
    simulated = attempt.candidate and attempt.candidate.link.adapter == "simulator"
    if simulated and attempt.call_outcome in ANSWERED:
        samples += Metrics.happened(SIMULATED)
    if start.ended_ms is not None:
        began_ms = job.submitted_ms + job.own_wait_ms
        queue_ms = max(0, job.first_started_ms - began_ms)
        total_ms = max(0, start.ended_ms - began_ms)
        if isinstance(outcome, Completion) and outcome.cached and not outcome.degraded:
            samples += Metrics.hit_ended(job.lane, queue_ms, total_ms)
        else:
            samples += Metrics.job_ended(job.lane, provider, model, queue_ms, total_ms)
    return tuple(samples)
