"""What only servers that imitate OpenAI answer."""

import json

import pytest
from contract.bodies import TEXTS, USAGES, body

from producer.contract.completions import Usage
from worker.providers.usages import APART, UNREADABLE


@pytest.fixture
def adapter():
    return "openai"


def test_a_call_of_the_time_before_tools(answered):
    content = {"content": None, "function_call": {"name": "f", "arguments": '{"x": 1}'}}
    reply = answered(body("openai", content, finish="function_call"))
    assert (reply.finish, reply.tool_calls[0].function.arguments) == ("tool_calls", '{"x": 1}')


def test_a_content_of_parts_with_reasoning(answered):
    """As Mistral's magistral models answer."""
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    content = {"content": [thinking, {"type": "text", "text": "Paris."}]}
    assert answered(body("openai", content, finish="stop")).text == "Paris."


@pytest.mark.parametrize("start", ["<think>Hm.", "\n<think>\n", "Hm, opened in the prompt"])
def test_thoughts_in_the_text_are_taken_out_where_they_are_known(answered, start):
    raw = body("openai", {"content": f"{start}</think>\n\nParis."}, finish="stop")
    assert answered(raw, options={"thinks": "on"}).text == "Paris."
    assert answered(raw, model="deepseek-r1:8b").text == "Paris."
    assert "</think>" in answered(raw).text
    assert "</think>" in answered(raw, model="deepseek-r1", options={"thinks": "off"}).text


def test_a_stream_that_was_not_asked_for(answered):
    pieces = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Pa"}}]},
        {"choices": [{"index": 0, "delta": {"content": "ris."}, "finish_reason": "stop"}]},
        {"choices": [], "usage": USAGES["openai"]},
    ]
    raw = "".join(f"data: {json.dumps(each)}\n\n" for each in pieces) + "data: [DONE]\n\n"
    reply = answered(raw)
    assert (reply.text, reply.finish, reply.usage.output) == ("Paris.", "stop", 5)


def test_a_stream_with_a_tool_call_in_pieces(answered):
    first = {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}}
    second = {"index": 0, "function": {"arguments": ": 1}"}}
    pieces = [{"choices": [{"delta": {"tool_calls": [each]}}]} for each in (first, second)]
    reply = answered("".join(f"data: {json.dumps(each)}\n\n" for each in pieces))
    assert reply.tool_calls[0].function.arguments == '{"x": 1}'


def test_reasoning_that_is_counted_apart_is_paid(answered):
    """As xAI does: its total is the sum of all three."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 315,
        "completion_tokens_details": {"reasoning_tokens": 300},
    }
    reply = answered(body("openai", TEXTS["openai"], usage=usage, finish="stop"))
    assert reply.usage == Usage(input=10, output=305, reasoning=300)
    assert reply.flags == (APART,)


@pytest.mark.parametrize("usage", [{"prompt_tokens": 12.5, "completion_tokens": 5}])
def test_half_a_token_is_no_count(answered, usage):
    reply = answered(body("openai", TEXTS["openai"], usage=usage, finish="stop"))
    assert (reply.usage, reply.flags) == (None, (UNREADABLE,))
