"""What several jobs of a loop ask of one server at the same time goes there in one trip."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from .jobs import Post, current_job, wait_for

Q = TypeVar("Q")


class Asked(NamedTuple):
    question: Any
    reply: "asyncio.Future[Any]"


class Carrier(Generic[Q]):
    """One thread of this process, which waits for the server in place of the loop.

    `carry`: from what was asked to as many replies, in order; a reply that is an exception is
    raised in its job, and what `carry` raises in each. `most`: of one trip.
    """

    def __init__(self, name: str, carry: Callable[[list[Q]], list[Any]], most: int) -> None:
        self._name = name
        self._carry = carry
        self._most = most
        self._noted: list[Asked] = []
        """Of this turn of the loop: the thread is woken once for them."""
        self._asked: queue.SimpleQueue[tuple[list[Asked], Post]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self, question: Q) -> Any:
        """In a job of the loop: the reply."""
        job = current_job()
        assert job, "a plain thread asks by itself"
        asked = Asked(question, job.loop.create_future())
        self._noted.append(asked)
        if len(self._noted) == 1:
            job.loop.call_soon(self._hand_over, job.post)
        return wait_for(asked.reply)

    def _hand_over(self, post: Post) -> None:
        self._asked.put((self._noted, post))
        self._noted = []
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            asked, post = self._asked.get()
            with suppress(queue.Empty):
                while len(asked) < self._most:
                    asked += self._asked.get_nowait()[0]
            for start in range(0, len(asked), self._most):
                trip = asked[start : start + self._most]
                post(partial(_deliver, trip, self._replies(trip)))

    def _replies(self, trip: list[Asked]) -> list[Any]:
        try:
            return self._carry([each.question for each in trip])
        except Exception as error:  # noqa: BLE001 -- it is for those who asked
            return [error] * len(trip)


def _deliver(trip: list[Asked], replies: list[Any]) -> None:
    for (_, future), reply in zip(trip, replies, strict=True):
        if future.done():  # its job was stopped
            continue
        if isinstance(reply, Exception):
            future.set_exception(reply)
        else:
            future.set_result(reply)
