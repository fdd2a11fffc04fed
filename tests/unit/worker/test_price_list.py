"""Every price of the bundled list is the library's own sum, to the last digit."""

import random
from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
from genai_prices.data_snapshot import get_snapshot

from worker.budgets.price_list import Tokens, listed

SIZES = (0, 1, 999, 32_001, 128_000, 200_000, 200_001, 272_001, 1_000_001)
SHAPES = 3


def usages(seed: str) -> list[Tokens]:
    chance = random.Random(seed)
    found = []
    for _ in range(SHAPES):
        size, output = chance.choice(SIZES), chance.choice(SIZES)
        cached = chance.randint(0, size)
        written = chance.randint(0, size - cached)
        found.append(Tokens(size, output, cached, written, chance.randint(0, written)))
    return found


def by_library(vendor: str, model: str, tokens: Tokens, tier: str) -> Decimal:
    return genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cache_read_tokens=tokens.cached,
            cache_write_tokens=tokens.written,
            cache_write_1h_tokens=tokens.written_1h,
        ),
        model,
        provider_id=vendor,
        genai_request_timestamp=datetime.now(UTC),
        price_context=dict.fromkeys(("service_tier", "processing", "speed"), tier),
    ).total_price


def test_every_price_is_the_librarys() -> None:
    compared = 0
    for provider in get_snapshot().providers:
        # A fine-tuned model may be priced by its base, of which the library knows nothing.
        for model in (each for each in provider.models if not each.id.startswith("ft:")):
            variants = model.price_variants or ()
            tiers = {"", *(value for each in variants for value in each.when.values())}
            for tier in sorted(tiers):
                for tokens in usages(f"{model.id}{tier}"):
                    if found := listed(provider.id, model.id, tokens, tier):
                        expected = by_library(provider.id, model.id, tokens, tier) * 1_000_000
                        assert found.micro_usd == expected, (model.id, tier, tokens)
                        compared += 1
    assert compared > 5_000
