"""Batches: any number of requests under one name.

A batch lives in the ledger: the process that submitted it may end. Submitting the same requests
again under the same id goes on where it stopped. Every method raises `Unavailable` if the ledger is
out of reach, and `OutcomeUnknown` for a batch that was never submitted or is no longer kept.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack
from uuid import uuid4

from .batch_items import Item
from .batch_output import COLUMNS, row
from .contract.errors import BudgetExceeded, JobError, OutcomeUnknown
from .contract.options import Options
from .contract.outcome import load_outcome
from .contract.submission import CHUNK
from .current import ledger
from .ledger_replies import BatchChange, Progress
from .notebooks import shown_until
from .prompts import requests_of
from .publishing import publish_all
from .submitting import Submitting
from .tables import table

if TYPE_CHECKING:
    from .tables import Table

RETENTION_S = 7 * 86_400
POLL_S = 0.5


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
        prompt: str = "",
        **options: Unpack[Options],
    ) -> "Batch":
        """Submit `requests` under one name.

        Each is a list of messages, or a dict of `complete`'s arguments, with `name` if the item has
        one; {"wrong": JobError} is an item that cannot be run. They run in the batch lane and wait
        for limits rather than fail, unless `options` say otherwise. They are read one after the
        other, never all at once. A wrong one fails alone. Or they are the rows of a data frame of
        pandas, polars or another that speaks Arrow (extra `tables`), or dicts; `prompt` is what is
        asked about each, with columns in braces ("Classify: {text}"), and `name` or `id` names it.

        The same `batch_id`, user and requests again: goes on where it stopped. Another user or
        other requests: `Conflict`. `max_usd`: the batch never spends more dollars; 0: only what
        costs nothing is answered; given again, it is the new limit, and what did not fit the old
        one is tried again. `retention_s`: how many seconds results are kept
        after its end. An item whose `idempotency_key` another job of the user has fails with
        `Conflict`.
        """
        asked = requests_of(requests, prompt)
        batch = cls(batch_id or str(uuid4()))
        submitting = Submitting(batch.id, user_id, label, max_usd, retention_s, {**options})
        for piece in pieces(asked):
            submitting.add(piece)
        submitting.close()
        if submitting.is_raised:
            batch.retry_what_did_not_fit()
        return batch

    @classmethod
    async def asubmit(
        cls,
        requests: Iterable[Any],
        user_id: str,
        batch_id: str | None = None,
        label: str = "",
        max_usd: float | None = None,
        retention_s: float = RETENTION_S,
        prompt: str = "",
        **options: Unpack[Options],
    ) -> "Batch":
        """`submit` for async code: in a thread, which reads `requests`, too."""
        who = (requests, user_id, batch_id, label, max_usd, retention_s, prompt)
        return await asyncio.to_thread(cls.submit, *who, **options)

    def progress(self) -> Progress:
        """Where it stands now."""
        return ledger().batch_progress(self.id)

    def results(self, order: Literal["input", "completed"] = "input") -> Iterator[Item]:
        """The items as they are now.

        "input": every item, also unfinished ones, in the order of the requests. "completed": those
        that have ended, in the order in which they did. Read in pieces while you iterate.
        """
        submitted = self.progress().submitted
        if order == "completed":
            yield from self._ended_items(ledger().ended_items(self.id, 0))
            return
        for indexes in pieces(range(submitted)):
            job_ids = [f"{self.id}.{index}" for index in indexes]
            yield from _items(ledger().latest_tries(self.id, job_ids))

    def table(self) -> "Table":
        """The items that have ended, as an Arrow table, which becomes a data frame: `.to_pandas()`,
        `polars.from_arrow(...)`. Needs the extra `tables`.
        """
        return table((row(item) for item in self.results() if item.outcome is not None), COLUMNS)

    def show(self) -> Progress:
        """Wait until it is over; in a notebook its progress is shown in place meanwhile."""
        return shown_until(lambda found: found.over, self.progress, POLL_S)

    def _repr_html_(self) -> str:
        return self.progress()._repr_html_()

    def as_completed(self, timeout: float | None = None) -> Iterator[Item]:
        """Every item as it ends, until all have; those that have ended come first.

        `TimeoutError` after `timeout` seconds in which none ended (the batch goes on).
        """
        seen = 0
        moved_at = time.monotonic()
        while True:
            over = self.progress().over  # read first, so that no end after it is missed
            ended = ledger().ended_items(self.id, seen)
            yield from self._ended_items(ended)
            if over:
                return
            if ended:
                seen += len(ended)
                moved_at = time.monotonic()
            if timeout is not None and time.monotonic() - moved_at > timeout:
                raise TimeoutError(f"batch {self.id}: nothing ended in {timeout} s; it goes on")
            time.sleep(POLL_S)

    def ended_after(self, seen: int) -> tuple[list[Item], int]:
        """What ended after the first `seen` ends, and how many have by now."""
        ended = ledger().ended_items(self.id, seen)
        return list(self._ended_items(ended)), seen + len(ended)

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
        """Try every failed or cancelled item again, with the request it had. Returns how many."""
        return self._retry(lambda item: isinstance(item.outcome, JobError))

    def retry_what_did_not_fit(self) -> int:
        """Try every item again that was beyond the batch's own budget. Returns how many."""
        return self._retry(_did_not_fit)

    def _retry(self, wanted: Callable[[Item], bool]) -> int:
        count = 0
        for items in pieces(self.results()):
            failed = [item.job_id for item in items if wanted(item)]
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

    def _published(self, change: BatchChange) -> str:
        publish_all(change.publications)
        return change.state

    def _ended_items(self, job_ids: list[str]) -> Iterator[Item]:
        """Without those that are tried again: they come when that try has ended."""
        for chunk in pieces(job_ids):
            yield from _items(chunk, retried=False)


def _items(job_ids: list[str], retried: bool = True) -> Iterator[Item]:
    """`retried`: also those that are tried again under another id."""
    for record in ledger().items(job_ids):
        if record.retried_as and not retried:
            continue
        _, _, index_and_try = record.job_id.rpartition(".")
        index, _, _ = index_and_try.partition("~")
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
    """Lists of at most `CHUNK`, read as they are needed."""
    iterator = iter(items)
    while piece := list(islice(iterator, CHUNK)):
        yield piece


def _did_not_fit(item: Item) -> bool:
    """Whether it failed because it was beyond the batch's own budget."""
    error = item.outcome
    return isinstance(error, BudgetExceeded) and error.details.get("limit") == "batch_usd"


def recent(count: int = 20) -> list[Progress]:
    """The latest batches that are still kept, youngest first."""
    found = []
    for batch_id in ledger().latest_batches(count):
        try:
            found.append(Batch(batch_id).progress())
        except OutcomeUnknown:
            continue
    return found
