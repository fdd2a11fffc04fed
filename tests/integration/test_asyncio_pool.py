"""The pool `asyncio`: many calls at once in one thread, none of which holds up the others."""

import pytest
from support.ledger import KEYS, LedgerProbe, ask, until

import producer
from producer.contract.errors import Cancelled

LARGE = "Of the harbour and its boats. " * 8_000
"""Some 240 KB: to count its tokens takes a third of a second."""


@pytest.fixture
def start(start_worker, openai_env):
    return lambda slots, **env: start_worker({**openai_env, **env}, "asyncio", slots)


def said(command, **options):
    """What the one worker answers to a command of Celery's remote control."""
    (reply,) = producer.complete.app.control.broadcast(command, reply=True, limit=1, **options)
    ((answer,),) = [each.values() for each in reply.values()]
    return answer


def test_all_slots_call_at_once_and_each_outcome_is_told_as_its_own(complete, wire, start):
    """The ledger and the result backend have the same of each, and no call is made twice."""
    wire.script = lambda request, number: "ok;delay=6"
    worker = start(150, LLM_USER_TOKENS_PER_HOUR="10000000")
    jobs = complete.many([ask(f"question {n}") for n in range(150)], "u")
    wire.wait_for(lambda calls: len(calls) == 150)
    assert not any(call.ended for call in wire.calls)
    (stats,) = complete.app.control.inspect(limit=1).stats().values()
    assert stats["pool"]["running"] == stats["pool"]["max-concurrency"] == 150
    assert [job.get(30)["request_id"] for job in jobs] == [job.id for job in jobs]
    assert {job.value(30).attempts for job in jobs} == {1}
    assert len(wire.calls) == 150
    assert "Traceback" not in worker.log()


def test_revoke_with_terminate_ends_the_call_and_cancels_the_job(complete, wire, start, redis_url):
    wire.script = lambda request, number: "ok;delay=60"
    start(4)
    jobs = [complete.delay(ask(f"question {n}"), "u") for n in range(2)]
    wire.wait_for(lambda calls: len(calls) == 2)
    jobs[0].revoke(terminate=True)
    with pytest.raises(Cancelled):
        jobs[0].value(10)
    wire.wait_for(lambda calls: sum(call.dropped for call in calls) == 1)
    with LedgerProbe(redis_url) as ledger:
        assert ledger.open() == 1
        assert ledger.counter("unknown_attempts") == 0


def test_a_large_request_is_worked_on_beside_the_loop(complete, wire, start):
    start(4)
    large = complete.delay(ask(LARGE), "u", max_tokens=10)
    small = [complete.delay(ask(f"question {n}"), "v") for n in range(20)]
    assert all(job.value(30).text for job in [large, *small])


def test_the_pool_grows_and_shrinks_by_remote_control(complete, wire, start, redis_url):
    wire.script = lambda request, number: "ok;delay=30"
    start(1)
    jobs = [complete.delay(ask(f"question {n}"), "u") for n in range(3)]
    wire.wait_for(lambda calls: len(calls) == 1)
    assert said("pool_grow", arguments={"n": 2}) == "pool will grow"
    wire.wait_for(lambda calls: len(calls) == 3)
    assert said("pool_shrink", arguments={"n": 2}) == "pool will shrink"
    with LedgerProbe(redis_url) as ledger:
        until(lambda: ledger.redis.hvals(KEYS.slots) == ["1"])
    for job in jobs:
        job.cancel()
