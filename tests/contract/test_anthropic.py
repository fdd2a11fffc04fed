"""What Anthropic's adapter alone puts on the wire."""

import json

import pytest

from producer.contract.requests import CompletionRequest
from worker.providers import load
from worker.providers.anthropic_answers import read
from worker.providers.bodies import documents

TIFF = "data:image/tiff;base64,AA=="
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
PNG = "data:image/png;base64,AA=="


@pytest.fixture
def adapter():
    return "anthropic"


def test_only_what_is_set_goes_on_the_wire(wire, ask, secrets):
    """A golden of the request."""
    ask(wire.base_url)
    assert wire.calls[0].request == {
        "model": "claude-haiku-4-5",
        "messages": [{"role": "user", "content": [{"type": "text", "text": secrets.prompt}]}],
        "max_tokens": 50,
        "temperature": 0.5,
    }
    assert wire.calls[0].headers["Authorization"] == f"Bearer {secrets.key}"


def test_temperature_is_never_above_the_end_of_the_range(wire, ask):
    """Ours goes to 2, the API's to 1."""
    ask(wire.base_url, temperature=1.7)
    assert wire.calls[0].request["temperature"] == 1.0


def test_a_model_with_prefill_goes_on_from_the_assistant(wire, ask):
    """White space at its end would be a 400."""
    messages = [
        {"role": "user", "content": "Name a colour."},
        {"role": "assistant", "content": "My favourite is  "},
    ]
    ask(wire.base_url, messages=messages, prefill=True)
    assert wire.calls[0].request["messages"][-1] == {
        "role": "assistant",
        "content": [{"type": "text", "text": "My favourite is"}],
    }


def test_the_shared_beginning_is_marked_for_the_cache(wire, ask):
    """After the system prompt, or else the tools, and before the newest turn; only if asked for."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    mark = {"type": "ephemeral"}
    ask(
        wire.base_url,
        messages=[{"role": "system", "content": "Be brief."}, *turns],
        tools=tools,
        cache_prefix=True,
    )
    sent = wire.calls[0].request
    assert sent["system"] == [{"type": "text", "text": "Be brief.", "cache_control": mark}]
    marked = [turn["content"][-1].get("cache_control") for turn in sent["messages"]]
    assert (marked, sent["tools"][0].get("cache_control")) == ([None, mark, None], None)
    ask(wire.base_url, messages=turns[:1], tools=tools, cache_prefix=True)
    assert wire.calls[1].request["tools"][0]["cache_control"] == mark
    ask(wire.base_url, messages=turns, tools=tools)
    assert "cache_control" not in str(wire.calls[2].request)


def test_a_conversation_becomes_alternating_turns(wire, ask):
    """System texts go first, results stay together, the user begins and ends."""
    calls = [
        {"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": text}}
        for n, text in ((1, '{"x": 1}'), (2, "oops"))
    ]
    ask(
        wire.base_url,
        messages=[
            {"role": "system", "content": "One."},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
            {"role": "user", "content": "Please."},
            {"role": "assistant", "content": "Looking.", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "tool", "tool_call_id": "c2", "content": "wind"},
            {"role": "developer", "content": "Two."},
            {"role": "assistant", "content": "It will"},
        ],
    )
    sent = wire.calls[0].request
    assert sent["system"] == "One.\n\nTwo."
    go_on = [{"type": "text", "text": "Continue."}]
    assert sent["messages"] == [
        {"role": "user", "content": go_on},
        {"role": "assistant", "content": [{"type": "text", "text": "Hello."}]},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Weather?"}, {"type": "text", "text": "Please."}],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": "c2", "name": "f", "input": {"arguments": "oops"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "rain"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "wind"},
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "It will"}]},
        {"role": "user", "content": go_on},
    ]


def test_every_option_of_a_request_is_translated(wire, ask):
    """Stop, tools, structured output and images arrive as the API spells them."""
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    tools = [{"type": "function", "function": {"name": "f", "description": "d"}}]
    parts = [
        {"type": "image_url", "image_url": {"url": url}}
        for url in (PNG, "https://example.org/a.png")
    ]
    ask(
        wire.base_url,
        messages=[{"role": "user", "content": parts}],
        stop="END",
        tools=tools,
        response_format=schema,
    )
    sent = wire.calls[0].request
    assert sent["stop_sequences"] == ["END"]
    assert sent["tools"] == [{"name": "f", "description": "d", "input_schema": {"type": "object"}}]
    assert sent["output_config"] == {
        "format": {"type": "json_schema", "schema": SCHEMA | {"additionalProperties": False}}
    }
    assert sent["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
    ]


NAMELESS = {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": True}}}
ENDLESS = {
    "$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}}},
    "$ref": "#/$defs/n",
}


def schema_of(schema):
    return {
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    }


def strict_tool(schema):
    function = {"name": "f", "parameters": schema, "strict": True}
    return {"tools": [{"type": "function", "function": function}]}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (schema_of({"type": "object"}), "response_format: objects with fields that have no"),
        (schema_of(NAMELESS), "response_format: objects with fields that have no names"),
        (schema_of(ENDLESS), "response_format: a schema that refers to itself"),
        (schema_of({"properties": {"a": {}}}), "response_format: a schema without types"),
        (strict_tool(NAMELESS), "tools[0].function.parameters (strict): objects"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": TIFF}}]}
                ]
            },
            "neither jpeg",
        ),
    ],
)
def test_what_the_api_has_no_word_for_is_named(fields, reason):
    """Before anything is reserved, so that another link can take it."""
    request = CompletionRequest.checked(
        **({"messages": [{"role": "user", "content": "x"}]} | fields)
    )
    assert reason in load("anthropic").unsupported(request)


def test_what_was_written_to_the_cache_is_counted(wire, ask):
    """Anthropic's input leaves out both kinds; ours has them, and each can be priced."""
    wire.script = lambda request, number: "ok;in=100;out=5;cached=30;written=50"
    usage = ask(wire.base_url).usage
    assert (usage.input, usage.cached, usage.cache_written) == (100, 30, 50)
    assert wire.calls[0].billed["input_tokens"] == 20


