"""Every line of a delivery, libraries' too, names its job."""

from typing import Any

from celery import signals

from .logs import bind_job, unbind_job


def connect() -> None:
    """Bind the job's id to the log while Celery runs its task."""
    signals.task_prerun.connect(_bind, weak=False)
    signals.task_postrun.connect(_unbind, weak=False)


def _bind(task_id: str = "", **_: Any) -> None:
    unbind_job()
    bind_job(job_id=task_id)


def _unbind(**_: Any) -> None:
    unbind_job()
