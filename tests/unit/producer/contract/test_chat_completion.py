"""Answers as OpenAI's chat completion, and back as a turn of the next request."""

import pytest
from openai.types.chat import ChatCompletion

from producer.contract.completions import Choice, Completion, Usage
from producer.contract.requests import CompletionRequest


def given(**fields):
    whole = {"text": "Paris.", "finish_reason": "stop", "model": "m", "provider": "p"} | fields
    return Completion(**whole, usage=Usage(), cost_usd=0, attempts=1, latency_ms=1, request_id="j")


USER = {"role": "user", "content": "q"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ("stop", "Paris.", None)),
        ({"text": "", "refusal": "No.", "finish_reason": "refusal"}, ("stop", None, "No.")),
        ({"text": "", "finish_reason": "refusal"}, ("content_filter", None, None)),
        ({"text": "Pa", "finish_reason": "content_filter"}, ("content_filter", "Pa", None)),
        (
            {"choices": (Choice(text="No.", finish_reason="refusal"),)},
            ("stop", None, "No."),
        ),
    ],
)
def test_refusals_are_where_openai_has_them(fields, said):
    """Its SDK reads them, and what it gives back is a turn of the next request."""
    body = ChatCompletion.model_validate(given(**fields).to_openai())
    (choice,) = body.choices
    assert (choice.finish_reason, choice.message.content, choice.message.refusal) == said
    echoed = CompletionRequest.checked(messages=[USER, choice.message.model_dump(), USER])
    assert echoed.messages[1].refusal == said[2]


@pytest.mark.parametrize(("tier", "told"), [("priority", "priority"), ("batch", None), ("", None)])
def test_a_tier_is_one_of_openai_s(tier, told):
    body = ChatCompletion.model_validate(given(service_tier=tier).to_openai())
    assert body.service_tier == told


def test_a_refusal_is_the_turn_of_the_assistant():
    turn = given(text="", refusal="No.", finish_reason="refusal").message
    assert (turn.role, turn.content, turn.refusal) == ("assistant", None, "No.")
    assert CompletionRequest.checked(messages=[USER, turn, USER]).messages[1] == turn


def test_only_workers_that_know_it_are_asked_to_accept_a_refusal():
    asked = CompletionRequest.checked(messages=[USER], on_refusal="accept")
    assert asked.wire == 3
    assert CompletionRequest.checked(messages=[USER], on_refusal="next").wire == 1
