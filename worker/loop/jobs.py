"""Jobs on an event loop: each is a greenlet, so that its code reads as in a thread and may wait in
the middle of Celery's tracer, where nothing can be awaited.

What blocks in such a job would hold all others of the process. So a job waits by `wait_for`, and
what has no coroutine runs `beside` it. Called from a plain thread, `pause`, `beside` and `Event` do
what they would do anyway. Only this package imports greenlet.
"""

import asyncio
import contextvars
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
P = ParamSpec("P")

MOST_BESIDE = 1000
"""Threads; they are made when they are needed. More than jobs in flight would have no work."""

_beside = ThreadPoolExecutor(MOST_BESIDE, "beside")


class Post:
    """Callbacks from any thread for a loop, which is woken once for many of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Callable[[], object]] = deque()
        self._woken = False

    def __call__(self, callback: Callable[[], object]) -> None:
        self._waiting.append(callback)
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False  # first: what comes from now on wakes it again
        while self._waiting:
            self._waiting.popleft()()


class Job(greenlet):  # type: ignore[misc]
    """One that runs on a loop, for which `post` takes callbacks."""

    def __init__(self, work: Callable[[], object], post: Post) -> None:
        driver = getcurrent()
        super().__init__(work, driver)
        self.gr_context = driver.gr_context
        self.loop = asyncio.get_running_loop()
        self.post = post


def current_job() -> Job | None:
    """None: a plain thread, which may block."""
    job = getcurrent()
    return job if isinstance(job, Job) else None


async def run_job(work: Callable[[], T], post: Post) -> T:
    """Run `work` in a greenlet of its own; what it waits for is awaited here."""
    job = Job(work, post)
    waits_for = job.switch()
    while not job.dead:
        try:
            value = await waits_for
        except BaseException:  # noqa: BLE001 -- it is the job's
            waits_for = job.throw(*sys.exc_info())
        else:
            waits_for = job.switch(value)
    return waits_for  # type: ignore[no-any-return]


def wait_for(awaitable: Awaitable[T]) -> T:
    """In a job: its result. Other jobs run meanwhile."""
    job = getcurrent()
    assert isinstance(job, Job), "a plain thread blocks"
    return job.parent.switch(awaitable)  # type: ignore[no-any-return]


def pause(seconds: float) -> None:
    if current_job():
        wait_for(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


def beside(work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """`work(...)` by a thread, for a job; a thread does it itself."""
    job = current_job()
    if job is None:
        return work(*args, **options)
    call = partial(contextvars.copy_context().run, work, *args, **options)
    return wait_for(job.loop.run_in_executor(_beside, call))


def beside_if(long: bool, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """`beside`, if the work takes long; else at once."""
    return beside(work, *args, **options) if long else work(*args, **options)


def result_of(future: Future[T], timeout_s: float) -> T:
    """As its own `result`. Raises `TimeoutError`."""
    if future.done() or not current_job():
        return future.result(timeout_s)
    return wait_for(_in_time(asyncio.wrap_future(future), timeout_s))


async def _in_time(future: asyncio.Future[T], timeout_s: float) -> T:
    return await asyncio.wait_for(asyncio.shield(future), timeout_s)


class Event(threading.Event):
    """One that a job may wait for as well."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs: deque[tuple[Post, asyncio.Future[None]]] = deque()

    def set(self) -> None:
        super().set()
        while self._jobs:
            post, future = self._jobs.popleft()
            post(partial(_end, future))

    def wait(self, timeout: float | None = None) -> bool:
        job = current_job()
        if job is None:
            return super().wait(timeout)
        future: asyncio.Future[None] = job.loop.create_future()
        self._jobs.append((job.post, future))
        if self.is_set():
            self.set()  # it came between: whoever finds the future ends it
        wait_for(_ended(future, timeout))
        return self.is_set()


async def _ended(future: asyncio.Future[None], timeout_s: float | None) -> None:
    await asyncio.wait({future}, timeout=timeout_s)


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
