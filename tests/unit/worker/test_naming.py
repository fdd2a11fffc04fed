"""Names that an API refuses go to another one."""

import pytest

from producer.contract.requests import CompletionRequest
from worker.providers.answer_schemas import wrong_root
from worker.providers.naming import misnamed
from worker.settings import Link


def shaped(schema):
    shape = {"name": "it", "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": shape}}


@pytest.mark.parametrize(
    ("schema", "taken"),
    [
        ({"type": "object"}, True),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}, True),
        ({"type": "array", "items": {}}, False),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, False),
        ({}, False),
    ],
)
def test_an_answer_s_schema_is_an_object_to_openai(schema, taken):
    request = CompletionRequest.checked(
        messages=[{"role": "user", "content": "x"}], **shaped(schema)
    )
    local = Link(provider="local", model="x", adapter="openai", base_url="http://127.0.0.1:8/v1")
    assert wrong_root(local, request) == ""
    for adapter in ("openai", "openai-responses"):
        link = Link(provider="openai", model="gpt-4.1", adapter=adapter)
        assert (wrong_root(link, request) == "") == taken
    gemini = Link(provider="gemini", model="gemini-3.8-flash", adapter="gemini")
    assert wrong_root(gemini, request) == ""


def named(name):
    return {"tools": [{"type": "function", "function": {"name": name}}]}


CALL = {"id": "c", "type": "function", "function": {"name": "ns.f", "arguments": "{}"}}
CALLED = [
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c", "content": "1"},
]
SHAPE = {"type": "json_schema", "json_schema": {"name": "a b", "schema": {"type": "object"}}}
ALL = {"openai", "responses", "anthropic", "gemini", "local"}


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        (named("get_weather"), ALL),
        (named("ns.look"), {"gemini", "local"}),
        (named("f" * 65), {"anthropic", "gemini", "local"}),
        (named("0"), ALL - {"gemini"}),
        ({"messages": CALLED}, {"gemini", "local"}),
        ({"response_format": SHAPE}, {"anthropic", "gemini", "local"}),
        ({"messages": [{"role": "user", "content": "x", "name": "Ada L"}]}, ALL - {"openai"}),
    ],
)
def test_names_go_where_they_are_taken(asked, taken):
    """An API's rules for them are known before the call."""
    links = {
        "openai": Link(provider="openai", model="gpt-4o", adapter="openai"),
        "responses": Link(provider="openai", model="o3-pro", adapter="openai-responses"),
        "anthropic": Link(provider="anthropic", model="claude-haiku-4-5", adapter="anthropic"),
        "gemini": Link(provider="gemini", model="gemini-3.8-flash", adapter="gemini"),
        "local": Link(
            provider="local", model="x", adapter="openai", base_url="http://127.0.0.1:8000/v1"
        ),
    }
    messages = [{"role": "user", "content": "hi"}]
    request = CompletionRequest.checked(**{"messages": messages} | asked)
    assert {name for name, link in links.items() if not misnamed(link, request)} == taken
