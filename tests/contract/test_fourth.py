"""Adding a provider takes one file and one registry line.

The suite then demands its exchanges and runs over it.
"""

import pytest
from contract import exchanges
from contract.exchanges import EXCHANGES, Exchanges, wired
from contract.test_conversations import CONVERSATIONS, assert_means_the_same

from worker.providers import REGISTRY


@pytest.fixture
def adapter(monkeypatch):
    monkeypatch.setitem(REGISTRY, "fourth", "support.fourth:Fourth")
    return "fourth"


def test_without_exchanges_the_suite_refuses_it(adapter):
    """Its parameters come from the registry, so a new line without them is an error at once."""
    assert "fourth" in wired()
    with pytest.raises(LookupError, match="fourth has no exchanges"):
        exchanges.of("fourth")


@pytest.mark.parametrize(
    "conversation", CONVERSATIONS[::8], ids=[each["name"] for each in CONVERSATIONS[::8]]
)
def test_with_them_the_same_conversations_hold(wire, ask, adapter, monkeypatch, conversation):
    """Nothing else had to change: not the settings, not the chain, not the suite."""
    monkeypatch.setitem(EXCHANGES, "fourth", Exchanges("any", "/v1", []))
    assert_means_the_same(wire, ask, adapter, conversation)
