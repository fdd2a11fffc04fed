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

from .client import CHUNK, ask_ledger, numbered, publish_all, read_ledger, submit
from .contract.errors import Conflict, InvalidRequest, JobError, OutcomeUnknown
from .contract.messages import Completion, CompletionRequest
from .contract.outcome import load_outcome
from .contract.submission import Publication, Submission

RETENTION_S = 7 * 86_400
POLL_S = 0.5
MAX_NAME = 512
State = Literal["open", "paused", "cancelled", "done"]


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


@dataclass(frozen=True)
class Progress:
    """Where a batch stands. `total` None: it is still being submitted. Money in dollars."""

    batch_id: str
    user_id: str
    label: str
    state: State
    total: int | None
    submitted: int
    done: int
    failed: int
    cancelled: int
    cached: int
    """Of those done: answered without a call."""
    calls: int
    tokens: int
    cost_usd: float
    possibly_billed_usd: float
    elapsed_s: float
    held_back: str
    """What keeps it from going faster: a limit's name, "openai:gpt-x" for room at a link, "paused",
    or "".
    """
    slowest: str
    """The job that runs longest now, and since when."""
    slowest_s: float

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.cancelled

    @property
    def over(self) -> bool:
        return self.total is not None and self.ended >= self.total


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
        cap = -1 if max_usd is None else round(max_usd * 1_000_000)
        if batch._do("open", user_id, label, int(retention_s * 1000), cap)[0] == "conflict":
            raise Conflict(
                f"batch {batch.id} exists and is another user's. Fix: use a new batch_id"
            )
        written = 0
        defaults = {"lane": "batch", "over_limit": "wait"} | options
        items = (
            batch._item(number, each, user_id, defaults) for number, each in enumerate(requests)
        )
        for chunk in pieces(items):
            told, publications = submit(chunk, written)
            publish_all(publications)
            batch._refuse(told)
            written += len(chunk)
        batch._do("close", written)
        return batch

    def progress(self) -> Progress:
        """Raises `OutcomeUnknown` for a batch that never was, or is kept no longer."""
        reply = self._do("look")
        border = reply.index("|")
        told, (gate, slowest, slowest_ms, now) = (
            dict(zip(reply[:border:2], reply[1:border:2], strict=True)),
            reply[border + 1 :],
        )
        number = {name: int(told.get(name, 0)) for name in _COUNTERS}
        held = told.get("held_by", "") if now - int(told.get("held_at", 0)) < 60_000 else ""
        return Progress(
            batch_id=self.id,
            user_id=told["user"],
            label=told["label"],
            state=told["state"],
            total=int(told["total"]) if "total" in told else None,
            cost_usd=int(told.get("cost", 0)) / 1e6,
            possibly_billed_usd=int(told.get("maybe", 0)) / 1e6,
            elapsed_s=(int(told.get("ended", now)) - int(told["at"])) / 1000,
            held_back="paused" if told["state"] == "paused" else held or gate,
            slowest=slowest,
            slowest_s=slowest_ms / 1000,
            **number,
        )

    def results(self, order: Literal["input", "completed"] = "input") -> Iterator[Item]:
        """What is there now, at any time: every item in the order of input (unfinished ones, too),
        or those that have ended in the order in which they did. Read in pieces; nothing is held in
        memory.
        """
        progress = self.progress()
        if order == "input":
            for indexes in pieces(range(progress.submitted)):
                yield from self._items([f"{self.id}.{index}" for index in indexes])
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
        return str(self._do("pause")[0])

    def resume(self) -> str:
        return str(self._order("resume"))

    def cancel(self) -> str:
        """Nothing begins any more, calls under way are stopped; results that are there stay."""
        return str(self._order("cancel"))

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
                _, *reply = self._do("retry", *failed)
                border = reply.index("|")
                publish_all(Publication.parse(reply[border + 1 :]))
                count += border
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

    def _refuse(self, told: list[tuple[str, str]]) -> None:
        for state, job_id in told:
            if state == "conflict":
                raise Conflict(
                    f"item {job_id} exists and asks something else. Fix: use a new batch_id"
                )
            if state == "closed":
                raise InvalidRequest(
                    f"batch {self.id} takes no more items: it was cancelled or is done. Fix: use a new batch_id"
                )

    def _ended(self, start: int) -> tuple[int, Iterator[Item]]:
        """How many had ended, and those from `start` on; an item that is tried again comes with its
        new end.
        """
        ids = read_ledger(lambda store: store.ended(self.id, start))
        return start + len(ids), (
            item for part in pieces(ids) for item in self._items(part, latest=False)
        )

    def _items(self, ids: list[str], latest: bool = True) -> Iterator[Item]:
        for job_id, record, outcome in read_ledger(lambda store: store.items(self.id, ids, latest)):
            index = int(job_id.removeprefix(f"{self.id}.").partition("~")[0])
            if latest or not record.get("again"):
                ended_s = int(record["ended"] or 0) // 1000
                yield Item(
                    index,
                    record["name"],
                    job_id,
                    record["state"],
                    ended_s,
                    load_outcome(outcome) if outcome else None,
                )

    def _order(self, op: str) -> str:
        state, *publications = self._do(op)
        publish_all(Publication.parse(publications))
        return str(state)

    def _do(self, op: str, *argv: str | int) -> list[Any]:
        reply = ask_ledger("batch", op, self.id, *argv)
        if reply[0] == "missing":
            raise OutcomeUnknown(
                f"the ledger has no batch {self.id}: never submitted, or kept too long ago"
            )
        return reply


T = TypeVar("T")


def pieces(items: Iterable[T]) -> Iterator[list[T]]:
    """Lists of `CHUNK`, read as they are needed."""
    iterator = iter(items)
    while piece := list(islice(iterator, CHUNK)):
        yield piece


_COUNTERS = ("submitted", "done", "failed", "cancelled", "cached", "calls", "tokens")
_NOTHING = CompletionRequest.checked(
    messages=[{"role": "user", "content": "(wrong)"}], lane="batch"
)


def recent(count: int = 20) -> list[Progress]:
    """The latest batches that are still kept, youngest first."""
    found = []
    for batch_id in read_ledger(lambda store: store.batches(count)):
        try:
            found.append(Batch(batch_id).progress())
        except OutcomeUnknown:
            continue
    return found
