"""Chains, groups and chords of completions survive a rotation, and get() returns or raises for
every outcome.
"""

import pytest
from celery import chain, chord, group
from support.ledger import ask

from producer.contract.errors import (
    BudgetExceeded,
    Cancelled,
    DeadlineExceeded,
    InvalidRequest,
    ProvidersExhausted,
)

ENV = {
    "LLM_CHAIN": "first:sim-large,second:sim-small",
    "LLM_LINK_FIRST_ADAPTER": "simulator",
    "LLM_LINK_FIRST_OPTIONS": "latency_ms=10",
    "LLM_LINK_SECOND_ADAPTER": "simulator",
    "LLM_LINK_SECOND_OPTIONS": "latency_ms=10",
    "LLM_PRICES": "first:*=0.15/0.60,second:*=0.15/0.60",
    "LLM_COOLDOWN_SECONDS": "0.1",
    "LLM_BACKOFF_SECONDS": "0.05",
    "LLM_MAX_ATTEMPTS": "2",
}
ROTATES = "[[sim:fault=unavailable;link=sim-large]]"
FAILS = "[[sim:fault=unavailable]]"


@pytest.fixture(params=["asyncio", "threads", "prefork"])
def worker(start_worker, request):
    return start_worker(ENV, pool=request.param, concurrency=4)


def test_a_group_gives_every_answer_in_order(complete, worker):
    """Even if each rotates on the way."""
    result = group(complete.s(ask(f"number {n} {ROTATES}"), "u1") for n in range(6)).apply_async()
    answers = result.get(timeout=40)
    assert [f"number {n}" in answer["text"] for n, answer in enumerate(answers)] == [True] * 6
    assert {answer["provider"] for answer in answers} == {"second"}


def test_a_chain_goes_on_after_a_rotation(complete, worker):
    """The next step is published by the delivery that answered, not by the one that rotated."""
    steps = chain(
        complete.si(ask(f"one {ROTATES}"), "u1"),
        complete.si(ask("two"), "u1"),
        complete.si(ask("three"), "u1"),
    )
    result = steps.apply_async()
    assert "three" in result.get(timeout=40)["text"]
    assert "one" in result.parent.parent.get(timeout=5)["text"]


def test_a_chord_joins_after_rotations(complete, worker):
    """The body runs once, after every part."""
    parts = [complete.s(ask(f"part {n} {ROTATES if n % 2 else ''}"), "u1") for n in range(4)]
    result = chord(parts)(complete.si(ask("the body"), "u1"))
    assert "the body" in result.get(timeout=40)["text"]


def test_a_starmap_is_one_job_each(complete, worker):
    """Celery's own would be one message with all prompts, which no worker takes."""
    asked = complete.starmap((ask(f"number {n}"), "u1") for n in range(2)).apply_async()
    answers = asked.get(timeout=40)
    assert [f"number {n}" in each["text"] for n, each in enumerate(answers)] == [True, True]
    with pytest.raises(InvalidRequest, match="user_id"):
        complete.map([ask("whose?")]).apply_async()
    with pytest.raises(InvalidRequest, match=r"complete\.many"):
        complete.chunks([(ask("x"), "u1")], 10)


def test_links_and_errbacks_are_called(complete, worker):
    """link after success and link_error after the final failure, never after a retry."""
    linked = complete.si(ask("linked"), "u1").set(task_id="linked-job")
    complete.apply_async((ask(f"x {ROTATES}"), "u1"), link=linked).get(timeout=40)
    assert "linked" in complete.AsyncResult("linked-job").value(20).text


def test_get_raises_what_the_job_ended_in(complete, worker):
    """The same classes as value(), for every kind of end."""
    with pytest.raises(ProvidersExhausted):
        complete.delay(ask(FAILS), "u1").get(timeout=40)
    with pytest.raises(BudgetExceeded):
        complete.delay(ask("x"), "u1", max_tokens=500_000).get(timeout=40)
    result = group(complete.s(ask("fine"), "u1"), complete.s(ask(FAILS), "u1")).apply_async()
    with pytest.raises(ProvidersExhausted):
        result.get(timeout=40)


def test_get_raises_for_a_job_that_never_ran(complete, worker):
    """Cancelled or past its deadline while it waited: a delivery carries the news to the result
    backend.
    """
    cancelled = complete.apply_async((ask("x"), "u1"), countdown=60)
    assert cancelled.cancel() == "cancelled"
    with pytest.raises(Cancelled):
        cancelled.get(timeout=40)
    late = complete.apply_async((ask("x"), "u1"), {"deadline_s": 0.5}, countdown=60)
    with pytest.raises(DeadlineExceeded):
        late.get(timeout=40)


def test_a_chain_whose_next_step_is_wrong_ends_in_its_error(complete, worker):
    """Checked when the step before has answered; get() does not hang on a step that was never
    submitted.
    """
    result = chain(
        complete.si(ask("one"), "u1"), complete.si([{"role": "robot", "content": "x"}], "u1")
    ).apply_async()
    assert "one" in result.parent.get(timeout=40)["text"]
    with pytest.raises(InvalidRequest, match="role"):
        result.get(timeout=40)
