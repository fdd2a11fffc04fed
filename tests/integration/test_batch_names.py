"""Batches whose names, keys and budgets are chosen to hurt: each says what is wrong, none hangs."""

import math

import pytest
from support.ledger import KEYS, LedgerProbe, ask, until

from producer import Batch
from producer.contract.completions import Completion
from producer.contract.errors import BudgetExceeded, Conflict, InvalidRequest

QUICK = {"LLM_LINK_SIMULATOR_OPTIONS": "latency_ms=5"}


def ended(batch):
    """The outcomes of its items, once all have ended."""
    until(lambda: batch.progress().over)
    return [item.outcome for item in batch.results()]


def test_items_that_share_a_key_do_not_hang_their_batch(complete, start_worker):
    """The first runs; the others, and one whose key a job outside has, say whose key it is."""
    start_worker(QUICK)
    outside = complete.delay(ask("x"), "u1", idempotency_key="outside")
    requests = [
        {"messages": ask("x"), "idempotency_key": "same"},
        {"messages": ask("x"), "idempotency_key": "same"},
        {"messages": ask("y"), "idempotency_key": "same"},
        {"messages": ask("x"), "idempotency_key": "outside"},
        ask("z"),
    ]
    for _ in range(2):  # the second time it is the same batch
        batch = Batch.submit(requests, "u1", "keys")
        outcomes = ended(batch)
        assert [type(each) for each in outcomes] == [Completion, *[Conflict] * 3, Completion]
        assert ["keys.0" in str(outcomes[1]), outside.id in str(outcomes[3])] == [True, True]
    assert batch.retry_failed() == 0
    assert isinstance(complete.delay(ask("x"), "u1", idempotency_key="same").value(30), Completion)


def test_a_key_for_all_items_hangs_nothing_either(complete, start_worker):
    start_worker(QUICK)
    batch = Batch.submit([ask("x")] * 250, "u1", idempotency_key="one")
    until(lambda: batch.progress().over)
    assert (batch.progress().done, batch.progress().failed) == (1, 249)


def test_no_other_job_can_take_the_id_of_an_item(complete, start_worker):
    """Not before the batch, nor as a second try of one of its items."""
    for taken in ("night.0", "night.1", "night.0~1"):
        with pytest.raises(InvalidRequest, match="item of a batch"):
            complete.apply_async((ask("x"), "thief"), task_id=taken)
        with pytest.raises(InvalidRequest, match="item of a batch"):
            complete.many([{"messages": ask("x"), "task_id": taken}], "thief")
    start_worker(QUICK)
    batch = Batch.submit([{"messages": ask("x"), "task_id": "mine"}, ask("y")], "u1", "night")
    until(lambda: batch.progress().over)
    assert [item.job_id for item in batch.results()] == ["night.0", "night.1"]
    assert complete.AsyncResult("night.1").progress().user_id == "u1"


def test_an_item_is_its_batchs_users(complete):
    batch = Batch.submit([{"messages": ask("x"), "user_id": "u2"}, ask("y")], "u1")
    (wrong, _) = batch.results()
    assert "user_id: an item is its batch's user's" in str(wrong.outcome)


@pytest.mark.parametrize("max_usd", [-1, -1e-9, math.nan, math.inf, "1", 10**400])
def test_a_wrong_budget_is_refused_and_opens_no_batch(complete, max_usd):
    with pytest.raises(InvalidRequest, match="max_usd"):
        Batch.submit([ask("x")], "u1", "b1", max_usd=max_usd)
    assert Batch.submit([ask("x")], "u1", "b1", max_usd=1).progress().total == 1


def test_a_budget_of_zero_spends_nothing(complete, wire, openai_env, start_worker):
    """What is cached costs nothing, and is answered."""
    start_worker(openai_env | {"LLM_PRICES": "openai:*=1/1"})
    complete.delay(ask("cached"), "u1", temperature=0, lane="batch").value(30)
    batch = Batch.submit([ask("cached"), ask("new")], "u1", max_usd=0, temperature=0)
    until(lambda: batch.progress().over)
    cached, refused = (item.outcome for item in batch.results())
    assert (cached.cached, type(refused), len(wire.calls)) == (True, BudgetExceeded, 1)


@pytest.mark.parametrize(
    ("first", "then", "stored"),
    [(1, 2, 2_000_000), (None, 1, 1_000_000), (2, 0, 0), (1, None, 1_000_000)],
)
def test_a_budget_given_again_is_the_new_one(complete, redis_url, first, then, stored):
    """And stays if none is given."""
    Batch.submit([ask("x")], "u1", "b1", max_usd=first)
    Batch.submit([ask("x")], "u1", "b1", max_usd=then)
    with LedgerProbe(redis_url) as ledger:
        assert int(ledger.redis.hget(KEYS.limits("batch", "b1"), "usd")) == stored


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_id": "a/b"},
        {"batch_id": "a\nb"},
        {"batch_id": "x" * 201},
        {"label": "a\x1b[2Jb"},
        {"label": 7},
        {"retention_s": math.nan},
        {"retention_s": -1},
        {"user_id": 7},
    ],
)
def test_a_name_that_is_none_is_refused(complete, wrong):
    given = {"user_id": "u1"} | wrong
    with pytest.raises(InvalidRequest, match=next(iter(wrong))):
        Batch.submit([ask("x")], **given)


def test_a_wrong_name_of_an_item_is_its_own_failure(complete):
    names = ["good", "\x1b]0;title\x07", "a\nb", "\ud800", "x" * 2000, 7]
    batch = Batch.submit([{"messages": ask("x"), "name": name} for name in names], "u1")
    items = list(batch.results())
    assert [item.state for item in items[1:]] == ["failed"] * 5
    assert [item.name for item in items[:3]] == ["good", "\\x1b]0;title\\x07", "a\\nb"]
