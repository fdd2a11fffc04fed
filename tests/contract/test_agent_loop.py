"""An agent whose every turn another provider answers: each can read what the others said."""

import json

import pytest
from contract.exchanges import of
from support.agent_turns import MODELS, TOOLS, TURNS, body, results
from support.strict_turns import FOREIGN, SIGNATURE, refuse

from producer.contract.completions import Completion, Usage
from producer.contract.requests import CompletionRequest
from worker.providers import Call, load


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
