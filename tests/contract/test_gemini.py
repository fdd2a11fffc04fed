"""What Gemini's adapter alone puts on the wire."""

import pytest

from producer.contract.requests import CompletionRequest
from worker.faults import Fault, ProviderError
from worker.providers import load


@pytest.fixture
def adapter():
    return "gemini"


def test_only_what_is_set_goes_on_the_wire(wire, ask, secrets):
    """A golden of the request."""
    ask(wire.base_url)
    assert wire.calls[0].request == {
        "model": "gemini-2.5-flash-lite",
        "contents": [{"role": "user", "parts": [{"text": secrets.prompt}]}],
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 50},
    }
    assert secrets.key in wire.calls[0].headers.values()


def test_a_blocked_prompt_is_no_answer(wire, ask):
    """A 200 without candidates, with its reason."""
    wire.script = lambda request, number: "blocked"
    assert ask(wire.base_url).finish == "content_filter"


def test_thoughts_are_no_part_of_the_answer(wire, ask):
    wire.script = lambda request, number: "thought"
    assert ask(wire.base_url).text == "A wired answer, always the same."


def test_a_conversation_becomes_turns_of_user_and_model(wire, ask):
    """System texts go first, results find their call by name, the user ends."""
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"x": 1}'}}
    ]
    ask(
        wire.base_url,
        messages=[
            {"role": "system", "content": "One."},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
            {"role": "assistant", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "developer", "content": "Two."},
            {"role": "user", "content": "So?"},
            {"role": "assistant", "content": "It will"},
        ],
    )
    sent = wire.calls[0].request
    assert [part["text"] for part in sent["systemInstruction"]["parts"]] == ["One.\n\nTwo."]
    assert sent["contents"] == [
        {"role": "model", "parts": [{"text": "Hello."}]},
        {"role": "user", "parts": [{"text": "Weather?"}]},
        {
            "role": "model",
            "parts": [{"functionCall": {"id": "c1", "name": "weather", "args": {"x": 1}}}],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "c1",
                        "name": "weather",
                        "response": {"result": "rain"},
                    }
                },
                {"text": "So?"},
            ],
        },
        {"role": "model", "parts": [{"text": "It will"}]},
        {"role": "user", "parts": [{"text": "Continue."}]},
    ]


def test_every_option_of_a_request_is_translated(wire, ask):
    """Stop, tools, structured output and images arrive as the API spells them."""
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    ask(
        wire.base_url,
        messages=[{"role": "user", "content": [image]}],
        stop="END",
        tools=tools,
        response_format=schema,
    )
    sent = wire.calls[0].request
    # The SDK spells some names so; the API takes both spellings of any.
    assert sent["contents"][0]["parts"] == [
        {"inlineData": {"mime_type": "image/png", "data": "AA=="}}
    ]
    assert sent["tools"] == [
        {"functionDeclarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}
    ]
    config = sent["generationConfig"]
    assert (config["stopSequences"], config["responseMimeType"]) == (["END"], "application/json")
    assert config["responseJsonSchema"] == {"type": "object"}


def test_an_image_by_url_is_left_to_another_link():
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a"}}
    request = CompletionRequest.checked(messages=[{"role": "user", "content": [image]}])
    assert (
        load("gemini").unsupported(request) == "an image by URL whose type its name does not tell"
    )


def test_a_limit_of_the_model_s_own_is_not_sent(wire, ask):
    ask(wire.base_url, temperature=None, sends_limit=False)
    assert wire.calls[0].request["generationConfig"] == {}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_gateway_without_the_address_of_streams_is_asked_for_whole_answers(wire, ask, status):
    """It is another one than that of whole answers. A model that does not exist is none there
    either.
    """
    wire.script = lambda request, number: f"html;status={status}"
    with pytest.raises(ProviderError) as caught:
        ask(wire.base_url, streams=True)
    assert (caught.value.fault, caught.value.parameter) == (Fault.STALE, "stream")
    wire.script = lambda request, number: "404"
    with pytest.raises(ProviderError) as caught:
        ask(wire.base_url, streams=True)
    assert caught.value.fault is Fault.MISCONFIGURED
