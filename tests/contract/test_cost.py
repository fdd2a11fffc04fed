"""What a call cost, from the usage on the wire to the micro-dollar.

Our normalisation and our sum against the library's own.
"""

import json
from datetime import UTC, datetime
from decimal import ROUND_CEILING
from pathlib import Path

import genai_prices
import pytest

from worker.budgets.price_list import LIBRARY_IDS
from worker.budgets.pricing import Pricing
from worker.settings.prices import rates

RECORDED = json.loads((Path(__file__).parent / "usages.json").read_text())
FLAVORS = {
    "openai": "chat",
    "openai-responses": "responses",
    "anthropic": "default",
    "gemini": "default",
}
PRICING = Pricing({}, rates("0/0"))


@pytest.fixture
def adapter(recorded):
    return recorded["adapter"]


@pytest.mark.filterwarnings(
    "ignore:The model .* is deprecated"
)  # reported by MODEL_ENDS at startup instead
@pytest.mark.parametrize(
    "recorded", RECORDED, ids=[f"{each['model']}-{number}" for number, each in enumerate(RECORDED)]
)
def test_cost_is_the_price_librarys_for_its_own_reading_of_the_usage(wire, ask, adapter, recorded):
    """Plain, cached, written, reasoning, and on both sides of a tier."""
    wire.usage, model = recorded["usage"], recorded["model"]
    reply = ask(wire.base_url, model=model)
    key = "usageMetadata" if adapter == "gemini" else "usage"
    body = {key: recorded["usage"], "model": model, "modelVersion": model}
    extracted = genai_prices.extract_usage(
        body, provider_id=LIBRARY_IDS[adapter], api_flavor=FLAVORS[adapter]
    )
    listed = genai_prices.calc_price(
        extracted.usage,
        model,
        provider_id=LIBRARY_IDS[adapter],
        genai_request_timestamp=datetime.now(UTC),
    )
    cost = PRICING.cost(adapter, model, reply.usage)
    assert cost.known
    assert (
        cost.micro_usd == int((listed.total_price * 1_000_000).to_integral_value(ROUND_CEILING)) > 0
    )


def test_one_token_over_a_tier_is_dearer_by_the_whole_request():
    """So that the two rows around 272,000 tokens above do differ."""
    pair = [each["usage"]["prompt_tokens"] for each in RECORDED if each["model"] == "gpt-6-luna"]
    below, above = (PRICING.worst("openai", "gpt-6-luna", tokens, 0).micro_usd for tokens in pair)
    assert above > 1.9 * below
