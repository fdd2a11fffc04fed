"""What an answer cost, and what is told of it."""

import pytest

from producer.contract.completions import Usage
from producer.contract.requests import CompletionRequest
from worker.budgets.pricing import Pricing
from worker.faults import Fault, ProviderError
from worker.ledger.attempt import POSSIBLY_BILLED
from worker.model_catalog import Models
from worker.providers.base import Call, Reply
from worker.providers.billing import COUNTED, Billing
from worker.providers.tokens import Estimator
from worker.providers.usages import UNREADABLE
from worker.settings import Link

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
    return Billing(Pricing(overrides, (0, 0)), Estimator(Models.load()))


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


def test_a_usage_that_cannot_be_read_is_not_guessed():
    answered, bill = billing().of_reply(LINK, CALL, reply(None, flags=(UNREADABLE,)))
    assert (answered.usage, answered.flags, bill) == (None, (UNREADABLE,), POSSIBLY_BILLED)


def test_more_than_was_asked_for_is_flagged_and_paid():
    answered, bill = billing().of_reply(LINK, CALL, reply(Usage(input=10, output=20_000)))
    assert answered.flags == ("max_tokens: 20,000 tokens came, 1,000 were asked for",)
    assert bill.output_tokens == 20_000


def test_an_answer_of_no_use_is_billed_at_the_usage_that_it_states():
    error = ProviderError(
        Fault.BAD_RESPONSE, "empty", maybe_billed=True, usage=Usage(input=2_595), model="gpt-4o"
    )
    assert billing().of_failure(LINK, error).micro_usd == 6_488
    silent = ProviderError(Fault.BAD_RESPONSE, "empty", maybe_billed=True)
    assert billing().of_failure(LINK, silent) == POSSIBLY_BILLED
