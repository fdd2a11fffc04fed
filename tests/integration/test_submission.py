"""What a caller may rely on when a job is submitted twice, waits for a limit or is revoked."""

import pytest
from celery.exceptions import TaskRevokedError
from support.ledger import KEYS, LedgerProbe, ask, until

from producer import client
from producer.contract.errors import (
    Cancelled,
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    RateLimited,
)


def test_an_idempotency_key_is_one_job(complete, wire, openai_env, start_worker, redis_url):
    """For a day the same user and request find it, also when it has ended.

    Another request is a conflict; the same key of another user is another job.
    """
    start_worker(openai_env)
    first = complete.delay(ask("x"), "u1", idempotency_key="order-1")
    assert complete.delay(ask("x"), "u1", idempotency_key="order-1").id == first.id
    first.value(30)
    again = complete.delay(ask("x"), "u1", idempotency_key="order-1")
    assert (again.id, again.value(30).request_id, len(wire.calls)) == (first.id, first.id, 1)
    with pytest.raises(Conflict, match="idempotency_key"):
        complete.delay(ask("y"), "u1", idempotency_key="order-1")
    assert complete.delay(ask("y"), "u2", idempotency_key="order-1").id != first.id
    with LedgerProbe(redis_url) as ledger:
        assert 86_000_000 < ledger.redis.pttl(KEYS.idempotency("u1", "order-1")) <= 86_400_000
    with pytest.raises(InvalidRequest, match="idempotency_key"):
        complete.delay(ask("x"), "u1", idempotency_key="a\nb")


def test_a_key_repeated_by_many_at_once_is_still_one_job(complete, wire, openai_env, start_worker):
    """A double click, a retried web request."""
    start_worker(openai_env)
    jobs = [complete.delay(ask("x"), "u1", idempotency_key="click") for _ in range(20)]
    assert len({job.id for job in jobs}) == 1
    jobs[-1].value(30)
    assert len(wire.calls) == 1


def test_a_caller_may_wait_for_a_limit_instead_of_being_refused(
    complete, wire, openai_env, start_worker, redis_url
):
    """Parked until the window has room.

    Refused at once only if it can never fit, or past the deadline asked for. The test empties the
    window and makes the job due, instead of waiting for a minute.
    """
    env = {
        "LLM_USER_REQUESTS_PER_MINUTE": "1",
        "LLM_USER_TOKENS_PER_HOUR": "1000",
        "LLM_DEADLINE_SECONDS": "5",
    }
    start_worker(openai_env | env)
    complete.delay(ask("a"), "u1", max_tokens=10).value(30)
    with pytest.raises(RateLimited):
        complete.delay(ask("b"), "u1", max_tokens=10).value(30)
    with pytest.raises(RateLimited, match="can never fit"):
        complete.delay(ask("c"), "u2", max_tokens=5_000, over_limit="wait").value(30)
    with pytest.raises(DeadlineExceeded):
        complete.delay(ask("d"), "u1", max_tokens=10, over_limit="wait", deadline_s=20).value(40)
    waiting = complete.delay(ask("e"), "u1", max_tokens=10, over_limit="wait")
    with LedgerProbe(redis_url) as ledger:
        until(lambda: waiting.progress().state == "parked")
        due = ledger.redis.zscore(KEYS.parked, waiting.id)
        seconds, _ = ledger.redis.time()
        # For the rest of the minute: our own deadline of 5 s does not end the wait.
        assert 30 < due / 1000 - seconds <= 62
        ledger.redis.delete(KEYS.budget("requests", "user", "u1"))
        ledger.redis.zadd(KEYS.parked, {waiting.id: 1})
    assert waiting.value(20).attempts == 1
    assert len(wire.calls) == 2


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_revoking_a_job_at_celery_cancels_it_in_the_ledger(
    complete, wire, openai_env, start_worker, redis_url, pool
):
    """A running one has its call stopped and its cost kept; a waiting one never runs.

    Both end once and are published no more.
    """
    wire.script = lambda request, number: "hang"
    start_worker(openai_env, pool=pool, concurrency=1)
    running = complete.delay(ask("x"), "u1")
    wire.wait_for(len)
    waiting = [complete.delay(ask(f"y{n}"), "u1") for n in range(6)]
    for job in (running, *waiting):
        job.revoke()
    for job in (running, *waiting):
        with pytest.raises(Cancelled):
            job.value(30)
    wire.wait_for(lambda calls: calls[0].ended)
    with pytest.raises((Cancelled, TaskRevokedError)):
        waiting[-1].get(timeout=20)
    with LedgerProbe(redis_url) as ledger:
        assert (len(wire.calls), ledger.open(), ledger.budget("usd", "fleet", "all")["held"]) == (
            1,
            0,
            0,
        )


def test_a_job_revoked_before_it_was_submitted_never_runs(complete, wire, openai_env, start_worker):
    """Every delivery of it is refused by Celery; the first such refusal ends it in the ledger."""
    start_worker(openai_env)
    early = complete.AsyncResult("too-early")
    early.revoke()
    workers = early.app.control.inspect()
    until(lambda: ["too-early"] in (workers.revoked() or {}).values())
    job = complete.apply_async((ask("x"), "u1"), task_id="too-early")
    with pytest.raises(Cancelled):
        job.value(30)
    assert wire.calls == []


def test_many_jobs_are_submitted_at_once(complete, wire, openai_env, start_worker, monkeypatch):
    """In order, each with its own options, over several trips."""
    monkeypatch.setattr(client, "CHUNK", 50)
    start_worker(openai_env | {"LLM_USER_TOKENS_PER_HOUR": "100000000"}, concurrency=16)
    requests = [
        ask("first"),
        {"messages": ask("second"), "max_tokens": 7},
        *(ask(f"question {n}") for n in range(120)),
    ]
    jobs = complete.many(requests, "u1", max_tokens=9, lane="batch", model="chain")
    assert [jobs[n].value(60).request_id for n in (0, 1, 121)] == [jobs[n].id for n in (0, 1, 121)]
    assert all(job.value(60).finish_reason == "stop" for job in jobs)
    assert len({job.id for job in jobs}) == len(wire.calls) == 122
    # A server that answers more than it was allowed gets the limit under its other name.
    limits = {
        call.job_id: call.request.get("max_completion_tokens") or call.request["max_tokens"]
        for call in wire.calls
    }
    assert (limits[jobs[0].id], limits[jobs[1].id], limits[jobs[121].id]) == (9, 7, 9)


def test_one_wrong_of_many_is_named_and_none_is_written(complete, redis_url):
    with pytest.raises(InvalidRequest, match=r"requests\[2\]: messages\[0\].role"):
        complete.many([ask("a"), ask("b"), [{"role": "robot", "content": "x"}]], "u1")
    with LedgerProbe(redis_url) as ledger:
        assert list(ledger.jobs()) == []
    with pytest.raises(Conflict):
        complete.many([{"messages": ask(text), "task_id": "same"} for text in "ab"], "u1")


def test_many_can_be_repeated_safely(complete, wire, openai_env, start_worker):
    """With ids of one's own, after `Unavailable` for example."""
    start_worker(openai_env)
    requests = [{"messages": ask(f"q{n}"), "task_id": f"mine-{n}"} for n in range(20)]
    first, second = complete.many(requests, "u1"), complete.many(requests, "u1")
    assert [job.id for job in first] == [job.id for job in second]
    assert all(job.value(30) for job in second)
    assert len(wire.calls) == 20
