"""`producer.testing`: answers in memory are what those of a fleet are, as far as an app can see."""

import asyncio
import inspect
import math

import pytest
from celery.exceptions import TimeoutError as CeleryTimeout

from producer import Batch, Completion, complete, configure, embed, errors, limits, summarize
from producer.batches import recent
from producer.ledger_client import LedgerClient
from producer.publishing import current_app
from producer.summaries import estimate
from producer.testing import faked
from producer.testing.memory_batches import MemoryLedger

ASK = [{"role": "user", "content": "What is a broker?"}]


@pytest.fixture
def fake():
    with faked() as found:
        yield found


def test_the_ledger_in_memory_takes_every_call_of_the_real_one():
    """With the same arguments."""
    calls = {name for name in vars(LedgerClient) if not name.startswith("_")}
    for name in calls:
        real = inspect.signature(getattr(LedgerClient, name))
        assert inspect.signature(getattr(MemoryLedger, name)) == real, name


def test_each_way_of_reading_an_answer(fake):
    fake.answers("it passes messages on")
    job = complete.delay(ASK, "u1")
    assert job.value().text == job.get(timeout=1)["text"] == "it passes messages on"
    assert (job.state, job.status, job.ready(), job.successful()) == (
        "SUCCESS",
        "SUCCESS",
        True,
        True,
    )
    assert complete.AsyncResult(job.id).progress()[:3] == ("done", 1, 0.0)
    assert asyncio.run(awaited(job)).request_id == job.id
    assert [each.value().text for each in complete.many([ASK, ASK], "u1")] == [job.value().text] * 2


async def awaited(job):
    return await job


def test_each_way_of_reading_an_error(fake):
    fake.answers(errors.Refused("no", {"reason": "refusal"}), errors.TooLong)
    for wanted in (errors.Refused, errors.TooLong):
        job = complete.delay(ASK, "u1")
        for read in (job.value, job.get, lambda job=job: asyncio.run(awaited(job))):
            with pytest.raises(wanted):
                read()
        assert (job.state, job.progress().state) == ("FAILURE", "failed")


def test_a_job_that_waits(fake):
    fake.holds()
    job = complete.delay(ASK, "u1")
    assert (job.state, job.progress().state) == ("PENDING", "waiting")
    with pytest.raises(TimeoutError):
        job.value(timeout=0)
    with pytest.raises(CeleryTimeout):
        job.get(timeout=0.01)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(job, 0.01))
    late = complete.delay(ASK, "u1", deadline_s=0.001)
    with pytest.raises(errors.DeadlineExceeded):
        late.value(timeout=5)
    ended = complete.delay(ASK, "u1")
    assert (ended.cancel(), ended.cancel(), complete.AsyncResult("x").cancel()) == (
        "cancelled",
        "cancelled",
        "missing",
    )
    with pytest.raises(errors.Cancelled):
        ended.value()
    fake.release()
    assert job.value(timeout=1).text


def test_one_job_is_one_job(fake):
    first = complete.delay(ASK, "u1", idempotency_key="k")
    assert complete.delay(ASK, "u1", idempotency_key="k").id == first.id
    assert complete.delay(ASK, "u2", idempotency_key="k").id != first.id
    with pytest.raises(errors.Conflict):
        complete.delay(ASK, "u1", idempotency_key="k", temperature=1)
    with pytest.raises(errors.Conflict):
        complete.apply_async((ASK, "u2"), task_id=first.id)
    assert len(fake.matching("broker")) == 2
    with pytest.raises(errors.OutcomeUnknown):
        complete.AsyncResult("nobody").value()


def test_wrong_requests_are_wrong_here_too(fake):
    for options in ({"temprature": 0}, {"temperature": 3}, {"lane": "slow"}):
        with pytest.raises(errors.InvalidRequest):
            complete.delay(ASK, "u1", **options)
    fake.assert_nothing_asked()


