"""The same conversations over every adapter: what we mean arrives, and the answer comes back."""

import json

import pytest
from anthropic import transform_schema
from contract.exchanges import EXCHANGES, of, wired
from support.conversations import heard, load, meant

from producer.contract.requests import CompletionRequest
from worker.model_catalog import Model
from worker.providers import REGISTRY
from worker.providers import load as load_adapter
from worker.providers.parameter_rules import Target
from worker.providers.parameters import unfit
from worker.settings import Link

CONVERSATIONS = load()
OPTIONS = ("stop", "tools", "response_format")


def assert_means_the_same(wire, ask, adapter, conversation):
    """One call with everything of the request; or the adapter names what it cannot express."""
    asked, wire.reply = conversation["request"], conversation["reply"]
    request = CompletionRequest.checked(**asked)
    link = Link(provider=adapter, model=of(adapter).model, adapter=adapter)
    told = [each.reason for each in unfit(request, Target(link, Model(), 100))]
    reason = load_adapter(adapter).unsupported(request) or "".join(told)
    expected = conversation.get("unfit", {}).get(adapter, "")
    assert (expected in reason) if expected else reason == ""
    if expected:
        return
    reply = ask(wire.base_url, **asked)
    understood = meant(asked)
    if adapter == "anthropic" and understood["schema"]:
        understood["schema"] = transform_schema(understood["schema"])
    assert heard(wire.calls[0].request) == understood
    expected = conversation["reply"]
    usage = expected["usage"]
    called = [
        [call.function.name, json.loads(call.function.arguments)] for call in reply.tool_calls
    ]
    assert (reply.text, reply.finish) == (expected["text"], expected["finish"])
    assert called == [[call["name"], call["args"]] for call in expected.get("calls", ())]
    counted = (reply.usage.input, reply.usage.output, reply.usage.cached, reply.usage.reasoning)
    assert counted == (usage["in"], usage["out"], usage.get("cached", 0), usage.get("reasoning", 0))
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    "conversation", CONVERSATIONS, ids=[each["name"] for each in CONVERSATIONS]
)
def test_a_conversation_means_the_same_everywhere(wire, ask, adapter, conversation):
    assert_means_the_same(wire, ask, adapter, conversation)


def test_there_are_enough_of_them_and_each_can_be_answered():
    assert len(CONVERSATIONS) >= 50
    assert all(set(wired()) - set(each.get("unfit", {})) for each in CONVERSATIONS)


def test_no_provider_is_without_exchanges():
    """The registry and the suite agree."""
    assert set(wired()) >= {"openai", "anthropic", "gemini"}
    assert [name for name in REGISTRY if name not in EXCHANGES] == ["simulator"]
