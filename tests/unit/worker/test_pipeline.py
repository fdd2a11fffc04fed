"""Cache, quota, provider chain, on the simulator and budgets in memory, without a socket."""

import threading
from dataclasses import replace

import pytest
from support.memory_budgets import LIMITS
from support.pipelines import LINKS, Harness, chain

from producer.contract.completions import Choice, Usage
from producer.contract.errors import BudgetExceeded, Filtered, InvalidRequest, Refused, Truncated
from worker.faults import Fault, ProviderError
from worker.ledger.attempt import MOST_MICRO_USD, MOST_TOKENS, POSSIBLY_BILLED, Attempt, Bill
from worker.pipeline import AskAgain
from worker.providers import Reply
from worker.settings import (
    CallSettings,
    Link,
)


@pytest.fixture
def harness():
    harness = Harness()
    yield harness
    harness.loop.close()


def test_an_answer_is_billed_at_its_real_usage(harness):
    job, attempt = harness.job(), Attempt()
    completion = harness.run(job, attempt)
    tokens = completion.usage.input + completion.usage.output
    assert (attempt.bill.kind, attempt.bill.tokens) == ("real", tokens)
    assert completion.cost_usd == attempt.bill.micro_usd / 1_000_000 > 0
    assert (completion.request_id, completion.attempts) == (job.id, 1)
    assert (completion.provider, completion.model) == ("simulator", "big")


@pytest.mark.parametrize(("fault", "bill"), [("overloaded", "free"), ("timeout", "maybe")])
def test_a_failure_is_billed_by_what_the_provider_may_have_done(harness, fault, bill):
    attempt = Attempt()
    with pytest.raises(ProviderError, match=fault):
        harness.run(harness.job(f"[[sim:fault={fault}]] hello"), attempt)
    assert (attempt.bill.kind, attempt.call_outcome) == (bill, fault)


@pytest.mark.parametrize(
    ("micro_usd", "usage"),
    [
        (1, None),
        (1, Usage(input=2**63)),
        (1, Usage(input=MOST_TOKENS, output=1)),
        (MOST_MICRO_USD + 1, Usage(input=1)),
        (1, Usage(input=-5, output=9)),
        (-1, Usage(input=1)),
    ],
)
def test_a_usage_that_cannot_be_true_is_possibly_billed(micro_usd, usage):
    assert Bill.of_reply(micro_usd, usage) == POSSIBLY_BILLED


def test_the_largest_usage_is_billed_as_it_is():
    usage = Usage(input=MOST_TOKENS - 1, output=1)
    assert Bill.of_reply(MOST_MICRO_USD, usage) == Bill("real", MOST_MICRO_USD, MOST_TOKENS, 1)


def test_a_usage_that_cannot_be_true_is_in_no_completion(harness, monkeypatch):
    """The hold stays booked as possibly billed, and nothing is learnt from it."""
    call = harness.chain._clients.call

    def lying(link, asked):
        return replace(call(link, asked), usage=Usage(input=2**63, output=1))

    monkeypatch.setattr(harness.chain._clients, "call", lying)
    attempt = Attempt()
    completion = harness.run(harness.job(), attempt)
    assert (completion.usage, completion.cost_usd) == (Usage(), 0)
    assert (attempt.bill, attempt.held_micro_usd > 0) == (POSSIBLY_BILLED, True)


def test_the_hold_is_the_worst_case_and_is_there_during_the_call(harness):
    job, attempt = harness.job("[[sim:latency_ms=60000]] hello"), Attempt()
    caught = []

    def run():
        with pytest.raises(ProviderError) as error:
            harness.run(job, attempt)
        caught.append(error.value)

    thread = threading.Thread(target=run)
    thread.start()
    while not harness.loop.cancel(job.id):
        assert thread.is_alive()
    thread.join(10)
    assert harness.budgets.held(LIMITS[0], "u1") >= 50
    assert (caught[0].fault, caught[0].maybe_billed) == (Fault.TIMEOUT, True)
    assert attempt.bill == POSSIBLY_BILLED


def test_a_cap_refuses_before_the_call():
    harness = Harness(max_cost_per_request=0.00001)
    attempt = Attempt()
    with pytest.raises(BudgetExceeded, match="max_cost_per_request"):
        harness.run(harness.job(), attempt)
    assert (attempt.number, attempt.bill.kind, attempt.call_outcome) == (0, "none", "")


def test_truncation_is_an_error_a_retry_or_a_mark(harness):
    with pytest.raises(Truncated) as caught:
        harness.run(harness.job("[[sim:finish=length]] tell me more"))
    assert caught.value.partial_text
    with pytest.raises(AskAgain):
        harness.run(harness.job("[[sim:finish=length]] tell me more", on_truncation="retry"))
    assert (
        harness.run(harness.job("[[sim:finish=length]] x", on_truncation="accept")).finish_reason
        == "length"
    )


