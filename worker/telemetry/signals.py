"""Latencies from Celery's signals. What fails in here costs a sample, never a job."""

from collections.abc import Callable
from typing import Any

from celery import signals

from .logs import bind_job, unbind_job
from .metrics import Metrics
from .samples import FINAL, samples_of


def connect(metrics: Callable[[], Metrics]) -> None:
    """Record the call of every delivery in this process that made one, and did not end its job: of
    a job that ends, the task counts the samples with its last word to the ledger.
    """

    def ended(task: Any = None, state: str = "", **_: Any) -> None:
        if state not in FINAL:
            start = getattr(task.request, "start", None)
            metrics().add(samples_of(metrics(), start, state))
        unbind_job()

    signals.task_postrun.connect(ended, weak=False)
    signals.task_prerun.connect(_bind, weak=False)


def _bind(task_id: str = "", **_: Any) -> None:
    """Every line of this delivery, libraries' too, names its job."""
    unbind_job()
    bind_job(job_id=task_id)