def test_a_stream_that_was_not_asked_for():
    events = [
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 10}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"text": "Pa"}},
        {"type": "content_block_delta", "index": 0, "delta": {"text": "ris."}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 5},
        },
    ]
    raw = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events)
    answer = read(documents(raw))
    assert (answer.text, answer.finish, answer.stated.usage.output) == ("Paris.", "end_turn", 5)


def test_what_a_schema_cannot_say_here_is_told_in_words(wire, ask):
    """By the SDK's own transformer; the answer is checked here by the schema as it was given."""
    age = {"type": "integer", "minimum": 1}
    fields = schema_of({"type": "object", "properties": {"age": age}})
    ask(wire.base_url, **fields, **strict_tool({"type": "object", "properties": {"age": age}}))
    sent = wire.calls[0].request
    told = {"type": "integer", "description": "{minimum: 1}"}
    schema = {"type": "object", "properties": {"age": told}, "additionalProperties": False}
    assert sent["output_config"]["format"]["schema"] == schema
    assert sent["tools"] == [{"name": "f", "input_schema": schema, "strict": True}]


@pytest.mark.parametrize("fence", ["```json\n%s\n```", "```\n%s\n```\n", "%s"])
def test_a_json_object_is_asked_for_in_the_user_s_words(wire, ask, fence):
    """And taken out of the fence that models put around it."""
    wire.reply = {"text": fence % '{"a": 1}', "finish": "ok", "usage": {}}
    reply = ask(wire.base_url, response_format={"type": "json_object"})
    assert reply.text == '{"a": 1}'
    turn = wire.calls[0].request["messages"][-1]
    assert (turn["role"], turn["content"][-1]["text"]) == (
        "user",
        "Answer with one JSON object and nothing else.",
    )
    assert "system" not in wire.calls[0].request
