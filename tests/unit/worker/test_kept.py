"""What answers say that their provider wants back, whole or in pieces, and where it goes."""

import json

import pytest

from producer.contract.errors import InvalidRequest
from producer.contract.kept import MOST_CHARACTERS, Kept, Piece
from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest
from worker.providers import (
    anthropic_answers,
    gemini_answers,
    openai_answers,
    responses_answers,
)
from worker.providers.answers import reply_of
from worker.providers.base import Call
from worker.providers.bodies import documents
from worker.providers.dialects import DIALECTS
from worker.providers.gemini_parts import ALL, parts_of_turn
from worker.providers.openai_messages import messages_of
from worker.providers.responses_input import input_of

USER = {"role": "user", "content": "q"}
CALL = Call("j", "m", CompletionRequest.checked(messages=[USER]), 50, None, 5)


def reply(answer, api=""):
    answer.api = api or answer.api
    return reply_of(CALL, answer, {})


def after(said):
    """A request that goes on after an answer."""
    text, calls = said.text or None, said.tool_calls or None
    turn = Message(role="assistant", content=text, tool_calls=calls, kept=said.kept)
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": "1"} for call in said.tool_calls
    ]
    return CompletionRequest.checked(messages=[USER, turn, *results, USER])


def test_anthropic_s_thoughts_come_in_pieces_too():
    deltas = [{"thinking": "Let "}, {"thinking": "me."}, {"signature": "si"}, {"signature": "gn"}]
    cited = {"citation": {"cited_text": "fact", "document_index": 0, "start_page_number": 3}}
    events = [
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking"}},
        *({"type": "content_block_delta", "index": 0, "delta": each} for each in deltas),
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"text": "Paris."}},
        {"type": "content_block_delta", "index": 1, "delta": cited},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
    ]
    said = reply(anthropic_answers.read(events))
    thought = Piece(thought="Let me.", seal="sign")
    assert said.kept == Kept(api="anthropic", model="m", pieces=(thought, Piece(characters=6)))
    (citation,) = said.citations
    assert (citation.start, citation.end, citation.quote, citation.page) == (0, 6, "fact", 3)


def test_gemini_s_signature_may_stand_alone():
    parts = [{"text": "Paris."}, {"thoughtSignature": "AAAA"}]
    web = {"groundingChunks": [{"web": {"uri": "https://e.org", "title": "E"}}]}
    web["groundingSupports"] = [{"segment": {"endIndex": 6}, "groundingChunkIndices": [0]}]
    body = {"candidates": [{"content": {"parts": parts}, "groundingMetadata": web}]}
    said = reply(gemini_answers.read([body]))
    assert said.text == "Paris."
    assert said.citations[0].to_openai()["url_citation"]["end_index"] == 6
    sent = parts_of_turn(after(said).messages[1], {}, ALL, "m")
    assert sent == [{"text": "Paris."}, {"text": "", "thought_signature": b"\0\0\0"}]
    assert parts_of_turn(after(said).messages[1], {}, ALL, "other") == sent[:1]


@pytest.mark.parametrize(
    ("dialect", "field", "value"),
    [
        ("deepseek", "reasoning_content", "Hm."),
        ("openrouter", "reasoning_details", [{"type": "reasoning.encrypted", "data": "x"}]),
    ],
)
def test_servers_get_their_own_thoughts_back(dialect, field, value):
    message = {"content": "Paris.", field: value}
    body = {"choices": [{"message": message, "finish_reason": "stop"}]}
    said = reply(openai_answers.read([body], "auto", "m", DIALECTS[dialect]), dialect)
    request = after(said)
    sent = messages_of(request, DIALECTS[dialect], dialect, "m")[1]
    assert sent == {"role": "assistant", "content": "Paris.", field: value}
    for other in ("openai", "deepseek", "openrouter"):
        asked = messages_of(request, DIALECTS[other], other, "other")[1]
        assert asked == {"role": "assistant", "content": "Paris."}


def test_responses_get_their_encrypted_thoughts_back():
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    output = [
        item,
        {"type": "message", "content": [{"type": "output_text", "text": "Now."}]},
        {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"},
    ]
    answer, _ = responses_answers.read([{"status": "completed", "output": output}])
    said = reply(answer)
    sent = input_of(after(said), "m")["input"]
    kinds = ["message", "reasoning", "message", "function_call", "function_call_output", "message"]
    assert [each["type"] for each in sent] == kinds
    assert sent[1] == item
    elsewhere = input_of(after(said), "other")["input"]
    assert [each["type"] for each in elsewhere] == [each for each in kinds if each != "reasoning"]


def test_what_is_too_large_is_left_out_and_told():
    block = {"type": "redacted_thinking", "data": "x" * (MOST_CHARACTERS + 1)}
    text = {"type": "text", "text": "Paris."}
    body = json.dumps({"content": [block, text], "stop_reason": "end_turn"})
    said = reply(anthropic_answers.read(documents(body)))
    assert said.kept is None
    assert any(flag.startswith("thoughts: ") for flag in said.flags)
    kept = {"api": "anthropic", "model": "m", "pieces": [{"seal": block["data"]}]}
    with pytest.raises(InvalidRequest, match="thoughts"):
        CompletionRequest.checked(
            messages=[USER, {"role": "assistant", "content": "x", "kept": kept}]
        )


def test_nothing_of_it_is_in_a_repr():
    kept = Kept(api="a", model="m", pieces=(Piece(thought="SECRET", seal="SECRET"),))
    assert "SECRET" not in repr(kept)
