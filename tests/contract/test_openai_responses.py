"""What the adapter of OpenAI's Responses alone puts on the wire, and reads from it."""

import json

import pytest
from contract.bodies import THOUGHTS, USAGES

from producer.contract.requests import CompletionRequest
from worker.faults import Fault, ProviderError
from worker.model_catalog import Model
from worker.providers.openai_responses import OpenAIResponses
from worker.providers.parameter_rules import Target
from worker.providers.parameters import unfit
from worker.settings import Link

SAID = {"type": "message", "content": [{"type": "output_text", "text": "Paris."}]}


@pytest.fixture
def adapter():
    return "openai-responses"


def response(*output, status="completed", **fields):
    body = {"id": "resp_7", "object": "response", "status": status, "model": "m"}
    return body | {"output": list(output), "usage": USAGES["openai-responses"]} | fields


def stream(*events):
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events)


def test_only_what_is_set_goes_on_the_wire_and_nothing_is_stored(wire, ask, secrets):
    """A golden of the request."""
    ask(wire.base_url)
    ask(wire.base_url, thinks=True, temperature=None, sends_limit=False)
    plain, thinking = (call.request for call in wire.calls)
    asked = {"type": "message", "role": "user", "content": secrets.prompt}
    assert plain == {
        "model": "gpt-5-pro",
        "input": [asked],
        "max_output_tokens": 50,
        "temperature": 0.5,
        "store": False,
        "stream": False,
    }
    assert thinking == {
        "model": "gpt-5-pro",
        "input": [asked],
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "stream": False,
    }
    assert wire.calls[0].job_id == "job-1"
    assert wire.calls[0].headers["Authorization"] == f"Bearer {secrets.key}"


def test_log_probabilities_are_asked_for_and_read(answered, wire):
    top = {"token": "Rome", "logprob": -2, "bytes": []}
    tokens = [{"token": "Paris", "logprob": -0.25, "top_logprobs": [top]}, {"token": 7}]
    part = {"type": "output_text", "text": "Paris.", "logprobs": tokens}
    body = response({"type": "message", "content": [part]})
    reply = answered(body, logprobs=True, top_logprobs=1, model="gpt-4.1")
    assert wire.calls[0].request["include"] == ["message.output_text.logprobs"]
    assert wire.calls[0].request["top_logprobs"] == 1
    (token,) = reply.logprobs
    assert (token.token, token.logprob, token.top[0].token) == ("Paris", -0.25, "Rome")


def test_every_kind_of_turn_becomes_items(wire, ask):
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    look = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
    ]
    ask(
        wire.base_url,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "In French."}]},
            {"role": "user", "content": look},
            {"role": "assistant", "content": "Wait.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "system", "content": "In English."},
            {"role": "assistant", "content": [{"type": "text", "text": "Rain."}]},
            {"role": "user", "content": "Thanks."},
        ],
    )
    sent = wire.calls[0].request
    assert sent["instructions"] == "Be brief.\n\nIn French."
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"}
    assert sent["input"] == [
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "look"}, image],
        },
        {"type": "message", "role": "assistant", "content": "Wait."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        {"type": "message", "role": "system", "content": "In English."},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Rain."}],
        },
        {"type": "message", "role": "user", "content": "Thanks."},
    ]


def test_instructions_alone_are_the_input(wire, ask):
    ask(wire.base_url, messages=[{"role": "system", "content": "Say hello."}])
    sent = wire.calls[0].request
    assert "instructions" not in sent
    assert sent["input"] == [{"type": "message", "role": "system", "content": "Say hello."}]


def test_tools_and_formats_are_in_the_api_s_own_shape(wire, ask):
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    strict = {"name": "f", "parameters": schema, "strict": True, "description": "It."}
    ask(
        wire.base_url,
        tools=[
            {"type": "function", "function": strict},
            {"type": "function", "function": {"name": "g"}},
        ],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": schema, "strict": True},
        },
    )
    ask(wire.base_url, response_format={"type": "json_object"})
    first, second = (call.request for call in wire.calls)
    empty = {"type": "object", "properties": {}}
    whole = schema | {"required": ["a"], "additionalProperties": False}
    assert first["tools"] == [
        {"type": "function", **strict, "parameters": whole},
        {"type": "function", "name": "g", "parameters": empty, "strict": False},
    ]
    wanted = {"type": "json_schema", "name": "n", "schema": whole, "strict": True}
    assert first["text"] == {"format": wanted}
    assert second["text"] == {"format": {"type": "json_object"}}


def test_what_the_api_cannot_be_told_is_said_before_the_call():
    """Of stop sequences the table of fates says so."""
    messages = [{"role": "user", "content": "x"}]
    request = CompletionRequest.checked(messages=messages, max_tokens=15)
    assert "at least 16" in OpenAIResponses.unsupported(request)
    link = Link(provider="openai", model="o3-pro", adapter="openai-responses")
    asked = CompletionRequest.checked(messages=messages, stop="x")
    (found,) = unfit(asked, Target(link, Model(), 100))
    assert "stop sequences" in found.reason
    assert OpenAIResponses.unsupported(CompletionRequest.checked(messages=messages)) == ""


