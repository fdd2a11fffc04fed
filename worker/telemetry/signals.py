"""Celery's signals become latencies. Telemetry listens; it never takes part: what fails in here
costs a sample, never a job.
"""

from collections.abc import Callable
from typing import Any

from celery import signals

from .logs import bind_job, unbind_job
from .metrics import Metrics


def connect(metrics: Callable[[], Metrics]) -> None:
    """Record the call of every delivery in this process that made one; of a job that ends here, its
    queue wait and total.
    """

    def ended(task: Any = None, state: str = "", **_: Any) -> None:
        job = getattr(task.request, "job", None)
        if job is None:
            unbind_job()
            return
        samples = []
        provider, _, model = job.link.partition(":")
        if job.call_outcome:
            samples += metrics().call_ended(
                job.lane, provider, model, job.call_outcome, job.provider_ms
            )
        if state in ("SUCCESS", "FAILURE"):
            waited_ms, took_ms = (
                job.first_begun_ms - job.submitted_ms,
                job.now_ms - job.submitted_ms,
            )
            samples += metrics().job_ended(job.lane, provider, model, waited_ms, took_ms)
        metrics().add(samples)
        unbind_job()

    signals.task_postrun.connect(ended, weak=False)
    signals.task_prerun.connect(_begun, weak=False)


def _begun(task_id: str = "", **_: Any) -> None:
    """Every line of this delivery, libraries' too, names its job."""
    unbind_job()
    bind_job(job_id=task_id)