def test_what_a_filter_finds_is_flagged_or_withheld():
    """A flag leaves the answer as it is; withheld, it was still paid for."""
    flagging, failing = Harness(output={"pattern": "flag"}), Harness(output={"pattern": "fail"})
    completion = flagging.run(flagging.job(expect="^never"))
    assert completion.flags == ("pattern: does not match the expected pattern",)
    job = failing.job(expect="^never")
    attempt = Attempt()
    with pytest.raises(Filtered, match="pattern") as caught:
        failing.run(job, attempt)
    assert (caught.value.details["filter"], attempt.bill.kind) == ("pattern", "real")


def test_a_filter_may_ask_once_more_and_only_once():
    """The attempt before is in the history."""
    harness = Harness(output={"pattern": "retry"})
    with pytest.raises(AskAgain) as caught:
        harness.run(harness.job(expect="^never"))
    assert (caught.value.fault, caught.value.double_max_tokens) == ("filtered", False)
    with pytest.raises(Filtered):
        harness.run(harness.job(expect="^never", tried=(("simulator:big", "filtered"),)))


def test_a_refusal_is_passed_on_or_kept_with_its_text(harness):
    """As the request asks; when every link has declined, the last one's words are kept."""
    text = "[[sim:finish=refusal]] and why"
    with pytest.raises(AskAgain) as caught:
        harness.run(harness.job(text, on_refusal="next"))
    assert caught.value.fault == "refused"
    tried = (("simulator:small", "refused"),)
    for options in ({}, {"on_refusal": "next", "tried": tried}):
        with pytest.raises(Refused) as refused:
            harness.run(harness.job(text, **options))
        told = {"reason": "refusal", "text": "I cannot help with that."}
        assert refused.value.details.items() >= told.items()
        assert "cannot help" not in repr(refused.value) + str(refused.value)


def test_a_refusal_is_given_out_where_it_is_accepted(harness):
    shape = {"type": "json_schema", "json_schema": {"name": "it", "schema": {"type": "object"}}}
    asked = {"on_refusal": "accept", "response_format": shape, "expect": "^yes", "temperature": 0}
    job, attempt = harness.job("[[sim:finish=refusal]] how do I", **asked), Attempt()
    given = harness.run(job, attempt)
    assert (given.text, given.refusal) == ("", "I cannot help with that.")
    assert (given.finish_reason, given.validated, given.flags) == ("refusal", False, ())
    assert attempt.cache_entry is None
    assert "cannot help" not in repr(given)


def test_one_choice_that_is_refused_loses_no_other():
    """They are paid for together."""
    answered = Choice(text="Paris.", finish_reason="stop")
    refused = Choice(text="", finish_reason="content_filter")
    replies = [Reply("No.", "refusal", "m", None, others=(each,)) for each in (answered, refused)]
    assert [reply.declines for reply in replies] == [False, True]
    assert replies[0].handed_on["refusal"] == "No."
    assert [each.text for each in replies[0].handed_on["choices"]] == ["No.", "Paris."]


def test_the_second_try_after_a_truncation_has_twice_the_tokens_once(harness):
    job = harness.job(
        "[[sim:finish=length]] tell me more", double_max_tokens=True, on_truncation="retry"
    )
    assert {each.max_tokens for each in harness.chain.selection.candidates(job)} == {100}
    with pytest.raises(Truncated):
        harness.run(job)


def test_the_least_tried_link_comes_first(harness):
    def order(*tried):
        return [
            each.link.model for each in harness.chain.selection.candidates(harness.job(tried=tried))
        ]

    assert order() == ["big", "small"]
    assert order(("simulator:big", "overloaded")) == ["small", "big"]
    assert order(("simulator:big", "overloaded"), ("simulator:small", "timeout")) == [
        "big",
        "small",
    ]
    assert order(("simulator:big", "truncated")) == ["big", "small"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "unheard-of"}, "model: unknown here"),
        ({"avoid": ["simulator"]}, "avoid: leaves no link"),
    ],
)
def test_what_no_link_can_answer_is_an_error(harness, options, message):
    with pytest.raises(InvalidRequest, match=message):
        harness.run(harness.job(**options))


def test_a_link_that_cannot_take_a_request_is_passed_over(harness):
    """And if no other is left, the error names what it is."""
    claude = Link(provider="anthropic", model="claude-haiku-4-5", adapter="anthropic")
    schema = {"name": "n", "schema": {"type": "object"}}
    job = harness.job(response_format={"type": "json_schema", "json_schema": schema})
    three = chain((claude, *LINKS), CallSettings(), harness.loop).selection
    assert [link.provider for link in three.allowed(job.request)] == ["simulator", "simulator"]
    with pytest.raises(InvalidRequest, match="fields that have no names"):
        chain((claude,), CallSettings(), harness.loop).selection.allowed(job.request)


def test_a_fallback_answer_is_marked():
    harness = Harness(static_fallback="Please try again later.")
    completion = harness.pipeline.fallback_answer(harness.job(), Attempt())
    assert (completion.text, completion.degraded, completion.provider) == (
        "Please try again later.",
        "static",
        "static",
    )
    assert Harness().pipeline.fallback_answer(harness.job(), Attempt()) is None
