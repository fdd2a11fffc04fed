"""Answers that are of no use or odd, through the pipeline."""

from dataclasses import replace

import pytest
from support.pipelines import Harness

from producer.contract.completions import Usage
from producer.contract.errors import Truncated
from worker.faults import Fault, ProviderError
from worker.ledger.attempt import Attempt, Bill


@pytest.fixture
def harness():
    harness = Harness()
    yield harness
    harness.loop.close()


def test_an_answer_of_no_use_is_spent_at_the_usage_that_it_states(harness, monkeypatch):
    """The rest of its hold is given back."""

    def empty(link, call):
        usage = Usage(input=100, output=40)
        raise ProviderError(Fault.BAD_RESPONSE, "empty", maybe_billed=True, usage=usage)

    monkeypatch.setattr(harness.chain._clients, "call", empty)
    attempt = Attempt()
    with pytest.raises(ProviderError, match="empty"):
        harness.run(harness.job(), attempt)
    assert attempt.bill == Bill("real", 39, 140, 40)


def test_an_answer_that_is_longer_than_asked_is_flagged_and_the_other_field_tried(
    harness, monkeypatch
):
    call = harness.chain._clients.call
    asked = []

    def heedless(link, sent):
        asked.append(sent.refused)
        usage = Usage(input=1, output=sent.max_tokens * 2)
        return replace(call(link, sent), usage=usage, limit_field="max_completion_tokens")

    monkeypatch.setattr(harness.chain._clients, "call", heedless)
    (flag,) = harness.run(harness.job()).flags
    harness.run(harness.job())
    assert flag == "max_tokens: 100 tokens came, 50 were asked for"
    assert asked == [frozenset(), {"max_completion_tokens"}]


def test_a_cut_answer_without_a_word_is_no_success(harness, monkeypatch):
    """Not even where a cut one is accepted."""
    call = harness.chain._clients.call
    monkeypatch.setattr(
        harness.chain._clients,
        "call",
        lambda link, sent: replace(call(link, sent), text=" ", finish="length"),
    )
    with pytest.raises(Truncated):
        harness.run(harness.job(on_truncation="accept"))


def test_a_full_window_is_not_answered_by_asking_for_more(harness, monkeypatch):
    call = harness.chain._clients.call
    monkeypatch.setattr(
        harness.chain._clients,
        "call",
        lambda link, sent: replace(
            call(link, sent), finish="length", stated_finish="model_context_window_exceeded"
        ),
    )
    with pytest.raises(Truncated, match="window is full"):
        harness.run(harness.job(on_truncation="retry"))
