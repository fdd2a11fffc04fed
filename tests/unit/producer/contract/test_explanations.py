"""Wrong requests of every kind: one line says where, what and how to mend it, and no value."""

import math

import pytest
from pydantic import BaseModel

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest

USER = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
TYPES = "its type must be one of 'text', 'image_url', 'input_audio', 'file', 'refusal'"
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
ARGUMENTS = "arguments are an object. Fix: {'type': 'object', 'properties': {...}}"
KIND = "must be 'none', 'auto', 'required', a function or allowed_tools"


def said(*parts):
    return {"messages": [{"role": "user", "content": list(parts)}]}


def turn(**fields):
    return {"messages": [*USER, fields]}


class Asked(BaseModel):
    role: str = "user"
    content: str = "hello"


TURN = "{'role': 'user', 'content': 'your question'}"
TEXT = "must be a text or a list of parts. Fix: str(...) or json.dumps(...)"


def tool(**function):
    return {"tools": [{"type": "function", "function": {"name": "f"} | function}]}


def chosen(mode, name):
    tools = [{"type": "function", "function": {"name": name}}]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


WRONG = [
    ({"messages": "hello"}, f"messages: must be a list. Fix: [{TURN}]"),
    (
        {"messages": {"role": "user", "content": "hello"}},
        f"messages: must be a list. Fix: [{TURN}]",
    ),
    ({"messages": Asked()}, f"messages: must be a list. Fix: [{TURN}]"),
    ({"messages": object()}, f"messages: must be a list. Fix: [{TURN}]"),
    ({"messages": ["hello"]}, f"messages[0]: must be an object (a dict). Fix: {TURN}"),
    ({"messages": [object()]}, f"messages[0]: must be an object (a dict). Fix: {TURN}"),
    (turn(role="user", content=object()), f"messages[1].content: {TEXT}"),
    (turn(role="user", content=Asked()), f"messages[1].content: {TEXT}"),
    (
        {"response_format": Asked()},
        "response_format: must be an object (a dict). Fix: of pydantic, pass the class",
    ),
    ({"messages": []}, "messages: must not be empty"),
    ({"messages": [7]}, "messages[0]: must be an object (a dict)"),
    (turn(role="assistant", content=7), "messages[1].content: must be a text or a list of parts"),
    (turn(role="user", content={}), "messages[1].content: must be a text or a list of parts"),
    (turn(content="x"), "messages[1].role: required and missing. Fix: add it"),
    (turn(role="user", content="x", mood="glad"), "messages[1].mood: unknown option."),
    (turn(role="user", content="x", name="n" * 257), "messages[1].name: is too long, at most 256"),
    (turn(role="user", content="\ud800"), "messages[1].content: holds half of a character"),
    (said("hi"), "messages[0].content[0]: must be an object (a dict)"),
    (said({"text": "hi"}), "messages[0].content[0]: needs a type, such as 'text'"),
    (said({"type": "video_url"}), f"messages[0].content[0]: {TYPES}"),
    (said({"type": "text"}), "messages[0].content[0].text: required and missing."),
    (said({"type": "text", "text": 7}), "messages[0].content[0].text: must be a text"),
    (said(PICTURE | {"image_url": "x"}), "messages[0].content[0].image_url: must be an object"),
    (
        said({"type": "text", "text": "hi"}, {"type": "file", "file": {"file_id": 7}}),
        "messages[0].content[1].file.file_id: must be a text",
    ),
    (
        said({"type": "text", "text": "a", "cache_control": {"ttl": "2h"}}),
        "messages[0].content[0].cache_control.ttl: must be '5m' or '1h'",
    ),
    (turn(role="system", content=[PICTURE]), "messages[1].content[0].image_url: an image in a"),
    (
        turn(role="assistant", content=None, tool_calls=[CALL | {"id": 7}]),
        "messages[1].tool_calls[0].id: must be a text",
    ),
    (
        turn(role="assistant", content=None, tool_calls=[CALL]),
        "messages[1].tool_calls: a call has no result. Fix:",
    ),
    (turn(role="tool", content="x", tool_call_id="c"), "messages[1].tool_call_id: no call before"),
    (turn(role="assistant", audio={"id": "a"}), "messages[1].audio: an answer in sound"),
    ({"temperature": math.nan}, "temperature: must be a finite number"),
    ({"temperature": True}, "temperature: must be a number"),
    ({"temperature": 3}, "temperature: must be at most 2"),
    ({"max_tokens": 2**70}, "max_tokens: must be at most 1000000"),
    ({"max_tokens": "5"}, "max_tokens: must be a whole number"),
    ({"parallel_tool_calls": "no"}, "parallel_tool_calls: must be True or False"),
    ({"logit_bias": {"5": math.inf}}, "logit_bias.5: must be a finite number"),
    ({"stop": [""]}, "stop[0]: must not be empty"),
    ({"stop": 7}, "stop: must be a list"),
    ({"metadata": {"a": 7}}, "metadata.a: must be a text"),
    ({"response_format": "json"}, "response_format: must be an object (a dict)"),
    (
        {"tools": [TOOL, TOOL]},
        "tools[1].function.name: is that of another tool. Fix: give each a name of its own",
    ),
    ({"tools": [TOOL] * 129}, "tools: has too many items, at most 128 are taken"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type: must be 'function'. Fix:"),
    ({"tools": [{"name": "f", "input_schema": {}}]}, "tools[0].type: must be 'function'. Fix:"),
    (tool(parameters=[]), "tools[0].function.parameters: must be an object (a dict)"),
    (tool(parameters={"type": "array"}), f"tools[0].function.parameters: {ARGUMENTS}"),
    (tool(parameters={"x": math.nan}), "tools[0].function.parameters: holds NaN or infinity"),
    ({"tool_choice": "any", "tools": [TOOL]}, "tool_choice: must be 'none', 'auto' or 'required'"),
    ({"tool_choice": {"type": "custom"}, "tools": [TOOL]}, f"tool_choice: {KIND}"),
    ({"tool_choice": {"type": "function"}, "tools": [TOOL]}, "tool_choice.function: required and"),
    (
        {"tool_choice": chosen("auto", "g"), "tools": [TOOL]},
        "tool_choice.allowed_tools.tools: one is none of the tools. Fix: name some of tools",
    ),
    (
        {"tool_choice": chosen("any", "f"), "tools": [TOOL]},
        "tool_choice.allowed_tools.mode: must be 'auto' or 'required'",
    ),
    ({"functions": "f"}, "functions: must be a list"),
    (
        {"functions": [{"name": "f"}], "tools": [TOOL]},
        "functions: is the older name of tools",
    ),
    ({"system": "be brief"}, "system: unknown option. Fix: put it into messages"),
    ({"extra_body": {}}, "extra_body: unknown option. Fix: pass provider_options"),
    ({"colour": "blue"}, "colour: unknown option. Fix: remove it or check its spelling"),
]


@pytest.mark.parametrize(("fields", "told"), WRONG, ids=[told for _, told in WRONG])
def test_what_is_wrong_is_told_where_it_is(fields, told):
    with pytest.raises(InvalidRequest) as caught:
        CompletionRequest.checked(**{"messages": USER} | fields)
    message = caught.value.message
    assert message.startswith(told)
    assert caught.value.details["fields"][0] == told.partition(": ")[0]
    assert "Input should" not in message
    assert "union" not in message
    assert message.count("messages: must not") == (told == "messages: must not be empty")


def test_every_wrong_field_is_told_at_once():
    with pytest.raises(InvalidRequest) as caught:
        CompletionRequest.checked(messages=[{"role": "user", "content": 7}], n=0, top_p=2)
    assert set(caught.value.details["fields"]) == {"messages[0].content", "top_p", "n"}


def test_what_was_called_otherwise_before_tools_is_taken():
    function = {"name": "f", "parameters": {"type": "object"}}
    for given, chosen in (("auto", "auto"), ({"name": "f"}, TOOL | {"function": {"name": "f"}})):
        older = {"functions": [function], "function_call": given}
        newer = {"tools": [TOOL], "tool_choice": chosen}
        assert CompletionRequest.checked(messages=USER, **older) == CompletionRequest.checked(
            messages=USER, **newer
        )


def test_ids_of_tokens_may_be_numbers():
    assert CompletionRequest.checked(messages=USER, logit_bias={50256: -5}).logit_bias == {
        "50256": -5
    }
