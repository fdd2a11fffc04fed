"""The ledger in memory, with batches."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..contract.completions import Completion
from ..contract.errors import Cancelled, OutcomeUnknown
from ..contract.submission import Submission
from ..ledger_replies import (
    BatchChange,
    BatchState,
    ItemRecord,
    OpenedBatch,
    Progress,
    RetriedItems,
    SubmittedJob,
)
from .memory import MemoryJobs, Record, Reply


@dataclass
class _Batch:
    user_id: str
    label: str
    max_micro: int | None
    at: float = field(default_factory=time.monotonic)
    total: int | None = None
    state: BatchState = "open"
    tries: dict[str, int] = field(default_factory=dict)
    """Id of an item -> how often it was tried again."""

    def latest(self, item_id: str) -> str:
        """The id under which the item was tried last."""
        again = self.tries[item_id]
        return f"{item_id}~{again}" if again else item_id


class MemoryLedger(MemoryJobs):
    """All calls of `LedgerClient`. A batch runs at once; to pause one changes its state only."""

    def __init__(self, on_asked: Callable[[Submission, str], Reply]) -> None:
        super().__init__(on_asked)
        self._batches: dict[str, _Batch] = {}

    def open_batch(
        self, batch_id: str, user_id: str, label: str, retention_ms: int, max_micro: int | None
    ) -> OpenedBatch:
        with self._there():
            known = self._batches.get(batch_id)
            if known is None:
                self._batches[batch_id] = _Batch(user_id, label, max_micro)
                return OpenedBatch("new", None)
            if known.user_id != user_id:
                return OpenedBatch("conflict", None)
            return OpenedBatch("same", known.max_micro)

    def _submitted(self, submission: Submission) -> SubmittedJob:
        batch = self._batches.get(submission.batch)
        if batch and submission.job_id not in batch.tries:
            if batch.total is not None:
                return SubmittedJob("closed", submission.job_id)
            batch.tries[submission.job_id] = 0
        return super()._submitted(submission)

    def close_batch(self, batch_id: str, total: int) -> None:
        with self._there():
            self._batch(batch_id).total = total

    def pause_batch(self, batch_id: str) -> BatchChange:
        return self._changed(batch_id, "paused")

    def resume_batch(self, batch_id: str) -> BatchChange:
        return self._changed(batch_id, "open")

    def cancel_batch(self, batch_id: str) -> BatchChange:
        changed = self._changed(batch_id, "cancelled")
        for record in self._records(batch_id):
            self._end(record, Cancelled("its batch was cancelled"))
        return changed

    def _changed(self, batch_id: str, state: BatchState) -> BatchChange:
        with self._there():
            self._batch(batch_id).state = state
        return BatchChange(state, [])

    def retry_items(self, batch_id: str, job_ids: list[str]) -> RetriedItems:
        with self._there():
            batch = self._batch(batch_id)
            started = []
            for job_id in job_ids:
                item_id, _, _ = job_id.partition("~")
                batch.tries[item_id] += 1
                again = batch.latest(item_id)
                before = self._jobs[job_id]
                before.retried_as = again
                self._run(replace(before.submission, job_id=again))
                started.append(again)
        return RetriedItems(started, [])

    def batch_progress(self, batch_id: str) -> Progress:
        with self._there():
            batch = self._batch(batch_id)
            records = self._records(batch_id)
        states = [record.state for record in records]
        answers = [record.reply.outcome for record in records if record.state == "done"]
        found = [answer for answer in answers if isinstance(answer, Completion)]
        cancelled = states.count("cancelled")
        waiting = states.count("waiting")
        is_over = batch.total is not None and not waiting
        return Progress(
            batch_id=batch_id,
            user_id=batch.user_id,
            label=batch.label,
            state="done" if is_over and batch.state == "open" else batch.state,
            total=batch.total,
            submitted=len(records),
            done=len(found),
            failed=len(records) - len(found) - cancelled - waiting,
            cancelled=cancelled,
            cached=sum(bool(each.cached) for each in found),
            calls=len(found),
            tokens=sum(each.usage.input + each.usage.output for each in found),
            cost_usd=sum(each.cost_usd for each in found),
            possibly_billed_usd=0.0,
            elapsed_s=time.monotonic() - batch.at,
            held_back="paused" if batch.state == "paused" else "",
            slowest="",
            slowest_s=0.0,
        )

    def latest_batches(self, count: int) -> list[str]:
        with self._there():
            return [*reversed(self._batches)][:count]

    def ended_items(self, batch_id: str, start: int) -> list[str]:
        with self._there():
            ours = [each for each in self._jobs.values() if each.submission.batch == batch_id]
        ended = sorted((each for each in ours if each.has_ended), key=lambda each: each.ends_at)
        return [each.submission.job_id for each in ended][start:]

    def latest_tries(self, batch_id: str, job_ids: list[str]) -> list[str]:
        with self._there():
            return [self._batch(batch_id).latest(job_id) for job_id in job_ids]

    def items(self, job_ids: list[str]) -> list[ItemRecord]:
        with self._there():
            return [self._item(job_id) for job_id in job_ids]

    def _item(self, job_id: str) -> ItemRecord:
        record = self._jobs.get(job_id)
        if record is None:
            return ItemRecord(job_id, "", "", "", 0, None)
        name = record.submission.name
        return ItemRecord(job_id, record.state, name, record.retried_as, 0, record.text)

    def _batch(self, batch_id: str) -> _Batch:
        found = self._batches.get(batch_id)
        if found is None:
            raise OutcomeUnknown(f"there is no batch {batch_id}")
        return found

    def _records(self, batch_id: str) -> list[Record]:
        """Of each item the latest try."""
        batch = self._batch(batch_id)
        return [self._jobs[batch.latest(item_id)] for item_id in batch.tries]
