"""Batches: any number of requests under one name, submitted, watched, paused, resumed and handed
out as they come.

A batch lives in the ledger: the process that submitted it may go away. Submitting the same requests
again under the same id goes on where it stopped. Every method raises `Unavailable` if the ledger is
out of reach.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal, TypeVar

from celery.utils import uuid

from .client import numbered, publish_all, submit_chunk
from .contract.completions import Completion
from .contract.errors import Conflict, InvalidRequest, JobError, OutcomeUnknown
from .contract.outcome import load_outcome
from .contract.requests import CompletionRequest
from .contract.submission import Submission
from .ledger_client import CHUNK, ledger
from .ledger_replies import BatchChange, Progress, SubmittedJob

RETENTION_S = 7 * 86_400
POLL_S = 0.5
MAX_NAME = 512


@dataclass(frozen=True)
class Item:
    """One request of a batch. `outcome` None: it has not ended."""

    index: int
    name: str
    """What the caller calls it ("" if nothing)."""
    job_id: str
    state: str
    ended_s: int
    """When it ended, in seconds since the epoch by the ledger's clock; 0 before."""
    outcome: Completion | JobError | None


class Batch:
    """One batch by its id; `submit` makes one."""

    def __init__(self, batch_id: str) -> None:
        self.id = batch_id

    @classmethod
    def submit(
        cls,
        requests: Iterable[Any],
        user_id: str,
        batch_id: str | None = None,
        label: str = "",
        max_usd: float | None = None,
        retention_s: float = RETENTION_S,
        **options: Any,
    ) -> "Batch":
        """Put `requests` under one name: each is a list of messages, or a dict of `complete`'s
        arguments, with `name` if the item has one; {"wrong": JobError} is an item that cannot be
        run.

        They run in the batch lane and wait for limits rather than fail, unless `options` say
        otherwise. They are read one after the other, never all at once. A wrong one fails alone.
        The same `batch_id` and requests again: goes on where it stopped; other requests:
        `Conflict`. `max_usd`: the batch never spends more. `retention_s`: how long results are
        kept.
        """
        batch = cls(batch_id or uuid())
        max_micro = None if max_usd is None else round(max_usd * 1_000_000)
        retention_ms = int(retention_s * 1000)
        opened = ledger().open_batch(batch.id, user_id, label, retention_ms, max_micro)
        if opened == "conflict":
            raise Conflict(
                f"batch {batch.id} exists and is another user's. Fix: use a new batch_id"
            )
        written = 0
        defaults = {"lane": "batch", "over_limit": "wait"} | options
        items = (
            batch._item(number, each, user_id, defaults) for number, each in enumerate(requests)
        )
        for chunk in pieces(items):
            batch._refuse_unless_written(submit_chunk(chunk, written))
            written += len(chunk)
        ledger().close_batch(batch.id, written)
        return batch

    def progress(self) -> Progress:
        """Raises `OutcomeUnknown` for a batch that never was, or is kept no longer."""
        return ledger().batch_progress(self.id)

    def results(self, order: Literal["input", "completed"] = "input") -> Iterator[Item]:
        """What is there now, at any time: every item in the order of input (unfinished ones, too),
        or those that have ended in the order in which they did. Read in pieces; nothing is held in
        memory.
        """
        progress = self.progress()
        if order == "input":
            for indexes in pieces(range(progress.submitted)):
                yield from self._latest_items([f"{self.id}.{index}" for index in indexes])
        else:
            yield from self._ended(0)[1]

    def as_completed(self, timeout: float | None = None) -> Iterator[Item]:
        """Every item as it ends, those that have ended first; until all have. `TimeoutError` after
        `timeout` seconds without an end (the batch goes on).
        """
        seen, moved = 0, time.monotonic()
        while True:
            over = self.progress().over
            before, (seen, items) = seen, self._ended(seen)
            yield from items
            if over:
                return
            moved = moved if seen == before else time.monotonic()
            if timeout is not None and time.monotonic() - moved > timeout:
                raise TimeoutError(f"batch {self.id}: nothing ended in {timeout} s; it goes on")
            time.sleep(POLL_S)

    def pause(self) -> str:
        """What runs now ends; nothing else begins. The state after it."""
        return self._published(ledger().pause_batch(self.id))

    def resume(self) -> str:
        """Go on. The state after it."""
        return self._published(ledger().resume_batch(self.id))

    def cancel(self) -> str:
        """Nothing begins any more, calls under way are stopped; results that are there stay."""
        return self._published(ledger().cancel_batch(self.id))

    def retry_failed(self) -> int:
        """Try every failed or cancelled item again, with the request it had; how many."""
        count = 0
        for items in pieces(self.results()):
            failed = [
                item.job_id
                for item in items
                if item.outcome is not None and not isinstance(item.outcome, Completion)
            ]
            if failed:
                retried = ledger().retry_items(self.id, failed)
                publish_all(retried.publications)
                count += len(retried.job_ids)
        return count

    async def aprogress(self) -> Progress:
        return await asyncio.to_thread(self.progress)

    async def aas_completed(self, timeout: float | None = None) -> AsyncIterator[Item]:
        """`as_completed` for async code."""
        items = self.as_completed(timeout)
        while (item := await asyncio.to_thread(next, items, None)) is not None:
            yield item

    def _item(self, number: int, request: Any, user_id: str, options: dict[str, Any]) -> Submission:
        job_id = f"{self.id}.{number}"
        fields = dict(request) if isinstance(request, dict) else {"messages": request}
        name, wrong = str(fields.pop("name", ""))[:MAX_NAME], fields.pop("wrong", None)
        try:
            if wrong:
                raise wrong
            submission = numbered(number, fields, user_id, options | {"task_id": job_id})
        except JobError as error:
            submission = Submission(job_id, user_id, _NOTHING, {}, wrong=error)
        return replace(submission, batch=self.id, name=name)

    def _refuse_unless_written(self, jobs: list[SubmittedJob]) -> None:
        for job in jobs:
            if job.state == "conflict":
                raise Conflict(
                    f"item {job.job_id} exists and asks something else. Fix: use a new batch_id"
                )
            if job.state == "closed":
                raise InvalidRequest(
                    f"batch {self.id} takes no more items: it was cancelled or is done. "
                    "Fix: use a new batch_id"
                )

    def _published(self, change: BatchChange) -> str:
        publish_all(change.publications)
        return change.state

    def _ended(self, start: int) -> tuple[int, Iterator[Item]]:
        """How many had ended, and those from `start` on; an item that is tried again comes with its
        new end.
        """
        ids = ledger().ended_items(self.id, start)
        items = (item for part in pieces(ids) for item in self._items(part))
        return start + len(ids), items

    def _latest_items(self, ids: list[str]) -> Iterator[Item]:
        """Of each item its latest try."""
        return self._items(ledger().latest_tries(self.id, ids), retried=True)

    def _items(self, ids: list[str], retried: bool = False) -> Iterator[Item]:
        """`retried`: also those that are tried again under another id."""
        for record in ledger().items(ids):
            if record.retried_as and not retried:
                continue
            index = record.job_id.removeprefix(f"{self.id}.").partition("~")[0]
            outcome = load_outcome(record.outcome) if record.outcome else None
            yield Item(
                index=int(index),
                name=record.name,
                job_id=record.job_id,
                state=record.state,
                ended_s=record.ended_s,
                outcome=outcome,
            )


T = TypeVar("T")


def pieces(items: Iterable[T]) -> Iterator[list[T]]:
    """Lists of `CHUNK`, read as they are needed."""
    iterator = iter(items)
    while piece := list(islice(iterator, CHUNK)):
        yield piece


_NOTHING = CompletionRequest.checked(
    messages=[{"role": "user", "content": "(wrong)"}], lane="batch"
)


def recent(count: int = 20) -> list[Progress]:
    """The latest batches that are still kept, youngest first."""
    found = []
    for batch_id in ledger().latest_batches(count):
        try:
            found.append(Batch(batch_id).progress())
        except OutcomeUnknown:
            continue
    return found