def test_what_was_asked_is_shown_where_it_is_missed(fake):
    complete.delay([{"role": "system", "content": "Be short."}, *ASK], "u1", max_tokens=9)
    assert fake.assert_asked("broker", "u1", times=1, max_tokens=9).system == "Be short."
    for wanted in ({"text": "lane"}, {"user_id": "u2"}, {"max_tokens": 8}, {"times": 2}):
        with pytest.raises(AssertionError, match=r"u1: 'Be short\.\\nWhat is a broker\?'.*=9"):
            fake.assert_asked(**wanted)
    with pytest.raises(AssertionError, match="broker"):
        fake.assert_nothing_asked()
    with pytest.raises(errors.InvalidRequest, match="temprature"):
        fake.assert_asked(temprature=0)


def test_what_is_no_answer_is_told_where_it_is_given(fake):
    fake.answers(42)
    with pytest.raises(TypeError, match=r"a int is no answer. Fix: give a text"):
        complete.delay(ASK, "u1")
    with pytest.raises(TypeError, match="needs an answer"):
        fake.answers()
    with pytest.raises(TypeError, match="txt is no field of Completion"):
        Completion.fake(txt="x")


def test_a_batch(fake):
    fake.answers(lambda asked: errors.Refused("no") if "b" in asked.texts else asked.text)
    texts = [[{"role": "user", "content": text}] for text in "abc"]
    batch = Batch.submit([*texts, "no messages"], "u1", "night", label="l")
    progress = batch.progress()
    assert (progress.done, progress.failed, progress.total, progress.over) == (2, 2, 4, True)
    assert [item.state for item in batch.results()] == ["done", "failed", "done", "failed"]
    fake.answers("again")
    assert batch.retry_failed() == 2
    done = [item.outcome.text for item in batch.as_completed(1) if item.state == "done"]
    assert sorted(done) == ["a", "again", "c"]
    assert [each.batch_id for each in recent()] == ["night"]
    with pytest.raises(errors.Conflict):
        Batch.submit(texts, "u2", "night")
    fake.holds()
    held = Batch.submit(texts, "u1", "held")
    assert (held.pause(), held.progress().held_back, held.resume()) == ("paused", "paused", "open")
    assert not held.progress().over
    assert held.cancel() == "cancelled"
    assert held.progress().cancelled == 3
    with pytest.raises(errors.OutcomeUnknown):
        Batch("nobody").progress()


def test_documents_and_vectors(fake):
    fake.answers("short")
    batch = summarize(["A long text.", "Another."], "u1")
    assert {item.outcome.text for item in batch.results()} == {"short"}
    assert [asked.document for asked in fake.asked] == ["A long text.", "Another."]
    *_, last = estimate(["A long text."], "u1")
    assert (last.documents, last.calls) == (1, 1)
    found = embed.delay(["a", "b", "a"], "u1", dimensions=4).value().vectors
    assert found[0] == found[2] != found[1]
    assert math.isclose(sum(each * each for each in found[0]), 1, rel_tol=1e-5)
    fake.answers([[1.0, 0.0], [0.0, 1.0]])
    assert embed.delay(["a", "b"], "u1").value().vectors == [[1.0, 0.0], [0.0, 1.0]]


def test_a_redis_that_is_away(fake):
    job = complete.delay(ASK, "u1")
    with fake.away("it sleeps"):
        for call in (job.progress, job.cancel, lambda: complete.delay(ASK, "u1")):
            with pytest.raises(errors.Unavailable, match="it sleeps"):
                call()
        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(job, 0.01))
    assert asyncio.run(awaited(job)).text


def test_two_tests_of_one_event_loop_share_nothing():
    async def both():
        for answer in ("one", "two"):
            with faked() as fake:
                fake.answers(answer)
                assert (await complete.delay(ASK, "u1")).text == answer

    asyncio.run(both())


def test_it_ends_with_its_block_and_outlives_the_apps_own_settings():
    app = complete.app
    with faked() as fake:
        configure("redis://127.0.0.1:1/0")
        assert complete.delay(ASK, "u1").get(timeout=1)
        assert limits("u1") == []
        assert len(fake.asked) == 1
        with faked() as inner:
            complete.delay(ASK, "u1")
            assert len(inner.asked) == 1
        complete.delay(ASK, "u1")
        assert len(fake.asked) == 2
    assert complete.app is app is current_app()
