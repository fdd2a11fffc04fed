"""Whoever made a conversation's calls, each provider can tell them and their results apart."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.contract.requests import CompletionRequest
from producer.contract.tool_turns import unpaired
from worker.providers.openai_messages import SHORT_ID
from worker.providers.pairing import USABLE, arguments, arguments_text, paired

IDS = st.sampled_from(["call_1", "call_2", "a b", "", "ö", "x" * 60, "AbCd56789"])


@st.composite
def conversations(draw):
    """Turns of calls, whose results come in any order and each with what its call asked."""
    messages = [{"role": "user", "content": "go"}]
    for turn in range(draw(st.integers(1, 4))):
        ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
        asked = [f"{turn}.{number}" for number in range(len(ids))]
        calls = [
            {"id": call_id, "function": {"name": "f", "arguments": json.dumps({"n": text})}}
            for call_id, text in zip(ids, asked, strict=True)
        ]
        messages.append({"role": "assistant", "tool_calls": calls})
        results = [
            {"role": "tool", "tool_call_id": call_id or " ", "content": text}
            for call_id, text in zip(ids, asked, strict=True)
        ]
        for call in calls:
            call["id"] = call["id"] or " "
        messages += draw(st.permutations(results))
        messages.append({"role": "user", "content": "more"})
    return CompletionRequest.model_validate({"messages": messages}).messages


@given(conversations(), st.sampled_from([USABLE, SHORT_ID]))
def test_every_result_answers_its_own_call_in_the_calls_order(messages, usable):
    """Under ids that no two calls share and every API takes."""
    seen = paired(messages, usable)
    ids = [call.id for message in seen for call in message.tool_calls or ()]
    assert len(set(ids)) == len(ids)
    assert all(usable.fullmatch(each) for each in ids)
    answered = [message.tool_call_id for message in seen if message.role == "tool"]
    assert answered == ids
    asked = {
        call.id: json.loads(call.function.arguments)["n"]
        for message in seen
        for call in message.tool_calls or ()
    }
    assert all(asked[each.tool_call_id] == each.content for each in seen if each.role == "tool")
    assert unpaired(seen) == ("", "")


@given(conversations())
def test_a_beginning_is_always_written_the_same(messages):
    """Or no provider would find it in its cache."""
    cut = next(n for n, each in enumerate(messages) if n and each.role == "user")
    whole = paired(messages)
    assert paired(messages[:cut]) == whole[:cut]


def test_a_conversation_without_trouble_stays_as_it_is():
    messages = CompletionRequest.checked(
        messages=[
            {"role": "user", "content": "go"},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "1"},
        ]
    ).messages
    assert paired(messages) == list(messages)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", {}),
        (" \n", {}),
        ("null", {}),
        ("{}", {}),
        ('{"x": 1}', {"x": 1}),
        ('{"x": "a\nb"}', {"x": "a\nb"}),
        ("oops", {"arguments": "oops"}),
        ("[1]", {"arguments": "[1]"}),
        ('{"x": NaN}', {"arguments": '{"x": NaN}'}),
        ('{"x": "\\ud800"}', {"arguments": '{"x": "\\ud800"}'}),
        ('{"x": ', {"arguments": '{"x": '}),
    ],
)
def test_arguments_are_an_object_everywhere(text, meant):
    assert arguments(text) == meant
    said = arguments_text(text)
    assert json.loads(said, strict=False) == meant
    if re.fullmatch(r"\{.+:.+\}", text, re.DOTALL) and "arguments" not in meant:
        assert said == text
