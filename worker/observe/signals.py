"""Celery's signals become latencies. Telemetry listens; it never takes part: what fails in here costs a sample, never a job."""

from collections.abc import Callable
from typing import Any

from celery import signals

from .metrics import Latencies


def connect(latencies: Callable[[], Latencies]) -> None:
    """Record queue wait, provider time and total of every job that ends in this process."""

    def ended(task: Any = None, state: str = "", **_: Any) -> None:
        job = getattr(task.request, "job", None)
        if job is None or state not in ("SUCCESS", "FAILURE"):
            return
        provider, _, model = job.link.partition(":")
        latencies().record(
            lane=job.lane,
            provider=provider or "none",
            model=model or "none",
            queue_ms=job.first_begun_ms - job.submitted_ms,
            provider_ms=job.provider_ms,
            total_ms=job.now_ms - job.submitted_ms,
        )

    signals.task_postrun.connect(ended, weak=False)
