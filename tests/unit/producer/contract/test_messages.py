"""A wrong request fails in the caller's stack, naming the field and its place, never its value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.contract.completions import Completion, Usage
from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest

USER = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "robot", "content": "SECRET"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": "SECRET", "mood": "bad"}]}, "messages[0].mood"),
        ({"messages": USER, "temperature": math.nan}, "temperature"),
        ({"messages": USER, "temperature": 3}, "temperature"),
        ({"messages": USER, "max_tokens": -1}, "max_tokens"),
        ({"messages": USER, "max_tokens": "many"}, "max_tokens"),
        ({"messages": USER, "tempratur": 0}, "tempratur"),
        ({"messages": USER, "deadline_s": 0}, "deadline_s"),
        ({"messages": USER, "lane": "fast"}, "lane"),
        ({"messages": USER, "cache": "use", "temperature": 1}, "request"),
        ({"messages": USER, "response_format": {"type": "json_schema"}}, "response_format"),
        ({}, "messages"),
    ],
)
def test_wrong_fields_are_named_with_their_place(fields, place):
    """The error names the place and says how to fix it; a prompt is never repeated."""
    with pytest.raises(InvalidRequest) as caught:
        CompletionRequest.checked(**fields)
    assert any(each.startswith(place) for each in caught.value.details["fields"]), caught.value
    assert "SECRET" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_prompt_that_is_too_large_is_refused_with_its_size(letter):
    """Before any network, saying how large it may be."""
    with pytest.raises(InvalidRequest, match="at most 32,000,000 are accepted"):
        CompletionRequest.checked(messages=[{"role": "user", "content": letter * 32_000_000}])


def test_all_problems_are_told_at_once():
    """Two wrong fields are two lines of one error."""
    with pytest.raises(InvalidRequest) as caught:
        CompletionRequest.checked(messages=[], temperature=9)
    assert set(caught.value.details["fields"]) == {"messages", "temperature"}


@given(st.permutations(["messages", "temperature", "max_tokens", "stop"]))
def test_the_order_of_fields_never_changes_the_fingerprint(order):
    """Equal requests share a cache entry however they were written."""
    values = {
        "messages": [{"content": "hi", "role": "user"}],
        "temperature": 0,
        "max_tokens": 5,
        "stop": "x",
    }
    request = CompletionRequest.checked(**{name: values[name] for name in order})
    assert (
        request.fingerprint()
        == CompletionRequest.checked(
            messages=USER, temperature=0.0, max_tokens=5, stop=["x"]
        ).fingerprint()
    )


def test_a_request_survives_the_wire():
    """What the ledger stores is the request again."""
    request = CompletionRequest.checked(
        messages=[{"role": "user", "content": [{"type": "text", "text": "é"}]}],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}},
        },
        tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
    )
    assert CompletionRequest.model_validate_json(request.to_json()) == request


def test_the_repr_of_a_completion_hides_the_answer():
    """Celery logs results by their repr, and Flower shows it."""
    completion = Completion(
        text="ANSWER",
        finish_reason="stop",
        model="m",
        provider="p",
        usage=Usage(),
        cost_usd=0,
        attempts=1,
        latency_ms=1,
        request_id="r",
    )
    assert "ANSWER" not in repr(completion)
    assert completion.__json__()["text"] == "ANSWER"
