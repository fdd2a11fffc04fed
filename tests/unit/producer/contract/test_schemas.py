"""Schemas of a request are bounded when it is made, and refer to nothing outside themselves."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.contract import schemas
from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest

ASKED = [{"role": "user", "content": "x"}]


def of_answer(schema):
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return CompletionRequest.checked(messages=ASKED, response_format=wanted)


def of_tool(schema):
    tool = {"type": "function", "function": {"name": "x", "parameters": schema}}
    return CompletionRequest.checked(messages=ASKED, tools=[tool])


def nested(levels):
    schema = {"type": "string"}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


def doubling(keyword, levels, times=4):
    """A chain in which each schema names the next one several times: 2 KB, 4 ** 16 schemas."""
    definitions = {f"d{levels}": {"type": "string"}}
    for level in range(levels):
        definitions[f"d{level}"] = {keyword: [{"$ref": f"#/$defs/d{level + 1}"}] * times}
    return {"$defs": definitions, "$ref": "#/$defs/d0"}


def itself():
    schema = {}
    schema["not"] = schema
    return schema


HOSTILE = {
    "http": {"$ref": "http://127.0.0.1/x"},
    "file": {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
    "relative": {"$ref": "other.json#/x"},
    "by base": {"$id": "http://127.0.0.1/x", "items": {"$ref": "y"}},
    "dynamic": {"$dynamicRef": "http://127.0.0.1/x"},
    "unusual place": {"x-own": [{"$ref": "//127.0.0.1/x"}]},
    "draft": {"$schema": "http://127.0.0.1/draft"},
    "deep": nested(100),
    "very deep": nested(100_000),
    "endless object": itself(),
    "any of": doubling("anyOf", 16),
    "all of": doubling("allOf", 16),
    "one of": doubling("oneOf", 16, times=2),
    "circle": {"$ref": "#"},
    "circle by name": {"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"},
    "long chain": doubling("allOf", 499, times=1),
    "many references": {"items": [{"$ref": "#/a"}] * 501},
    "large": {"enum": ["x" * 300_000]},
    "many values": {"enum": list(range(30_000))},
    "long number": {"const": 10**5000},
    "no number": {"const": float("nan")},
    "no JSON": {"const": {1, 2}},
    "a key": {1: "x"},
    "surrogate": {"const": "\ud800"},
    "surrogate in a key": {"\ud800": 1},
}


@pytest.mark.parametrize("build", [of_answer, of_tool])
@pytest.mark.parametrize("schema", HOSTILE.values(), ids=HOSTILE)
def test_a_schema_without_bounds_is_refused_with_its_place(build, schema):
    with pytest.raises(InvalidRequest, match=r"\.(schema|parameters)(\[|: )") as caught:
        build(schema)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
        {"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"},
        {"properties": {"$ref": {"type": "string"}, "not": {"type": "string"}}},
        doubling("anyOf", 5),
        nested(50),
        {"anyOf": [{"const": number} for number in range(1000)]},
        {"maximum": 2**64, "pattern": r"^\w+$"},
    ],
)
def test_what_people_write_is_accepted_and_read_again(schema):
    """A recursive schema, too: it looks at a part of the value each time."""
    request = of_answer(schema)
    assert CompletionRequest.model_validate_json(request.to_json()) == request


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(
    ["$ref", "$defs", "a", "anyOf", "allOf", "not", "if", "items", "properties", "$schema"]
)
TARGETS = st.sampled_from(
    ["#", "#/$defs/a", "#/a/0", "#/anyOf/0", "#a", "x", "http://x/#", "#//~0"]
)
ANYTHING = st.recursive(
    PLAIN | TARGETS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=30,
)


@settings(max_examples=300)
@given(st.dictionaries(NAMES, ANYTHING, max_size=5))
def test_any_schema_is_refused_or_can_be_stored(schema):
    try:
        request = of_answer(schema)
    except InvalidRequest:
        return
    stored = CompletionRequest.model_validate_json(request.to_json())
    assert json.loads(stored.to_json()) == json.loads(request.to_json())


def test_looking_takes_bounded_time():
    """At the largest that is accepted and at much more."""
    several = [doubling("anyOf", 100, times=5), {"enum": [{"a": 1}] * 1_000_000}]
    began = time.process_time()
    for schema in several:
        assert schemas.problem(schema)
    assert time.process_time() - began < 2
