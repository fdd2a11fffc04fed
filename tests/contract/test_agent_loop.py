"""An agent whose every turn another provider answers: each can read what the others said."""

import json

import pytest
from contract.exchanges import of
from support.strict_turns import FOREIGN, REDACTED, SIGNATURE, SIGNED, refuse

from producer.contract.completions import Completion, Usage
from producer.contract.requests import CompletionRequest
from worker.providers import Call, load

TURNS = 12
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]
MODELS = {"openai": "gpt-4o", "anthropic": "claude-sonnet-5-5", "gemini": "gemini-3.8-flash"}

THOUGHTS = {"openai": "", "anthropic": "Let me see.", "gemini": "Hm."}


def body(api, turn, named=("f", "f", "g"), words="Now."):
    """Two calls of one function and one of another, under the ids of every turn before."""
    args = [{"turn": turn, "place": place} for place in range(len(named))]
    ids = [f"call_{place}" for place in range(len(named))]
    if api == "openai":
        calls = [
            {"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for i, n, a in zip(ids, named, args, strict=True)
        ]
        message = {"role": "assistant", "content": words, "tool_calls": calls or None}
        usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
        return {"model": MODELS[api], "choices": [{"message": message}], "usage": usage}
    if api == "anthropic":
        blocks = [SIGNED, {"type": "text", "text": words}, REDACTED]
        blocks += [
            {"type": "tool_use", "id": i, "name": n, "input": a}
            for i, n, a in zip(ids, named, args, strict=True)
        ]
        usage = {"input_tokens": 9, "output_tokens": 9}
        return {"type": "message", "model": MODELS[api], "content": blocks, "usage": usage}
    parts = [{"text": "Hm.", "thought": True}, {"text": words}]
    parts += [{"functionCall": {"name": n, "args": a}} for n, a in zip(named, args, strict=True)]
    if named:
        parts[2]["thoughtSignature"] = SIGNATURE
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 9, "totalTokenCount": 18}
    return {"candidates": [{"content": {"parts": parts}}], "usageMetadata": usage}


@pytest.fixture
def adapter():
    return "openai"


@pytest.fixture
def turn_at(wire, loop):
    """`turn_at(api, messages, answer)` asks one provider; gives the completion and what it read."""
    opened = {}

    def turn(api, messages, answer):
        if api not in opened:
            url = wire.base_url.removesuffix("/v1") + of(api).path
            opened[api] = loop.run(lambda: _build(api, url), 60, "build")
        wire.body = json.dumps(answer)
        request = CompletionRequest.checked(messages=messages, tools=TOOLS)
        call = Call("job-1", MODELS[api], request, 50, None, 10)
        reply = loop.run(lambda: opened[api].complete(call), 10, "job-1")
        completion = Completion(
            **reply.handed_on,
            finish_reason=reply.finish,
            model=reply.model,
            provider=api,
            usage=reply.usage or Usage(),
            cost_usd=0,
            attempts=1,
            latency_ms=1,
            request_id="job-1",
        )
        return completion, wire.calls[-1].request

    async def _build(api, url):
        return load(api)(url, "key", {})

    yield turn
    for provider in opened.values():
        loop.run(provider.aclose, 5, "close")


def results(completion, turn):
    """Out of order; each says what its call asked, one that it went wrong."""
    found = [
        {"role": "tool", "tool_call_id": call.id, "content": call.function.arguments}
        for call in completion.tool_calls
    ]
    found[1]["is_error"] = True
    return [found[2], found[0], found[1]] if turn % 2 else found[::-1]


@pytest.mark.parametrize("echoed", ["message", "dumped", "to_openai"])
def test_twelve_turns_at_three_providers_in_turn(turn_at, echoed):
    """Ids, order, roles and signatures are right at each; what one thought goes to no other."""
    messages = [{"role": "user", "content": "Go."}]
    seen = []
    apis = ("openai", "anthropic", "gemini")
    for turn in range(TURNS):
        api = apis[turn % 3]
        completion, sent = turn_at(api, messages, body(api, turn))
        assert refuse(sent) == "", (turn, api)
        text = json.dumps(sent)
        assert all(f'\\"place\\": {n}' in text or f'"place": {n}' in text for n in range(3)[:turn])
        assert ("of claude" in text) == (api == "anthropic" and turn > 2)
        assert (SIGNATURE.rstrip("=") in text) == (api == "gemini" and turn > 3)
        assert (FOREIGN.replace("/", "_") in text) == (api == "gemini" and turn > 0)
        assert (
            completion.reasoning == {"openai": "", "anthropic": "Let me see.", "gemini": "Hm."}[api]
        )
        seen += [call.id for call in completion.tool_calls]
        said = {
            "message": completion.message,
            "dumped": completion.message.model_dump(),
            "to_openai": completion.to_openai()["choices"][0]["message"],
        }[echoed]
        messages += [said, *results(completion, turn)]
    assert len(set(seen)) == 3 * TURNS


def test_each_result_stands_at_its_own_call(turn_at):
    """Also where two calls of one function are told apart by their ids alone."""
    messages = [{"role": "user", "content": "Go."}]
    completion, _ = turn_at("gemini", messages, body("gemini", 0))
    messages += [completion.message, *results(completion, 1)]
    for api in MODELS:
        _, sent = turn_at(api, messages, body(api, 1))
        assert _pairs(sent) == [({"turn": 0, "place": n}, n == 1) for n in range(3)]


def _pairs(sent):
    """(what each call asked, whether it went wrong) as its result says."""
    if "contents" in sent:
        responses = [part["functionResponse"]["response"] for part in sent["contents"][-1]["parts"]]
        return [(json.loads(next(iter(each.values()))), "error" in each) for each in responses]
    if sent["messages"][-1]["role"] == "user":
        blocks = sent["messages"][-1]["content"]
        return [(json.loads(block["content"]), block.get("is_error", False)) for block in blocks]
    texts = [message["content"] for message in sent["messages"][-3:]]
    return [(json.loads(t.removeprefix("Error: ")), t.startswith("Error")) for t in texts]


def test_a_turn_that_was_changed_goes_without_what_was_kept(turn_at):
    """Its pieces are not known any more, and a provider refuses a signature in the wrong place."""
    messages = [{"role": "user", "content": "Go."}]
    completion, _ = turn_at("anthropic", messages, body("anthropic", 0, named=()))
    changed = completion.message.model_dump() | {"content": "Something else."}
    _, sent = turn_at("anthropic", [*messages, changed, messages[0]], body("anthropic", 1))
    assert sent["messages"][1]["content"] == [{"type": "text", "text": "Something else."}]
    assert "of claude" not in repr(completion)
