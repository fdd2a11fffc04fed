"""What OpenAI's adapter alone puts on the wire."""

import pytest


@pytest.fixture
def adapter():
    return "openai"


def test_only_what_is_set_goes_on_the_wire(wire, ask, secrets):
    """A golden of the request; null values would be refused by strict servers."""
    ask(wire.base_url)
    seen = wire.calls[0]
    assert seen.request == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": secrets.prompt}],
        "max_completion_tokens": 50,
        "temperature": 0.5,
        "stream": False,
    }
    assert seen.job_id == "job-1"
    assert seen.headers["Authorization"] == f"Bearer {secrets.key}"


def test_the_other_name_of_the_limit_is_used_where_one_is_refused(wire, ask):
    """Old servers know only the old name, new models only the new one."""
    ask(wire.base_url, refused={"max_completion_tokens"})
    assert (
        wire.calls[0].request["max_tokens"],
        "max_completion_tokens" in wire.calls[0].request,
    ) == (50, False)


def test_what_a_server_refuses_by_name_is_left_out(wire, ask):
    """The rest of the request is as it was."""
    ask(wire.base_url, refused={"stream", "temperature", "store"})
    ask(wire.base_url)
    without, whole = (call.request for call in wire.calls)
    assert without | {"stream": False, "temperature": 0.5} == whole
    assert not {"stream", "temperature"} & without.keys()


def test_older_compatible_servers_get_max_tokens(wire, ask):
    """A settings row, not code."""
    ask(wire.base_url, options={"max_tokens_field": "max_tokens"})
    assert wire.calls[0].request["max_tokens"] == 50


def test_every_option_of_a_request_is_translated(wire, ask):
    """Stop, tools, structured output and parts arrive as the API spells them."""
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]
    ask(
        wire.base_url,
        messages=[{"role": "user", "content": parts}],
        stop="END",
        tools=[tool],
        response_format=schema,
    )
    sent = wire.calls[0].request
    tool["function"]["parameters"]["properties"] = {}  # which the API insists on
    assert (sent["stop"], sent["tools"], sent["response_format"]) == (["END"], [tool], schema)
    assert sent["messages"] == [{"role": "user", "content": parts}]


def test_what_was_written_to_the_cache_is_counted(wire, ask):
    """It is a part of the input, and dearer than the rest on models that say so."""
    wire.script = lambda request, number: "ok;in=100;out=5;cached=30;written=50"
    usage = ask(wire.base_url).usage
    assert (usage.input, usage.cached, usage.cache_written) == (100, 30, 50)


def test_the_limit_is_sent_as_the_dialect_calls_it(wire, ask):
    """What an operator states counts more."""
    ask(wire.base_url, options={"dialect": "ollama"})
    ask(
        wire.base_url,
        options={"dialect": "ollama", "max_tokens_field": "max_completion_tokens"},
    )
    fields = [set(call.request) & {"max_tokens", "max_completion_tokens"} for call in wire.calls]
    assert fields == [{"max_tokens"}, {"max_completion_tokens"}]


def test_a_limit_of_the_model_s_own_is_not_sent(wire, ask):
    ask(wire.base_url, temperature=None, sends_limit=False)
    assert set(wire.calls[0].request) == {"model", "messages", "stream"}


@pytest.mark.parametrize(("dialect", "whole"), [("openai", True), ("vllm", False)])
def test_a_strict_schema_says_what_the_api_insists_on(wire, ask, dialect, whole):
    """All its fields, and no others, as the SDK does it for models. Others get it as it is."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "default": None}}}
    function = {"name": "f", "parameters": schema, "strict": True}
    wanted = {"name": "n", "schema": schema, "strict": True}
    ask(
        wire.base_url,
        options={"dialect": dialect},
        tools=[{"type": "function", "function": function}],
        response_format={"type": "json_schema", "json_schema": wanted},
    )
    sent = wire.calls[0].request
    expected = schema
    if whole:
        fields = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
        expected = {"type": "object", **fields, "additionalProperties": False}
    assert sent["response_format"]["json_schema"]["schema"] == expected
    assert sent["tools"][0]["function"]["parameters"] == expected


def test_each_call_of_a_client_says_what_the_sdk_s_first_one_said(wire, connect, secrets):
    """But for its own body, its own id, and what an operator has sent with it."""
    ask = connect(wire.base_url)
    for number, headers in enumerate([{}, {}, {"x-team": "a"}, {"x-team": "a"}, {}]):
        messages = [{"role": "user", "content": "ü" * (number + 1)}]
        ask(messages=messages, headers=headers, job_id=f"job-{number}")
    heads = [call.headers for call in wire.calls]
    own = {"x-client-request-id", "content-length"}
    said = [{n.lower(): t for n, t in head.items() if n.lower() not in own} for head in heads]
    assert said[0] == said[1] == said[4]
    assert said[2] == said[3] == said[0] | {"x-team": "a"}
    assert said[0]["authorization"] == f"Bearer {secrets.key}"
    assert said[0]["x-stainless-lang"] == "python"
    assert [call.job_id for call in wire.calls] == [f"job-{number}" for number in range(5)]
    texts = [call.request["messages"][0]["content"] for call in wire.calls]
    assert texts == ["ü" * (number + 1) for number in range(5)]
