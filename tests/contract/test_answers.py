"""An answer is judged by what it contains, over a real socket and through the real SDKs."""

import json

import pytest
from contract.bodies import NOTHING, TEXTS, THOUGHTS, body, calls

from worker.faults import Fault, ProviderError
from worker.providers.usages import UNREADABLE


@pytest.mark.parametrize("word", ["eos", "eos_token", "end_turn", "STOP", "Stop", "COMPLETE"])
def test_any_word_for_a_normal_end_is_stop(answered, adapter, word):
    reply = answered(body(adapter, TEXTS[adapter], finish=word))
    assert (reply.text, reply.finish, reply.flags) == ("Paris.", "stop", ())
    assert (reply.usage.input, reply.usage.output) == (10, 5)


@pytest.mark.parametrize("word", ["novel", "OTHER", "LANGUAGE", "pause_turn", None, "", 7, ["a"]])
def test_an_unknown_end_costs_no_text_and_is_flagged(answered, adapter, word):
    reply = answered(body(adapter, TEXTS[adapter], finish=word))
    assert (reply.text, reply.finish) == ("Paris.", "stop")
    (flag,) = reply.flags
    assert flag.startswith("finish: ")


def test_a_missing_end_costs_no_text_and_is_flagged(answered, adapter):
    reply = answered(body(adapter, TEXTS[adapter]))
    assert (reply.text, reply.finish, reply.flags) == ("Paris.", "stop", ("finish: missing",))


@pytest.mark.parametrize("word", ["stop", "STOP", "novel", None, "tool_use"])
def test_tool_calls_are_tool_calls_whatever_is_said(answered, adapter, word):
    reply = answered(body(adapter, calls(adapter, ({"x": 1}, "a")), finish=word))
    assert (reply.finish, len(reply.tool_calls), reply.flags) == ("tool_calls", 1, ())
    assert json.loads(reply.tool_calls[0].function.arguments) == {"x": 1}


@pytest.mark.parametrize("empty", [None, {}, ""])
def test_arguments_that_are_empty_are_an_empty_object(answered, adapter, empty):
    reply = answered(body(adapter, calls(adapter, (empty, "a")), finish="stop"))
    assert reply.tool_calls[0].function.arguments == "{}"


def test_ids_are_unique(answered, adapter):
    several = calls(adapter, ({}, None), ({}, "a"), ({}, "a"), ({}, ""), ({}, 7))
    ids = [call.id for call in answered(body(adapter, several)).tool_calls]
    assert len(set(ids)) == 5
    assert all(ids)
    again = answered(body(adapter, several)).tool_calls
    assert not {call.id for call in again} & set(ids)


@pytest.mark.parametrize("word", ["stop", "STOP", None, "novel"])
@pytest.mark.parametrize("content", [THOUGHTS, NOTHING], ids=["thoughts", "nothing"])
def test_nothing_but_reasoning_is_no_answer_and_is_billed(answered, adapter, content, word):
    with pytest.raises(ProviderError) as caught:
        answered(body(adapter, content[adapter], finish=word))
    assert caught.value.fault is Fault.BAD_RESPONSE
    assert (caught.value.usage.input, caught.value.usage.output) == (10, 5)


def test_an_answer_that_was_broken_off_is_none(answered, adapter):
    with pytest.raises(ProviderError, match="broke it off") as caught:
        answered(body(adapter, TEXTS[adapter], finish="error"))
    assert caught.value.usage.output == 5


@pytest.mark.parametrize("usage", [[1], "many", {"total_tokens": "x"}, 7, True])
def test_a_usage_that_cannot_be_read_costs_the_figures_only(answered, adapter, usage):
    reply = answered(body(adapter, TEXTS[adapter], usage=usage, finish="stop"))
    assert (reply.text, reply.usage, reply.flags) == ("Paris.", None, (UNREADABLE,))


@pytest.mark.parametrize("behind", ["data: [DONE]", "\n\n[DONE]", "garbage {", "\x00"])
def test_json_is_read_up_to_its_end(answered, adapter, behind):
    raw = "\n\n  " + json.dumps(body(adapter, TEXTS[adapter], finish="stop")) + behind
    assert answered(raw).text == "Paris."


def test_a_lone_surrogate_is_replaced(answered, adapter):
    raw = json.dumps(body(adapter, TEXTS[adapter], finish="stop")).replace("Paris", "P\\ud83d")
    assert answered(raw).text == "P\ufffd."
