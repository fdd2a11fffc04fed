"""What one start of a job adds to the fleet's latencies and calls."""

from ..ledger.attempt import Start
from .metrics import Metrics

FINAL = ("SUCCESS", "FAILURE")
"""Celery's states of a task whose job has ended."""


def samples_of(metrics: Metrics, start: Start | None, state: str) -> list[str]:
    """Its call, if it made one; of a job that it ended, how long that was queued and took."""
    if start is None:
        return []
    job = start.job
    attempt = start.attempt
    provider, _, model = attempt.link.partition(":")
    samples: list[str] = []
    if attempt.call_outcome:
        samples += metrics.call_ended(
            job.lane, provider, model, attempt.call_outcome, attempt.provider_ms
        )
    if state in FINAL:
        queue_ms = job.first_started_ms - job.submitted_ms
        total_ms = job.now_ms - job.submitted_ms
        samples += metrics.job_ended(job.lane, provider, model, queue_ms, total_ms)
    return samples
