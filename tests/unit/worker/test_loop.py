"""The process's one event loop: a true total deadline, cancellation from any thread, errors."""

import asyncio
import contextlib
import threading

import pytest

from worker.loop import Stopped


async def forever():
    await asyncio.Event().wait()


def test_a_result_and_an_error_come_back_as_they_are(loop):
    async def answer():
        return 42

    async def fail():
        raise KeyError("mine")

    assert loop.run(answer, 5, "a") == 42
    with pytest.raises(KeyError, match="mine"):
        loop.run(fail, 5, "b")


def test_the_deadline_ends_what_trickles(loop):
    """Steps that are each quick do not extend it, and the coroutine is really ended."""
    ended = threading.Event()

    async def trickle():
        try:
            while True:
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        loop.run(trickle, 0.05, "a")
    assert ended.wait(5)


def test_a_run_is_stopped_from_another_thread(loop):
    started = threading.Event()

    async def wait():
        started.set()
        await forever()

    stopper = threading.Thread(target=lambda: (started.wait(5), loop.cancel("a")))
    stopper.start()
    with pytest.raises(Stopped):
        loop.run(wait, 30, "a")
    stopper.join()
    assert loop.cancel("a") is False


def test_a_closed_loop_starts_anew(loop):
    async def answer():
        return 1

    assert loop.run(answer, 5, "a") == 1
    loop.close()
    assert loop.run(answer, 5, "a") == 1


def test_what_swallows_its_cancellation_does_not_hold_its_caller(loop, monkeypatch):
    monkeypatch.setattr("worker.loop.GRACE_S", 0.05)
    released = threading.Event()

    async def stubborn():
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)

    with pytest.raises(TimeoutError):
        loop.run(stubborn, 0.05, "a")
    released.set()
