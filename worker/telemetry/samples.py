"""What one start of a job adds to the fleet's latencies and calls."""

from ..ledger.attempt import Start
from .metrics import Metrics


def samples_of(start: Start) -> tuple[str, ...]:
    """Its call, if it made one; of a job that it ended, how long that was queued and took."""
    job = start.job
    attempt = start.attempt
    provider, _, model = attempt.booked_as.partition(":")
    samples: list[str] = []
    if attempt.call_outcome:
        samples += Metrics.call_ended(
            job.lane, provider, model, attempt.call_outcome, attempt.provider_ms
        )
    if start.ended_ms is not None:
        queue_ms = job.first_started_ms - job.submitted_ms
        total_ms = start.ended_ms - job.submitted_ms
        samples += Metrics.job_ended(job.lane, provider, model, queue_ms, total_ms)
    return tuple(samples)
