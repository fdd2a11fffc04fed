"""`await job`: the asynchronous twin of `value`, for web apps on an event loop."""

import asyncio
import time
from contextlib import contextmanager

import pytest
from redis import Redis
from support.ledger import ask, until

import producer
from producer import notices, waiting
from producer.contract.errors import OutcomeUnknown, ProvidersExhausted


def test_many_awaited_jobs_share_one_connection(complete, start_worker, valkey):
    """And the loop goes on turning meanwhile."""

    async def run():
        jobs = await asyncio.to_thread(
            complete.many, [ask(f"question {n}") for n in range(200)], "u1"
        )
        before = connections(valkey)
        answers = asyncio.gather(*jobs)
        await asyncio.to_thread(until, lambda: asking(valkey))
        ours = asking(valkey)
        await asyncio.to_thread(start_worker, concurrency=16)
        turns = 0
        while not answers.done():
            turns += 1
            await asyncio.sleep(0)
        return (
            [answer.request_id for answer in await answers] == [job.id for job in jobs],
            turns,
            ours,
            connections(valkey).keys() - before.keys(),
        )

    right, turns, ours, new = asyncio.run(run())
    assert right
    assert turns > 100
    assert len(ours) == 1
    assert ours[0] not in new


def connections(valkey):
    """Id -> last command of each."""
    with Redis.from_url(valkey.url(), client_name="counter", decode_responses=True) as redis:
        return {
            each["id"]: each["cmd"] for each in redis.client_list() if each["name"] != "counter"
        }


def asking(valkey):
    """Ids of connections that have asked for outcomes: one that was there before."""
    return [number for number, command in connections(valkey).items() if command == "exists"]


def test_it_raises_what_value_raises(complete, start_worker):
    start_worker({"LLM_MAX_ATTEMPTS": "1"})

    async def run():
        with pytest.raises(ProvidersExhausted):
            await complete.delay(ask("[[sim:fault=overloaded]] x"), "u1")
        with pytest.raises(OutcomeUnknown, match="no job nope"):
            await complete.AsyncResult("nope")

    asyncio.run(run())


def test_a_caller_may_give_up_and_come_back(complete, start_worker):
    job = complete.delay(ask("later"), "u1")

    async def early():
        async with asyncio.timeout(0.3):
            await job

    with pytest.raises(TimeoutError):
        asyncio.run(early())
    start_worker()

    async def again():
        return await asyncio.wait_for(asyncio.ensure_future(_value(job)), 30)

    assert asyncio.run(again()).text


async def _value(job):
    return await job


def test_a_server_that_restarts_is_waited_for(own_valkey):
    """The job is still there, and so is who awaits it."""
    import producer
    from producer import complete

    producer.configure(own_valkey.url())
    job = complete.delay(ask("x"), "u1")

    async def run():
        waiting = asyncio.ensure_future(_value(job))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(own_valkey.kill)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(own_valkey.start)
        started = time.monotonic()
        while job.cancel() != "cancelled" and time.monotonic() - started < 10:
            await asyncio.sleep(0.1)
        return await asyncio.gather(asyncio.wait_for(waiting, 20), return_exceptions=True)

    (error,) = asyncio.run(run())
    assert type(error).__name__ == "Cancelled"


NEVER_S = 3600.0


def test_who_waits_is_woken_and_misses_nothing(complete, start_worker, valkey, monkeypatch):
    """By the ledger's notice; where that is lost, or nobody may listen, by a look."""
    start_worker()
    monkeypatch.setattr(waiting, "LOOK_S", NEVER_S)
    monkeypatch.setattr(waiting, "POLL_S", NEVER_S)
    assert_all_ways_to_wait(complete, "woken")

    with monkeypatch.context() as lost:
        lost.setattr(waiting, "LOOK_S", 0.1)
        lost.setattr(notices.Subscription, "_messages", lambda self: iter(()))
        assert_all_ways_to_wait(complete, "lost")

    monkeypatch.setattr(waiting, "POLL_S", 0.05)
    with a_user_who_may_not_listen(valkey) as url:
        producer.configure(url)
        assert_all_ways_to_wait(complete, "deaf")


@contextmanager
def a_user_who_may_not_listen(valkey):
    with Redis.from_url(valkey.url()) as redis:
        redis.acl_setuser("deaf", enabled=True, nopass=True, keys=["*"], categories=["+@all"])
        yield valkey.url().replace("redis://", "redis://deaf:any@")
        redis.acl_deluser("deaf")


def test_a_subscription_that_was_cut_is_made_anew(complete, start_worker, valkey, monkeypatch):
    """And what it missed meanwhile is looked at."""
    monkeypatch.setattr(waiting, "LOOK_S", NEVER_S)

    async def run():
        job = await complete.adelay(ask("x"), "u1")
        answer = asyncio.ensure_future(_value(job))
        with Redis.from_url(valkey.url()) as redis:
            await asyncio.to_thread(until, lambda: redis.pubsub_channels("*:ended:*"))
            redis.client_kill_filter(_type="pubsub")
        await asyncio.to_thread(start_worker)
        return await asyncio.wait_for(answer, 30)

    assert asyncio.run(run()).text


def assert_all_ways_to_wait(complete, text):
    async def awaited():
        jobs = [await complete.adelay(ask(f"{text} {n}"), "u1") for n in range(3)]
        async with asyncio.timeout(20):
            return await asyncio.gather(*jobs)

    assert all(each.text for each in asyncio.run(awaited()))
    assert complete.delay(ask(f"{text}, by value"), "u1").value(20).text