def test_an_answer_has_its_id_its_reasoning_and_its_cache(answered):
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 50},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 25},
        "total_tokens": 140,
    }
    thought = THOUGHTS["openai-responses"][0] | {"content": [{"type": "reasoning_text"}]}
    reply = answered(response(thought, SAID, usage=usage, service_tier="priority"))
    assert (reply.text, reply.reasoning, reply.provider_id) == ("Paris.", "Hm.", "resp_7")
    counts = reply.usage
    assert (counts.input, counts.output, counts.cached) == (100, 40, 30)
    assert (counts.cache_written, counts.reasoning, reply.service_tier) == (50, 25, "priority")


def test_what_was_said_on_the_way_is_no_answer(answered):
    """Later models label their messages."""
    way = {"type": "message", "phase": "commentary", "content": [{"text": "Let me see. "}]}
    reply = answered(response(way, SAID | {"phase": "final_answer"}))
    assert (reply.text, reply.reasoning) == ("Paris.", "Let me see. ")
    assert answered(response(way)).text == "Let me see. "


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("max_output_tokens", "length"),
        ("max_messages", "length"),
        (None, "length"),
        ("content_filter", "content_filter"),
    ],
)
def test_an_incomplete_answer_says_why(answered, reason, finish):
    body = response(SAID, status="incomplete", incomplete_details=reason and {"reason": reason})
    assert answered(body).finish == finish


@pytest.mark.parametrize("status", ["failed", "cancelled", "queued", "in_progress"])
def test_an_answer_that_is_none_yet_or_never_is_billed_as_stated(answered, status):
    with pytest.raises(ProviderError, match="broke it off") as caught:
        answered(response(SAID, status=status))
    assert caught.value.usage.output == 5


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("server_error", Fault.UNAVAILABLE),
        ("rate_limit_exceeded", Fault.RATE_LIMITED),
        ("invalid_prompt", Fault.CONTENT_FILTERED),
    ],
)
def test_a_failure_in_a_200_means_what_its_code_means(answered, streams, code, fault):
    """It may be billed: the provider had begun."""
    failed = response(status="failed", error={"code": code, "message": "words"})
    body = stream({"type": "response.failed", "response": failed}) if streams else failed
    with pytest.raises(ProviderError) as caught:
        answered(body)
    assert (caught.value.fault, caught.value.maybe_billed) == (fault, True)


def test_an_error_event_ends_a_stream(answered):
    begun = {"type": "response.created", "response": response(status="in_progress")}
    error = {"type": "error", "code": "server_error", "message": "words", "param": None}
    with pytest.raises(ProviderError) as caught:
        answered(stream(begun, error))
    assert (caught.value.fault, caught.value.maybe_billed) == (Fault.UNAVAILABLE, True)


def test_items_of_a_stream_are_read_where_its_end_repeats_none(answered):
    """Some servers leave the output out of the last event."""
    done = {"type": "response.output_item.done", "item": SAID}
    ended = {"type": "response.completed", "response": response()}
    reply = answered(stream(done, ended))
    assert (reply.text, reply.finish, reply.usage.output) == ("Paris.", "stop", 5)


def test_calls_of_other_tools_are_none_of_ours(answered):
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    assert answered(response(search, SAID)).flags == ()
    custom = {"type": "custom_tool_call", "name": "x", "input": "y", "call_id": "c"}
    assert answered(response(custom, SAID)).flags == ("tool_calls: 1 of 1 cannot be read",)
    broken = {"type": "function_call", "name": "f", "arguments": '{"x": ', "call_id": "c"}
    with pytest.raises(ProviderError, match="cannot be read"):
        answered(response(broken))


def test_searches_are_counted(answered):
    reply = answered(response({"type": "web_search_call", "id": "ws"}, SAID))
    assert (reply.usage.searches, reply.text) == (1, "Paris.")


def test_encrypted_reasoning_goes_back_to_its_model_and_to_no_other(wire, ask):
    """In its place before the call, as it was given; `Completion.message` carries it."""
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    called = {"type": "function_call", "name": "f", "arguments": '{"x": 1}', "call_id": "call_1"}
    wire.body = json.dumps(response(thought, called))
    reply = ask(wire.base_url, thinks=True)
    turn = {"role": "assistant", "tool_calls": reply.tool_calls, "kept": reply.kept}
    turns = [
        {"role": "user", "content": "x"},
        turn,
        {"role": "tool", "tool_call_id": reply.tool_calls[0].id, "content": "rain"},
    ]
    wire.body = json.dumps(response(SAID))
    ask(wire.base_url, messages=turns)
    ask(wire.base_url, messages=turns, model="o3-pro")
    same, other = (call.request["input"] for call in wire.calls[1:])
    kinds = [item["type"] for item in same]
    assert kinds == ["message", "reasoning", "function_call", "function_call_output"]
    assert same[1] == thought
    assert same[2]["call_id"] == same[3]["call_id"]
    assert [item["type"] for item in other] == ["message", "function_call", "function_call_output"]
