"""What several jobs of a loop ask of one server at the same time goes there in one trip."""

import asyncio
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from .jobs import Post, current_job, wait_for

Q = TypeVar("Q")
Asked = tuple[Any, "asyncio.Future[Any]", Post]


class Carrier(Generic[Q]):
    """One thread of this process, which waits for the server in place of the loop.

    `carry`: from what was asked to as many replies, in order; a reply that is an exception is
    raised in its job, and what `carry` raises in each. `most`: of one trip.
    """

    def __init__(self, name: str, carry: Callable[[list[Q]], list[Any]], most: int) -> None:
        self._name = name
        self._carry = carry
        self._most = most
        self._asked: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, question: Q) -> Any:
        """In a job: the reply."""
        job = current_job()
        assert job, "a plain thread asks by itself"
        future: asyncio.Future[Any] = job.loop.create_future()
        self._asked.put((question, future, job.post))
        if self._thread is None:
            self._start()
        return wait_for(future)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            asked = self._next()
            try:
                replies = self._carry([question for question, _, _ in asked])
            except Exception as error:  # noqa: BLE001 -- it is for those who asked
                replies = [error] * len(asked)
            for (_, future, post), reply in zip(asked, replies, strict=True):
                post(partial(_deliver, future, reply))

    def _next(self) -> list[Asked]:
        """All that is asked by now, at least one."""
        asked = [self._asked.get()]
        while len(asked) < self._most:
            try:
                asked.append(self._asked.get_nowait())
            except queue.Empty:
                break
        return asked


def _deliver(future: "asyncio.Future[Any]", reply: Any) -> None:
    if future.done():  # its job was stopped
        return
    if isinstance(reply, Exception):
        future.set_exception(reply)
    else:
        future.set_result(reply)
