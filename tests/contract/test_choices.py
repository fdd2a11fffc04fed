"""Several answers of one call, and the log probabilities of their tokens."""

import json

import pytest
from contract.bodies import USAGES

from producer.contract.completions import Alternative, TokenLogprob

TOP = {"token": "Lyon", "logprob": -2.5, "bytes": [76]}
TOKEN = {"token": "Paris", "logprob": -0.25, "bytes": [80], "top_logprobs": [TOP, {"token": 7}]}
EXPECTED = (
    TokenLogprob(token="Paris", logprob=-0.25, top=(Alternative(token="Lyon", logprob=-2.5),)),
)
CHOSEN = {"token": "Paris", "tokenId": 7, "logProbability": -0.25}
OTHER = {"token": "Lyon", "logProbability": -2.5}


def openai_body(*contents, logprobs=None):
    choices = [
        {
            "index": number,
            "message": {"role": "assistant", **content},
            "finish_reason": "stop",
            "logprobs": logprobs,
        }
        for number, content in enumerate(contents)
    ]
    return {"model": "m", "choices": choices, "usage": USAGES["openai"]}


def gemini_body(*parts, logprobs=None):
    candidates = [
        {"content": {"parts": each}, "finishReason": "STOP", "logprobsResult": logprobs}
        for each in parts
    ]
    return {"candidates": candidates, "usageMetadata": USAGES["gemini"]}


CALL = {"function": {"name": "f", "arguments": "{}"}, "id": "c"}
BODIES = {
    "openai": openai_body({"content": "a"}, {"content": None, "tool_calls": [CALL]}, {}),
    "gemini": gemini_body(
        [{"text": "a"}], [{"functionCall": {"name": "f", "args": {}, "id": "c"}}], []
    ),
}


def test_all_choices_are_given_out(answered, adapter):
    """In their order, also one that says nothing; no more than were asked for."""
    if adapter not in BODIES:
        pytest.skip("it has no choices")
    reply = answered(BODIES[adapter], n=3)
    told = [(each.text, len(each.tool_calls), each.finish_reason) for each in reply.choices]
    assert told == [("a", 0, "stop"), ("", 1, "tool_calls"), ("", 0, "stop")]
    assert reply.text == "a"
    assert len(answered(BODIES[adapter], n=2).choices) == 2
    assert answered(BODIES[adapter]).choices == ()


def test_log_probabilities_are_read(answered, adapter):
    """What cannot be read of them is left out."""
    if adapter == "openai":
        body = openai_body({"content": "Paris"}, logprobs={"content": [TOKEN, {}, 7]})
    elif adapter == "gemini":
        result = {"chosenCandidates": [CHOSEN], "topCandidates": [{"candidates": [OTHER, {}]}]}
        body = gemini_body([{"text": "Paris"}], logprobs=result)
    else:
        pytest.skip("it states none")
    assert answered(body, logprobs=True).logprobs == EXPECTED


def test_those_of_a_stream_are_put_together(answered, adapter):
    if adapter != "openai":
        pytest.skip("Gemini's pieces are read as its whole answers are")
    pieces = [
        {
            "object": "chat.completion.chunk",
            "model": "m",
            "choices": [{"index": 0, "delta": {"content": "Par"}, "logprobs": {"content": [each]}}],
        }
        for each in (TOKEN, TOKEN)
    ]
    pieces[-1]["choices"][0]["finish_reason"] = "stop"
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in pieces)
    reply = answered(body, logprobs=True, streams=True)
    assert (reply.text, reply.logprobs) == ("ParPar", EXPECTED * 2)
