"""What an answer cost, and what is told of it."""

import pytest

from producer.contract.completions import Usage
from producer.contract.requests import CompletionRequest
from worker.budgets.pricing import Pricing
from worker.faults import Fault, ProviderError
from worker.ledger.attempt import POSSIBLY_BILLED
from worker.model_catalog import Models
from worker.providers.base import Call, Reply
from worker.providers.billing import COUNTED, IMPOSSIBLE, Billing
from worker.providers.tokens import Estimator
from worker.providers.usages import UNREADABLE
from worker.settings import Link
from worker.settings.prices import rates

LINK = Link(provider="openai", model="gpt-4o-mini", adapter="openai")
CALL = Call(
    "job-1",
    "gpt-4o-mini",
    CompletionRequest.checked(messages=[{"role": "user", "content": "The capital of France?"}]),
    max_tokens=1_000,
    temperature=None,
    timeout_s=5,
)


def billing(**overrides):
    return Billing(Pricing(overrides, rates("50/200")), Estimator(Models.load()))


def reply(usage, model="gpt-4o-mini-2024-07-18", **fields):
    return Reply("Paris.", "stop", model, usage, **fields)


def test_a_dated_name_is_no_other_model():
    answered, bill = billing().of_reply(LINK, CALL, reply(Usage(input=10_000, output=1_000)))
    assert (bill.micro_usd, answered.flags) == (2_100, ())


def test_another_known_model_is_booked_at_its_own_price():
    other = reply(Usage(input=10_000, output=1_000), "gpt-4o-2024-08-06")
    answered, bill = billing().of_reply(LINK, CALL, other)
    assert bill.micro_usd == 35_000
    assert answered.flags == ("model: gpt-4o-2024-08-06 answered instead of gpt-4o-mini",)


def test_a_model_that_no_list_knows_is_booked_as_the_one_that_was_asked():
    other = reply(Usage(input=10_000, output=1_000), "my-own-name")
    assert billing().of_reply(LINK, CALL, other)[1].micro_usd == 2_100


@pytest.mark.parametrize("usage", [None, Usage()])
def test_a_usage_that_is_not_stated_is_counted_here(usage):
    answered, bill = billing().of_reply(LINK, CALL, reply(usage))
    assert answered.flags == (COUNTED,)
    assert 5 <= answered.usage.input <= 30
    assert 2 <= answered.usage.output <= 20
    assert (bill.kind, bill.tokens) == ("real", answered.usage.input + answered.usage.output)
    assert (bill.basis, answered.usage.estimated) == ("estimated", True)


def test_a_usage_that_cannot_be_read_is_not_guessed():
    answered, bill = billing().of_reply(LINK, CALL, reply(None, flags=(UNREADABLE,)))
    assert (answered.usage, answered.flags, bill) == (None, (UNREADABLE,), POSSIBLY_BILLED)


def test_more_than_was_asked_for_is_flagged_and_paid():
    answered, bill = billing().of_reply(LINK, CALL, reply(Usage(input=10, output=20_000)))
    assert answered.flags == ("max_tokens: 20,000 tokens came, 1,000 were asked for",)
    assert bill.output_tokens == 20_000


def test_the_service_tier_that_served_is_paid():
    """gpt-5.4: 2.50 and 15 dollars; priority twice, flex half of that."""
    link = Link(provider="openai", model="gpt-5.4", adapter="openai")
    for tier, micro_usd in (("", 55_000), ("priority", 110_000), ("flex", 27_500)):
        usage = Usage(input=10_000, output=2_000)
        answered = reply(usage, "gpt-5.4-2026-03-05", service_tier=tier)
        assert billing().of_reply(link, CALL, answered)[1].micro_usd == micro_usd


def test_a_tier_without_a_price_is_told_and_paid_at_the_standard_one():
    answered = reply(Usage(input=10_000, output=1_000), service_tier="platinum")
    answered, bill = billing().of_reply(LINK, CALL, answered)
    assert bill.micro_usd == 2_100
    assert answered.flags == (
        "usage: no price known of the service tier platinum; the standard one",
    )


def test_another_model_is_booked_under_the_lists_own_name():
    """However many names a server finds for it."""
    other = reply(Usage(input=10, output=10), "gpt-4o-2024-08-06")
    assert billing().of_reply(LINK, CALL, other)[1].booked_as == "openai:gpt-4o"
    assert billing().of_reply(LINK, CALL, reply(Usage(input=10, output=10)))[1].booked_as == ""


