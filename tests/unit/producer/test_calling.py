"""Calls of the task: their signatures, what a wrong one raises, and jobs on an event loop."""

import asyncio
import inspect
import pickle
import pydoc
import threading

import pytest

from producer import Job, complete, embed, errors, jobs
from producer.contract.completions import Completion, Usage

MESSAGES = [{"role": "user", "content": "hi"}]
WRONG = [
    ((), {}),
    ((MESSAGES,), {}),
    ((MESSAGES, "u1", 300), {}),
    ((MESSAGES, "u1"), {"messages": MESSAGES}),
    ((MESSAGES, "u1"), {"self": 1}),
    ((MESSAGES, "u1"), {"temprature": 0}),
    (("hello", "u1"), {}),
    ((MESSAGES, None), {}),
]


def said(argument):
    return "hi" if argument is MESSAGES else argument


@pytest.mark.parametrize(("args", "kwargs"), WRONG, ids=str)
@pytest.mark.parametrize("task", [complete, embed], ids=["complete", "embed"])
def test_a_wrong_call_is_a_wrong_request(task, args, kwargs):
    if task is embed:
        args = tuple(
            "a text" if each is MESSAGES else [] if each == "hello" else each for each in args
        )
        kwargs = {name.replace("messages", "texts"): value for name, value in kwargs.items()}
    with pytest.raises(errors.InvalidRequest):
        task.delay(*args, **kwargs)
    with pytest.raises(errors.InvalidRequest):
        asyncio.run(task.adelay(*args, **kwargs))


def test_help_teaches():
    shown = pydoc.render_doc(complete.delay, renderer=pydoc.plaintext)
    assert "delay(messages:" in shown
    for word in ("user_id: str", "**options:", "job.value(timeout=30).text", "docs/options.md"):
        assert word in shown
    parameters = list(inspect.signature(complete.delay).parameters)
    assert parameters == ["messages", "user_id", "options"]


def test_adelay_leaves_the_event_loop_free(monkeypatch):
    """It is submitted while the loop does something else."""
    moved = threading.Event()

    def slow(*args, **kwargs):
        assert moved.wait(10)
        return Job("id", app=complete.app)

    monkeypatch.setattr(type(complete), "apply_async", slow)

    async def both():
        submitting = asyncio.create_task(complete.adelay(MESSAGES, "u1"))
        await asyncio.sleep(0)
        moved.set()
        return await submitting

    assert asyncio.run(both()).id == "id"


class Waiter:
    """Gives each outcome when it is let; counts those who wait now."""

    def __init__(self):
        self.gate = asyncio.Event()
        self.waiting = 0

    async def outcome(self, job_id):
        self.waiting += 1
        try:
            await self.gate.wait()
        finally:
            self.waiting -= 1
        return job_id


@pytest.fixture
def waiter(monkeypatch):
    """Stands where outcomes come from; what it gives becomes an answer or an error."""
    waiter = Waiter()

    def told(job_id, outcome):
        if "wrong" in outcome:
            raise errors.Refused("no")
        usage = Usage(input=1, output=1)
        fixed = {"finish_reason": "stop", "model": "m", "provider": "p", "usage": usage}
        more = {"cost_usd": 0, "attempts": 1, "latency_ms": 1, "request_id": job_id}
        return Completion(text=outcome, **fixed, **more)

    monkeypatch.setattr(jobs, "_returned_or_raised", told)
    monkeypatch.setattr(jobs, "outcome_waiter", lambda: waiter)
    return waiter


def job(job_id="a"):
    return Job(job_id, app=complete.app)


def test_asyncio_takes_a_job_wherever_it_takes_a_coroutine(waiter):
    async def main():
        waiter.gate.set()
        one = job()
        async with asyncio.TaskGroup() as group:
            grouped = group.create_task(one)
        return [
            await one,
            await one,
            await asyncio.create_task(one),
            await asyncio.wait_for(one, 5),
            await asyncio.shield(one),
            *await asyncio.gather(one, one, job("b")),
            grouped.result(),
        ]

    assert [each.text for each in asyncio.run(main())] == [*"aaaaaaaba"]
    waiter.gate = asyncio.Event()
    waiter.gate.set()
    assert asyncio.run(job("c")).text == "c"


def test_tasks_of_one_job_wait_each_for_themselves(waiter):
    async def main():
        one = job()
        tasks = [asyncio.create_task(one) for _ in range(4)]
        unstarted = asyncio.create_task(one)
        unstarted.cancel()
        while waiter.waiting < 4:
            await asyncio.sleep(0)
        tasks[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        with pytest.raises(asyncio.CancelledError):
            await unstarted
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one, 0.01)
        assert waiter.waiting == 3
        waiter.gate.set()
        return [(await each).text for each in (tasks[0], tasks[2], tasks[3])]

    assert asyncio.run(main()) == ["a", "a", "a"]


def test_a_task_of_a_job_raises_its_error(waiter):
    async def main():
        waiter.gate.set()
        with pytest.raises(errors.Refused):
            await asyncio.create_task(job("wrong"))
        return await asyncio.gather(job("wrong"), job("b"), return_exceptions=True)

    refused, answer = asyncio.run(main())
    assert isinstance(refused, errors.Refused)
    assert answer.text == "b"


def test_a_job_goes_to_another_process_without_login_and_connections():
    complete.app.backend.url = "redis://:hunter2@h/0"
    sent = pickle.dumps(job("there"))
    assert b"hunter2" not in sent
    arrived = pickle.loads(sent)
    assert (type(arrived), arrived.id) == (Job, "there")
    assert arrived.backend is complete.app.backend
