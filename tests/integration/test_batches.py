"""Batches: one name for many requests; submitted, watched, paused, cancelled, tried again, handed
out.
"""

import asyncio

import pytest
from support.ledger import KEYS, LedgerProbe, ask, until

import producer
from producer.batches import Batch, recent
from producer.contract.completions import Completion
from producer.contract.errors import (
    BudgetExceeded,
    Cancelled,
    Conflict,
    InvalidRequest,
    OutcomeUnknown,
    Truncated,
)

SLOW = "[[sim:latency_ms=30000]]"
QUICK = {"LLM_LINK_SIMULATOR_OPTIONS": "latency_ms=5"}


def questions(count, mark=""):
    return [ask(f"{mark} question {n}") for n in range(count)]


@pytest.fixture
def batch_of(complete):
    """`complete` points the producer at this test's server."""
    return Batch.submit


def test_results_come_in_either_order_and_the_books_agree(batch_of, start_worker, redis_url):
    start_worker(QUICK)
    names = [{"messages": each, "name": f"n{number}"} for number, each in enumerate(questions(150))]
    batch = batch_of(names, "u1", label="test")
    ended = [item.index for item in batch.as_completed(timeout=30)]
    assert sorted(ended) == list(range(150))
    progress = batch.progress()
    assert (progress.state, progress.total, progress.done, progress.calls, progress.over) == (
        "done",
        150,
        150,
        150,
        True,
    )
    items = list(batch.results())
    assert [(item.index, item.name, item.state) for item in items] == [
        (n, f"n{n}", "done") for n in range(150)
    ]
    assert (
        sum(item.outcome.usage.input + item.outcome.usage.output for item in items)
        == progress.tokens
    )
    assert sum(item.outcome.cost_usd for item in items) == pytest.approx(progress.cost_usd)
    assert [item.index for item in batch.results("completed")] == ended
    assert [each.batch_id for each in recent()] == [batch.id]
    with LedgerProbe(redis_url) as ledger:
        for key in (
            KEYS.batch(batch.id),
            KEYS.batch_ended(batch.id),
            KEYS.outcome(f"{batch.id}.0"),
            KEYS.job(f"{batch.id}.149"),
        ):
            until(lambda key=key: ledger.redis.ttl(key) <= 7 * 86_400)  # a sweep says so
            assert ledger.redis.ttl(key) > 6 * 86_400
        assert ledger.redis.keys(f"{KEYS.root}q:*") == ledger.redis.keys(f"{KEYS.root}bl:*") == []


def test_partial_results_are_there_at_any_time(batch_of, start_worker):
    start_worker(QUICK, concurrency=2)
    batch = batch_of([*questions(3), *[ask(f"{SLOW} {n}") for n in range(4)]], "u1")
    until(lambda: batch.progress().done == 3)
    assert [item.state for item in batch.results()][:3] == ["done"] * 3
    assert all(item.outcome is None for item in list(batch.results())[3:])
    until(lambda: batch.progress().slowest)
    assert batch.cancel() == "cancelled"
    until(lambda: batch.progress().over)
    assert batch.progress().cancelled == 4


def test_submitting_again_goes_on_where_it_stopped(batch_of, start_worker):
    """As after a producer that died: the same items, then more of them; each runs once."""

    def dies():
        yield from questions(250)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch_of(dies(), "u1", batch_id="b1")
    assert (Batch("b1").progress().total, Batch("b1").progress().submitted) == (None, 200)
    batch = batch_of(questions(300), "u1", batch_id="b1")
    assert (batch.progress().total, batch.progress().submitted) == (300, 300)
    start_worker(QUICK)
    list(batch.as_completed(timeout=30))
    assert batch.progress().calls == 300
    with pytest.raises(Conflict, match=r"b1\.0"):
        batch_of(questions(300, "other"), "u1", batch_id="b1")
    with pytest.raises(InvalidRequest, match="takes no more"):
        batch_of(questions(301), "u1", batch_id="b1")
    with pytest.raises(Conflict, match="another user"):
        batch_of(questions(1), "u2", batch_id="b1")


def test_a_wrong_item_fails_alone_and_at_once(batch_of, start_worker):
    batch = batch_of(
        [
            ask("good"),
            {"messages": [], "name": "bad"},
            {"wrong": InvalidRequest("unreadable"), "name": "x"},
        ],
        "u1",
    )
    assert batch.progress().failed == 2
    start_worker(QUICK)
    until(lambda: batch.progress().over)
    good, bad, unreadable = batch.results()
    assert isinstance(good.outcome, Completion)
    assert (bad.name, type(bad.outcome), str(unreadable.outcome)) == (
        "bad",
        InvalidRequest,
        "unreadable",
    )
    assert "requests[1]: messages" in str(bad.outcome)


def test_a_paused_batch_begins_nothing_and_is_in_the_way_of_none(
    batch_of, complete, start_worker, redis_url
):
    batch = batch_of(questions(300), "u1")
    assert batch.pause() == "paused"
    start_worker(QUICK)
    assert complete.delay(ask("meanwhile"), "u1", lane="batch").value(30)
    progress = batch.progress()
    assert progress.calls <= 4  # what had been released
    assert progress.held_back == "paused"
    assert batch.resume() == "open"
    list(batch.as_completed(timeout=30))
    assert batch.progress().done == 300