UNPRICED = Link(provider="router", model="some/model", adapter="openai")


def test_the_providers_own_charge_is_booked_where_no_price_is_known():
    answered = reply(Usage(input=10, output=10), charged_micro_usd=17)
    told, bill = billing().of_reply(UNPRICED, CALL, answered)
    assert (bill.micro_usd, bill.basis) == (17, "stated")
    assert told.flags == ("usage: no price known, so it is booked at the provider's own charge",)
    assert billing().of_reply(LINK, CALL, answered)[1].micro_usd == 8
    silent = reply(None, charged_micro_usd=17)
    told, bill = billing().of_reply(UNPRICED, CALL, silent)
    assert (bill.micro_usd, bill.basis, told.usage.estimated) == (17, "stated", True)


def test_without_a_price_and_a_charge_the_ceiling_is_booked_as_an_estimate():
    told, bill = billing().of_reply(UNPRICED, CALL, reply(Usage(input=100, output=10)))
    assert (bill.micro_usd, bill.basis) == (7_000, "estimated")
    assert told.flags == ("usage: no price known, so it is booked at LLM_UNKNOWN_PRICE",)


@pytest.mark.parametrize("usage", [Usage(input=1_000_000, output=5), Usage(input=5, output=10**7)])
def test_more_than_the_request_can_have_caused_is_not_believed(usage):
    told, bill = billing().of_reply(LINK, CALL, reply(usage))
    assert (told.usage, bill.basis, bill.kind) == (None, "unknown", "maybe")
    assert told.flags[0].startswith(IMPOSSIBLE)
    error = ProviderError(Fault.BAD_RESPONSE, "empty", maybe_billed=True, usage=usage)
    assert billing().of_failure(LINK, CALL, error) == POSSIBLY_BILLED


def test_reasoning_that_is_not_counted_by_the_server_is_counted_here():
    plain = billing().of_reply(LINK, CALL, reply(None))[1]
    thought = billing().of_reply(LINK, CALL, reply(None, reasoning="Let me think. " * 50))[1]
    assert thought.output_tokens > plain.output_tokens + 100


def test_an_answer_of_no_use_is_billed_at_the_usage_that_it_states():
    error = ProviderError(
        Fault.BAD_RESPONSE, "empty", maybe_billed=True, usage=Usage(input=2_595), model="gpt-4o"
    )
    assert billing().of_failure(LINK, CALL, error).micro_usd == 6_488
    silent = ProviderError(Fault.BAD_RESPONSE, "empty", maybe_billed=True)
    assert billing().of_failure(LINK, CALL, silent) == POSSIBLY_BILLED


@pytest.mark.parametrize(
    ("name", "searches", "micro_usd"),
    [
        ("anthropic:claude-haiku-4-5", 3, 30_000),
        ("gemini:gemini-2.5-flash", 3, 35_000),
        ("gemini:gemini-3.8-flash", 3, 42_000),
        ("openai-responses:gpt-5.4", 3, 30_000),
        ("openai:gpt-4o-search-preview", 0, 25_000),
        ("simulator:x", 3, 0),
    ],
)
def test_searches_are_paid_beside_the_tokens(name, searches, micro_usd):
    """A model of OpenAI's chat that searches does so once, and does not say it."""
    adapter, model = name.split(":")
    link = Link(provider=adapter, model=model, adapter=adapter)
    asked = CompletionRequest.model_validate(
        {"messages": [{"role": "user", "content": "x"}], "web_search_options": {}}
    )
    call = Call("job", model, asked, max_tokens=1000, temperature=None, timeout_s=1)
    usage = Usage(input=1, output=1)
    plain, found = (
        billing(**{name: rates("1/1")}).of_reply(link, each, reply(told, model))[1].micro_usd
        for each, told in (
            (CALL, usage),
            (call, usage.model_copy(update={"searches": searches})),
        )
    )
    assert found - plain == micro_usd
    free = link.model_copy(update={"free": True})
    told = reply(usage.model_copy(update={"searches": searches}), model)
    assert billing(**{name: rates("1/1")}).of_reply(free, call, told)[1].micro_usd == plain
