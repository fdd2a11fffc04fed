"""Replies that would hold up every other call of their process, or fill the ledger, are no answers:
an error of ours for one call that may have been billed.
"""

import json
import zlib

import pytest
from support.scripted import Exchange, http, play

from worker.faults import Fault, ProviderError
from worker.providers import Reply
from worker.providers.bodies import MOST_BYTES, MOST_MARKS, documents
from worker.providers.readable import MOST_CHARACTERS, readable

ANSWERS = {
    "openai": lambda text: {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]},
    "openai-responses": lambda text: {
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}],
    },
    "anthropic": lambda text: {
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
    },
    "gemini": lambda text: {
        "candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}]
    },
}
HEAVY = {
    "lists": b"[" + b"[]," * MOST_MARKS + b"1]",
    "objects": b'{"a":' + b'[{"":0},' * 3 + b'{"":0},' * MOST_MARKS + b"0]]]]}",
    "an error": b'{"error": [' + b"1," * MOST_MARKS + b"1]}",
    "numbers": b"7 " * 4_000_000,
    "events": b"event: x\n[" + b"[],\n" * MOST_MARKS + b"1]",
    "one event": b"data: [" + b"{}," * MOST_MARKS + b"1]\n\n",
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_reply_that_takes_long_to_parse_is_no_answer(kind):
    bodies = HEAVY | {"text": json.dumps(ANSWERS[kind]("x" * (MOST_CHARACTERS + 1))).encode()}
    exchanges = [Exchange(name, kind, http(200, body)) for name, body in bodies.items()]
    for outcome in play(exchanges):
        if isinstance(outcome.result, Reply):  # `Clients` has every reply checked
            with pytest.raises(ProviderError) as caught:
                readable(outcome.result)
            error = caught.value
        else:
            error = outcome.result
        name = outcome.exchange.name
        assert isinstance(error, ProviderError), name
        assert (error.fault, error.maybe_billed) == (Fault.BAD_RESPONSE, True), name
        assert outcome.requests == 1


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_refusal_that_takes_long_to_parse_is_a_refusal(kind):
    exchanges = [Exchange(name, kind, http(503, body)) for name, body in HEAVY.items()]
    for outcome in play(exchanges):
        assert outcome.result.fault is Fault.UNAVAILABLE, outcome.exchange.name


@pytest.mark.parametrize("kind", ANSWERS)
def test_the_longest_answers_of_models_are_read(kind):
    """200,000 tokens of numbers in JSON, and a stream of as many events."""
    text = json.dumps([17] * 100_000)
    body = json.dumps(ANSWERS[kind](text)).encode()
    (outcome,) = play([Exchange("numbers", kind, http(200, body))])
    assert readable(outcome.result).text == text
    event = {
        "id": "x",
        "choices": [{"index": 0, "delta": {"content": "é"}, "finish_reason": None}],
    }
    stream = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for _ in range(2_000))
    assert len(documents(stream)) == 2_000


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_reply_that_unfolds_without_end_is_not_read_to_its_end(kind):
    """A hundred kilobytes on the wire; one that is refused is bounded as well."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    piece = b" " * 1_000_000
    body = b"".join(packer.compress(piece) for _ in range(MOST_BYTES // len(piece) + 1))
    body += packer.flush()
    headers = [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
    for outcome in play([Exchange("gzip", kind, http(code, body, headers)) for code in (200, 503)]):
        assert (outcome.result.fault, outcome.requests) == (Fault.BAD_RESPONSE, 1)
        assert outcome.result.maybe_billed


@pytest.mark.parametrize(
    "body",
    ["[" + "[]," * MOST_MARKS + "1]", " " * MOST_BYTES + '{"a": 1}'],
    ids=["values", "blanks"],
)
def test_no_adapter_reads_what_is_too_large(wire, ask, body):
    """Also one whose SDK has connections of its own (`make test-legacy`)."""
    wire.body = body
    with pytest.raises(ProviderError) as caught:
        ask(wire.base_url)
    assert (caught.value.fault, caught.value.maybe_billed) == (Fault.BAD_RESPONSE, True)
    assert "more" in str(caught.value)
    assert len(wire.calls) == 1
