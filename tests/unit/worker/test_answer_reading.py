"""No body of any shape escapes the reading of answers as anything but `ProviderError`."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.contract.requests import CompletionRequest
from worker.faults import ProviderError
from worker.ledger.attempt import MOST_TOKENS
from worker.providers import anthropic_answers, gemini_answers, openai_answers
from worker.providers.answers import reply_of
from worker.providers.base import Call
from worker.providers.bodies import documents
from worker.providers.finish_reasons import SOURCES, ending
from worker.providers.usages import openai_usage

WORDS = """choices message delta content text parts type thinking tool_calls function name arguments
    id index finish_reason stop_reason finishReason candidates usage usageMetadata prompt_tokens
    completion_tokens total_tokens input_tokens output_tokens promptTokenCount model input args
    functionCall function_call reasoning_content reasoning refusal prompt_tokens_details
    cached_tokens promptFeedback blockReason thought message_start content_block_delta""".split()
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*WORDS, "stop", "tool_use", "{}", "\ud83d", "1e999", "7"])
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=30,
)
CALL = Call(
    "job-1",
    "deepseek-r1",
    CompletionRequest.checked(messages=[{"role": "user", "content": "q"}]),
    max_tokens=50,
    temperature=None,
    timeout_s=5,
)
READERS = {
    "openai": lambda found: openai_answers.read(found, "auto", CALL.model),
    "anthropic": anthropic_answers.read,
    "gemini": gemini_answers.read,
}


def read(adapter, body):
    """A reply that is an answer, or None for a body that is of no use."""
    try:
        reply = reply_of(CALL, READERS[adapter](documents(body)), {})
    except ProviderError:
        return None
    assert reply.text.strip() or reply.tool_calls or reply.finish not in ("stop", "tool_calls")
    json.dumps([reply.text, *(call.model_dump() for call in reply.tool_calls)]).encode()
    (reply.text + reply.model).encode()
    assert len({call.id for call in reply.tool_calls}) == len(reply.tool_calls)
    assert all(json.loads(call.function.arguments) is not None for call in reply.tool_calls)
    if reply.usage:
        assert min(reply.usage.input, reply.usage.output) >= 0
        assert reply.usage.cached + reply.usage.cache_written <= reply.usage.input
        assert reply.usage.reasoning <= reply.usage.output <= MOST_TOKENS
    return reply


@pytest.mark.parametrize("adapter", READERS)
@settings(max_examples=400)
@given(value=values, spoilt=st.sampled_from(["", "data: ", "\ufeff", "\n\n"]), behind=st.text())
def test_any_json_is_an_answer_or_a_provider_error(adapter, value, spoilt, behind):
    read(adapter, (spoilt + json.dumps(value) + behind).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("adapter", READERS)
@settings(max_examples=400)
@given(value=values, other=values, usage=values)
def test_nor_does_any_json_in_the_places_of_an_answer(adapter, value, other, usage):
    message = {"content": value, "tool_calls": other, "function_call": other}
    body = {
        "choices": [{"message": message, "finish_reason": other}],
        "candidates": [{"content": {"parts": value}, "finishReason": other}],
        "content": value,
        "stop_reason": other,
        "usage": usage,
        "usageMetadata": usage,
        "model": other,
    }
    read(adapter, json.dumps(body))


@pytest.mark.parametrize("adapter", READERS)
@settings(max_examples=200)
@given(pieces=st.lists(values, min_size=1, max_size=4))
def test_nor_does_any_stream(adapter, pieces):
    events = [{"type": "message_start"}, {"choices": [{"delta": {}}]}, *pieces]
    read(adapter, "\n\n".join(f"data: {json.dumps(each)}" for each in events))


@pytest.mark.parametrize("adapter", READERS)
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b"1" * 9_000, b"{" * 5, b"NaN"])
def test_nor_does_what_is_no_json(adapter, body):
    assert read(adapter, body) is None


@given(usage=values)
def test_any_usage_is_read_or_unknown(usage):
    openai_usage(usage)


def test_every_word_for_an_end_means_one_thing():
    words = [word for rows in SOURCES.values() for word, _ in rows]
    assert len(words) == len(set(words))
    for finish, rows in SOURCES.items():
        for word, source in rows:
            assert source
            assert ending(word.upper()).finish == finish
            assert ending(f"FINISH_REASON_{word}").finish == finish
