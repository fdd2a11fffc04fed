"""A request of options that were seen before is written as if it were the first of its kind."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from producer.contract import alike
from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest

FOLDER = Path(__file__).parent / "sent_bodies"
BODIES = [body for file in FOLDER.glob("*.json") for body in json.loads(file.read_text()).values()]
USER = [{"role": "user", "content": "hi"}]
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
MARKED = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


class Answer(BaseModel):
    words: list[str]


class Text(str):
    """As an SDK may have one: equal to a text, and none of Python's own."""


texts = st.text(st.characters(), max_size=30) | st.sampled_from(['"\\/\n\x7f\u2028', "\x00", " "])
turns = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool", "odd"]), "content": texts}
    ),
    st.builds(lambda text: {"content": text, "role": "user", "name": "n"}, texts),
    st.builds(lambda text: {"role": "user", "content": [{"type": "text", "text": text}]}, texts),
    st.sampled_from(
        [
            {"role": "user", "content": [PICTURE, MARKED]},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c", "content": "x", "is_error": True},
            {"role": "assistant", "content": "x", "refusal": "no", "annotations": []},
            {"role": "assistant", "content": "x", "reasoning_details": [{"a": 1}]},
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": Text("user"), "content": Text("hi")},
            {"role": ["user"], "content": "x"},
            7,
        ]
    ),
)
conversations = st.lists(turns, max_size=4) | st.tuples(turns) | st.just("x")
OPTIONS = [
    {},
    {"temperature": 0, "model": 'a"b', "tags": ["b", "a"], "metadata": {"a": "b"}},
    {"tools": [TOOL], "tool_choice": "auto", "seed": 5, "max_tokens": 5},
    {"response_format": Answer, "stop": "x", "defaults": "provider"},
    {"provider_options": {"openai": {"a": {"messages": []}}}, "prediction": None, "n": 2},
    {"embedding": {"dimensions": 5}},
    {"cache": "use", "temperature": 1},
]


def seen(write, fields):
    """What can be told of it from outside."""
    try:
        found = write(fields)
    except InvalidRequest as error:
        return error.message, error.details
    return found.text, found.fingerprint(), found.wire, found.request.to_json()


def alone(fields):
    return alike.Written.of(CompletionRequest.checked(**fields))


def agree(fields):
    expected = seen(alone, fields)
    for _ in range(3):
        assert seen(alike.written, fields) == expected


words = st.text(st.characters(), max_size=5)
metadata = st.dictionaries(words, words | st.integers(), max_size=17) | st.sampled_from(
    [None, {}, 0, "", [], [("a", "b")], {"a": "x" * 513}, {b"a": b"b"}, {"a": None}]
)


@settings(max_examples=200)
@given(st.sampled_from(OPTIONS), conversations, metadata)
def test_whatever_is_said_the_request_or_its_error_is_the_same(options, messages, metadata):
    for _ in range(2):
        alike.written({**OPTIONS[2], "messages": USER})
    agree({**options, "messages": messages})
    agree({**options, "messages": USER, "metadata": metadata})


@pytest.mark.parametrize("body", BODIES)
def test_bodies_of_other_libraries_are_the_same(body):
    agree(body)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max_tokens", [1, True, 1.0, "1", None]),
        ("temperature", [0.0, -0.0, 0, False, 0.5, "0.5"]),
        ("model", ["fast", Text("fast"), b"fast", bytearray(b"fast"), memoryview(b"fast")]),
        ("metadata", [{"a": "1"}, {"a": 1}, {"a": b"1"}, {Text("a"): "1"}]),
        ("tags", [["a"], ("a",), {"a"}, "a", [["a"]]]),
        ("response_format", [Answer, Text, {"type": "json_object"}, "Answer"]),
    ],
)
def test_values_that_are_equal_or_look_alike_are_told_apart(name, values):
    for value in [*values, *reversed(values)]:
        agree({"messages": USER, name: value})


def test_options_that_hold_themselves_or_are_huge_are_not_remembered():
    ring = []
    ring.append(ring)
    agree({"messages": USER, "tags": ring})
    deep = []
    for _ in range(5_000):
        deep = [deep]
    agree({"messages": USER, "tags": deep})
    agree({"messages": USER, "logit_bias": {str(number): 1 for number in range(3_000)}})
    agree({"messages": USER, "prediction": {"type": "content", "content": "x" * 20_000}})


def test_the_second_of_its_kind_is_what_the_others_are_made_of():
    """Else nothing of this would be of use."""
    messages = [{"role": "user", "content": "a prompt"}]
    fields = {"messages": messages, "cache_namespace": "of-this-test"}
    made = [alike.written({**fields, "metadata": {"n": str(number)}}) for number in range(4)]
    assert [bool(each.options.messages) for each in made] == [True, True, False, False]
    assert made[2].options is made[3].options
    assert "a prompt" not in repr(made[3].options)
    assert [each.request.metadata for each in made] == [{"n": str(number)} for number in range(4)]


def test_a_request_is_refused_by_its_size_each_time():
    fields = {"messages": [{"role": "user", "content": "x" * 300}]}
    for _ in range(3):
        alike.written(fields)
        with pytest.raises(InvalidRequest, match="at most 300"):
            alike.written(fields, 300)
