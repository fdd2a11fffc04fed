"""Jobs of an event loop: they wait in the middle of code that knows nothing of it."""

import asyncio
import contextvars
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from celery.utils.threads import LocalStack

from worker.loop import Stopped
from worker.loop.carrier import Carrier
from worker.loop.jobs import Event, beside, current_job, pause, result_of

SOON_S = 10


@pytest.fixture
def jobs(loop):
    """`jobs(*work)`: what each returned, all of them run at once."""

    def run(*work):
        ends = [Future() for _ in work]

        def end(each, future):
            try:
                future.set_result(each())
            except BaseException as error:
                future.set_exception(error)

        for each, future in zip(work, ends, strict=True):
            loop.start_job(lambda each=each, future=future: end(each, future))
        return [future.result(SOON_S) for future in ends]

    return run


class Meeting:
    """Nobody leaves `join` before so many have come."""

    def __init__(self, count):
        self.missing = count
        self.all = Event()

    def join(self):
        self.missing -= 1
        if not self.missing:
            self.all.set()
        assert self.all.wait(SOON_S)
        return threading.get_ident()


def test_a_thousand_jobs_wait_at_once_in_one_thread(jobs):
    meeting = Meeting(1000)
    assert len(set(jobs(*[meeting.join] * 1000))) == 1


def test_each_job_has_its_own_context_and_celery_stacks(jobs):
    name, stack = contextvars.ContextVar("name"), LocalStack()
    meeting = Meeting(2)

    def job(own):
        def run():
            name.set(own)
            stack.push(own)
            meeting.join()
            pause(0)
            return name.get(), beside(name.get), stack.pop(), stack.top

        return run

    assert jobs(job("a"), job("b")) == [("a", "a", "a", None), ("b", "b", "b", None)]
    assert name.get(None) is None


def test_what_blocks_is_done_beside_the_loop_and_by_a_thread_itself(jobs):
    gate = threading.Event()
    here, there = jobs(
        lambda: beside(lambda: gate.wait(SOON_S) and threading.get_ident()),
        lambda: gate.set() or threading.get_ident(),
    )
    assert here != there
    assert beside(threading.get_ident) == threading.get_ident()
    assert current_job() is None


def test_what_it_raises_is_raised_in_the_job(jobs):
    def fail():
        raise KeyError("mine")

    def job():
        with pytest.raises(KeyError, match="mine"):
            beside(fail)
        return "goes on"

    assert jobs(job) == ["goes on"]


def test_an_event_is_waited_for_by_jobs_and_by_threads(jobs):
    event = Event()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(event.wait, SOON_S)
        assert jobs(lambda: event.wait(0.01), lambda: event.wait(0)) == [False, False]
        assert jobs(lambda: event.wait(SOON_S), event.set) == [True, None]
        assert waiting.result(SOON_S)
    assert jobs(lambda: event.wait(0)) == [True]


def test_a_job_waits_for_a_thread_no_longer_than_it_says(jobs):
    never, ended = Future(), Future()
    ended.set_result(1)

    def late():
        with pytest.raises(TimeoutError):
            result_of(never, 0.01)
        return result_of(ended, 0)

    assert jobs(late) == [1]
    assert not never.cancelled()


def test_a_call_is_awaited_in_its_job_and_can_be_cancelled(loop, jobs):
    """From another job and from a thread; the job goes on, and so does its context."""
    begun = Meeting(3)

    async def never():
        await asyncio.sleep(SOON_S)

    def job(key):
        def run():
            begun.missing -= 1
            with pytest.raises(Stopped):
                loop.run(never, SOON_S, key)
            return current_job() is not None

        return run

    def cancel():
        while not loop.cancel("a"):
            pause(0)
        with ThreadPoolExecutor(1) as threads:
            return beside(threads.submit(loop.cancel, "b").result, SOON_S)

    assert jobs(job("a"), job("b"), cancel) == [True, True, True]
    assert not loop.cancel("a")


def test_a_call_has_a_deadline_also_when_it_swallows_its_cancellation(loop, jobs, monkeypatch):
    monkeypatch.setattr("worker.loop.GRACE_S", 0.05)
    stop = Event()

    async def stubborn():
        while not stop.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    def job(make):
        def run():
            with pytest.raises(TimeoutError):
                loop.run(make, 0.02, "k")

        return run

    jobs(job(stubborn), job(lambda: asyncio.sleep(SOON_S)))
    stop.set()


def test_results_and_errors_of_calls_reach_their_jobs(loop, jobs):
    async def fail():
        raise ValueError("no")

    async def give():
        return 7

    def job():
        with pytest.raises(ValueError, match="no"):
            loop.run(fail, SOON_S, "k")
        return loop.run(give, SOON_S, "k")

    assert jobs(job) == [7]


def test_what_is_asked_while_a_trip_is_under_way_goes_together(jobs):
    trips = []
    gate = threading.Event()

    def carry(asked):
        trips.append(sorted(asked))
        gate.wait(SOON_S)
        return [LookupError(each) if each == 3 else -each for each in asked]

    carrier = Carrier("test", carry, 4)

    def ask(number):
        try:
            return carrier.ask(number)
        except LookupError as error:
            return error.args

    def open_gate():
        while not trips:
            pause(0)
        gate.set()

    asked = [lambda n=n: ask(n) for n in range(1, 8)]
    assert jobs(*asked, open_gate) == [-1, -2, (3,), -4, -5, -6, -7, None]
    assert max(map(len, trips)) <= 4
    assert len(trips) < 7


def test_a_trip_that_fails_fails_for_all_who_asked(jobs):
    def carry(asked):
        raise OSError("away")

    carrier = Carrier("test", carry, 10)

    def job():
        with pytest.raises(OSError, match="away"):
            carrier.ask(1)

    jobs(job, job)
