"""Latencies from Celery's signals. What fails in here costs a sample, never a job."""

from collections.abc import Callable
from typing import Any

from celery import signals

from ..ledger.attempt import Start
from .logs import bind_job, unbind_job
from .metrics import Metrics


def connect(metrics: Callable[[], Metrics]) -> None:
    """Record the call of every delivery in this process that made one.

    Of a job that ends here, also how long it was queued and how long it took in all.
    """

    def ended(task: Any = None, state: str = "", **_: Any) -> None:
        start: Start | None = getattr(task.request, "start", None)
        if start:
            metrics().add(_samples(metrics(), start, state))
        unbind_job()

    signals.task_postrun.connect(ended, weak=False)
    signals.task_prerun.connect(_bind, weak=False)


def _samples(metrics: Metrics, start: Start, state: str) -> list[str]:
    job = start.job
    attempt = start.attempt
    provider, _, model = attempt.link.partition(":")
    samples: list[str] = []
    if attempt.call_outcome:
        samples += metrics.call_ended(
            job.lane, provider, model, attempt.call_outcome, attempt.provider_ms
        )
    if state in ("SUCCESS", "FAILURE"):
        queue_ms = job.first_started_ms - job.submitted_ms
        total_ms = job.now_ms - job.submitted_ms
        samples += metrics.job_ended(job.lane, provider, model, queue_ms, total_ms)
    return samples


def _bind(task_id: str = "", **_: Any) -> None:
    """Every line of this delivery, libraries' too, names its job."""
    unbind_job()
    bind_job(job_id=task_id)