def test_a_cancelled_batch_ends_at_once_and_keeps_what_is_there(
    batch_of, start_worker, wire, openai_env, redis_url
):
    wire.script = lambda request, number: "ok" if number < 5 else "hang"
    start_worker(openai_env, concurrency=4)
    batch = batch_of(questions(1000), "u1")
    wire.wait_for(lambda calls: len(calls) >= 9)
    batch.cancel()
    until(lambda: batch.progress().over)
    progress = batch.progress()
    assert (progress.state, progress.done, progress.cancelled) == ("cancelled", 5, 995)
    assert sum(isinstance(item.outcome, Cancelled) for item in batch.results()) == 995
    with LedgerProbe(redis_url) as ledger:
        assert ledger.open() == 0
        assert ledger.redis.keys(f"{KEYS.root}bw:*") == []


def test_what_failed_is_tried_again_with_its_request(
    batch_of, start_worker, wire, openai_env, redis_url
):
    wire.script = lambda request, number: (
        "length" if "odd" in str(request) and number < 10 else "ok"
    )
    start_worker(openai_env)
    batch = batch_of(
        [ask("odd" if n % 2 else "even") for n in range(10)], "u1", temperature=0.5, tags=["faq"]
    )
    assert sum(isinstance(item.outcome, Truncated) for item in batch.as_completed(timeout=30)) == 5
    assert batch.retry_failed() == 5
    assert sorted(item.index for item in batch.as_completed(timeout=30) if "~1" in item.job_id) == [
        1,
        3,
        5,
        7,
        9,
    ]
    progress = batch.progress()
    assert (progress.done, progress.failed, progress.total, progress.over) == (10, 0, 10, True)
    assert [type(item.outcome) for item in batch.results()] == [Completion] * 10
    assert batch.retry_failed() == 0
    with LedgerProbe(redis_url) as ledger:
        tags = [ledger.redis.hget(KEYS.job(f"{batch.id}.{n}"), "tags") for n in ("1", "1~1")]
        assert tags == ["faq"] * 2
        assert ledger.counter("submitted") == 15


def test_a_batch_says_what_trouble_it_waits_for(batch_of, start_worker, wire, openai_env):
    wire.script = lambda request, number: "500"
    batch = batch_of(questions(8), "u1")
    assert batch.progress().waits_for == "no worker is alive"
    start_worker(openai_env | {"LLM_COOLDOWN_SECONDS": "0.5", "LLM_MAX_ATTEMPTS": "9"})
    until(lambda: "openai:gpt-4o-mini: HTTP 500 since 00:00" in batch.progress().waits_for)
    wire.script = lambda request, number: "ok"
    assert all(item.outcome.text for item in batch.as_completed(timeout=60))
    assert batch.progress().waits_for == ""


def test_a_batch_never_spends_more_than_it_may(batch_of, start_worker, wire, openai_env, redis_url):
    """Holds included; the rest fails and says so."""
    wire.script = lambda request, number: "ok;in=1000;out=100"
    start_worker(openai_env | {"LLM_PRICES": "openai:*=1/1"})
    batch = batch_of(questions(40), "u1", max_usd=0.0055, max_tokens=1000, temperature=0.3)
    list(batch.as_completed(timeout=60))
    progress = batch.progress()
    assert progress.cost_usd <= 0.0055
    assert 3 <= progress.done <= 5
    failed = [item.outcome for item in batch.results() if item.state == "failed"]
    assert {type(each) for each in failed} == {BudgetExceeded}
    assert {each.details["limit"] for each in failed} == {"batch_usd"}
    again = Batch.submit(
        questions(40), "u1", batch.id, max_usd=0.05, max_tokens=1000, temperature=0.3
    )
    list(again.as_completed(timeout=60))
    assert (again.progress().done, len(wire.calls)) == (40, 40)


def test_a_batch_waits_for_the_users_limits_instead_of_failing(batch_of, start_worker):
    start_worker({"LLM_USER_REQUESTS_PER_MINUTE": "5"})
    batch = batch_of(questions(8), "u1")
    until(lambda: batch.progress().done == 5 and batch.progress().held_back)
    assert batch.progress().held_back == "user_requests_per_minute"
    assert (batch.progress().failed, batch.progress().over) == (0, False)


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_frame_becomes_a_batch_and_a_batch_a_frame(batch_of, name):
    """Without a worker: what was wrong has ended."""
    pytest.importorskip("pyarrow")
    frames = pytest.importorskip(name)
    frame = frames.DataFrame({"id": ["a", "b"], "text": ["Good.", None]})
    batch = batch_of(frame, "u1", prompt="{text}")
    (wrong,) = batch.table().to_pylist()
    assert (wrong["index"], wrong["name"], wrong["message"]) == (1, "b", "empty: text")
    assert batch.progress().total == 2


def test_async_code_has_twins(batch_of, start_worker):
    start_worker(QUICK)
    batch = batch_of(questions(5), "u1")

    async def collect():
        return [
            item.index async for item in batch.aas_completed(timeout=30)
        ], await batch.aprogress()

    indexes, progress = asyncio.run(collect())
    assert (sorted(indexes), progress.done) == ([0, 1, 2, 3, 4], 5)


def test_an_unknown_batch_is_told(complete):
    with pytest.raises(OutcomeUnknown, match="no batch nope"):
        producer.Batch("nope").progress()
