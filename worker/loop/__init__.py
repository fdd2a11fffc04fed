"""The process's one event loop, for coroutines from any thread, with a deadline each, and for jobs.

`asyncio.timeout` is a true total deadline under a trickle, a stall after the headers and a slow
connect, which the read timeouts of HTTP clients are not; and cancelling the task closes the socket.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from .jobs import Job, Post, current_job, run_job, wait_for

T = TypeVar("T")

GRACE_S = 2.0
"""How long past its deadline a coroutine that swallows its cancellation may hold the caller."""


class Stopped(Exception):
    """The coroutine was stopped by `Loop.cancel`."""


class Loop:
    """One asyncio loop in a daemon thread, started by the first `run`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._running: dict[str, Callable[[], bool]] = {}
        """Key -> what stops its coroutine."""
        self._jobs: set[asyncio.Task[object]] = set()

    def start_job(self, work: Callable[[], object]) -> None:
        """Run `work` as a job on the loop. From any thread; what it raises is for nobody."""
        self._started()
        post = self._post
        post(partial(self._start_job, work, post))

    def _start_job(self, work: Callable[[], object], post: Post) -> None:
        task = asyncio.get_running_loop().create_task(run_job(work, post))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    def run(self, make: Callable[[], Coroutine[Any, Any, T]], deadline_s: float, key: str) -> T:
        """Block until the coroutine that `make` builds on the loop ends; return its result.

        Raises its exception, `TimeoutError` after `deadline_s` seconds in all, or `Stopped` if
        `cancel(key)` came first. Blocks no other job if one calls it that runs on this loop.
        """
        if job := current_job():
            return self._run_here(job, make, deadline_s, key)
        loop = self._started()
        with self._lock:  # or a `cancel` between these two lines would find nothing
            future = asyncio.run_coroutine_threadsafe(_bounded(make, deadline_s), loop)
            self._running[key] = future.cancel
        try:
            return future.result(deadline_s + GRACE_S)
        except concurrent.futures.CancelledError:
            raise Stopped(key) from None
        finally:
            self._running.pop(key, None)
            future.cancel()

    def _run_here(
        self, job: Job, make: Callable[[], Coroutine[Any, Any, T]], deadline_s: float, key: str
    ) -> T:
        task = job.loop.create_task(_bounded(make, deadline_s))

        def stop() -> bool:
            job.post(task.cancel)
            return not task.done()

        self._running[key] = stop
        try:
            return wait_for(_ended(task, deadline_s + GRACE_S))
        except asyncio.CancelledError:
            raise Stopped(key) from None
        finally:
            self._running.pop(key, None)
            task.cancel()

    def cancel(self, key: str) -> bool:
        """Stop the coroutine running under `key`; False if there is none. From any thread."""
        with self._lock:
            stop = self._running.get(key)
        return stop is not None and stop()

    def close(self) -> None:
        """Stop everything and end the thread. The next `run` starts another."""
        with self._lock:
            loop = self._loop
            thread = self._thread
            self._loop = None
            self._thread = None
        if loop and thread:
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(GRACE_S)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(GRACE_S)
            loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                self._loop = loop
                self._post = Post(loop)
                self._thread = threading.Thread(
                    target=loop.run_forever,
                    name="loop",
                    daemon=True,
                )
                self._thread.start()
            return self._loop


async def _bounded(make: Callable[[], Coroutine[Any, Any, T]], deadline_s: float) -> T:
    async with asyncio.timeout(deadline_s):
        return await make()


async def _ended(task: asyncio.Task[T], timeout_s: float) -> T:
    """Raises `TimeoutError` for one that goes on after its cancellation."""
    await asyncio.wait({task}, timeout=timeout_s)
    if not task.done():
        raise TimeoutError
    return task.result()


async def _cancel_all() -> None:
    others = asyncio.all_tasks()
    others.discard(asyncio.current_task())
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
