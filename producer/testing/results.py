"""Celery's result backend over the ledger in memory: `job.get()` and `job.state`."""

import json
from typing import Any

from celery import states
from celery.backends.base import BaseBackend

from ..contract.errors import JobError
from ..contract.outcome import load_outcome
from ..current import ledger

POLL_S = 0.01


class MemoryResults(BaseBackend):  # type: ignore[misc]
    def wait_for(self, task_id: str, timeout: float | None = None, *args: Any, **more: Any) -> Any:
        """Looks more often than Celery does, as nothing is far away."""
        return super().wait_for(task_id, timeout, **more | {"interval": POLL_S})

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        found = ledger().outcome(task_id)
        if found.text is None:
            return {"status": states.PENDING, "result": None}
        outcome = load_outcome(found.text)
        if isinstance(outcome, JobError):
            return {"status": states.FAILURE, "result": outcome}
        return {"status": states.SUCCESS, "result": json.loads(outcome.model_dump_json())}

    def _forget(self, task_id: str) -> None:
        """The test's end forgets all."""
