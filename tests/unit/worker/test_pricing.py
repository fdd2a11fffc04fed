"""Money before and after a call agrees with the price list and is never rounded down.

A model without a price is never booked at 0.
"""

import math
from datetime import UTC, datetime

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from producer.contract.completions import Usage
from worker.budgets.price_list import LIBRARY_IDS
from worker.budgets.pricing import Price, Pricing
from worker.settings import Link
from worker.settings.prices import rates

CEILING = rates("50/200")
PRICING = Pricing({}, CEILING)
COUNTS = st.integers(0, 2_000_000)
LISTED = [
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-6-luna"),
    ("anthropic", "claude-haiku-5-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("gemini", "gemini-3.8-flash"),
]


def by_library(provider: str, model: str, **tokens: int) -> int:
    price = genai_prices.calc_price(
        genai_prices.Usage(**tokens),
        model,
        provider_id=LIBRARY_IDS[provider],
        genai_request_timestamp=datetime.now(UTC),
    )
    return math.ceil(price.total_price * 1_000_000)


@given(link=st.sampled_from(LISTED), asked=COUNTS, answered=COUNTS, share=st.floats(0, 1))
def test_cost_is_the_price_lists_rounded_up(
    link: tuple[str, str], asked: int, answered: int, share: float
) -> None:
    """For any usage, cached or beyond a tier's start, the cost is the library's, rounded up."""
    cached = int(asked * share)
    written = (asked - cached) // 2
    expected = by_library(
        *link,
        input_tokens=asked,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        output_tokens=answered,
    )
    usage = Usage(
        input=asked, cached=cached, cache_written=written, output=answered, reasoning=answered // 2
    )
    assert PRICING.cost(*link, usage) == Price(expected, known=True)


@pytest.mark.parametrize(
    ("model", "usage", "micro_usd"),
    [
        pytest.param(
            "gpt-4o-mini",
            Usage(input=1_000_000, output=1_000_000),
            750_000,
            id="0.15 and 0.60 per million",
        ),
        pytest.param("gpt-4o-mini", Usage(input=1), 1, id="0.15 micro-dollars are 1"),
        pytest.param(
            "gpt-4o-mini",
            Usage(input=1_000_000, cached=1_000_000),
            75_000,
            id="cached input at half price",
        ),
        pytest.param("gpt-4o-mini", Usage(), 0, id="nothing used, nothing owed"),
        pytest.param("gpt-6-luna", Usage(input=272_000), 27_200, id="up to the tier's start"),
        pytest.param(
            "gpt-6-luna", Usage(input=272_001), 54_401, id="the tier prices the whole request"
        ),
    ],
)
def test_known_sums(model: str, usage: Usage, micro_usd: int) -> None:
    """The published prices, by hand."""
    assert PRICING.cost("openai", model, usage) == Price(micro_usd, known=True)


@pytest.mark.parametrize("library_id", ["openai", "anthropic", "google"])
def test_worst_is_never_below_the_cost(library_id: str) -> None:
    """For every listed model and any share of cached input, a hold covers its bill."""
    provider = next(provider for provider in get_snapshot().providers if provider.id == library_id)
    ours = {"google": "gemini"}.get(library_id, library_id)
    for model in provider.models:
        for asked in (1_000, 150_000, 300_000):
            held = PRICING.worst(ours, model.id, asked, 1_000)
            for cached in (0, asked // 2, asked):
                assert (
                    held.micro_usd
                    >= PRICING.cost(
                        ours, model.id, Usage(input=asked, cached=cached, output=1_000)
                    ).micro_usd
                )
            if held.known and not model.id.startswith("ft:"):
                written = by_library(
                    ours,
                    model.id,
                    input_tokens=asked,
                    cache_write_tokens=asked // 2,
                    output_tokens=1_000,
                )
                assert held.micro_usd >= written


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-mini-foo"),
        ("vllm", "gpt-4o-mini"),
        ("azure", "gpt-4o-mini"),
        ("google", "gemma-3"),
        ("openai", "whisper-1"),
        ("google", "gemini-embedding-001"),
    ],
    ids=[
        "unlisted model",
        "unlisted server",
        "a name the library knows, but not ours",
        "no price",
        "hours",
        "no output",
    ],
)
def test_unknown_models_are_priced_at_the_ceiling(provider: str, model: str) -> None:
    """A model without a price per token in both directions is marked, and costs the ceiling."""
    assert PRICING.cost(provider, model, Usage(input=100, cached=100, output=10)) == Price(
        7_000, known=False
    )
    assert PRICING.worst(provider, model, 100, 10) == Price(7_000, known=False)


def test_vectors_cost_their_texts() -> None:
    """OpenAI's and Google's price lists: $0.02 and $0.15 per million tokens."""
    assert PRICING.worst("openai", "text-embedding-3-small", 5_000, 0) == Price(100, known=True)
    assert PRICING.cost("gemini", "gemini-embedding-001", Usage(input=1_000)) == Price(150, True)


def test_overrides_win() -> None:
    """An operator's price beats the list, an exact one beats a server's, and 0 means 0."""
    pricing = Pricing(
        {
            "openai:gpt-4o-mini": rates("1/2"),
            "vllm:*": rates("0/0"),
            "vllm:big": rates("0.5/0.5"),
            "simulator:slow": rates("3/3"),
        },
        CEILING,
    )
    assert pricing.cost("openai", "gpt-4o-mini", Usage(input=10, cached=10, output=10)) == Price(
        30, known=True
    )
    assert pricing.cost("openai", "gpt-4o", Usage(input=1_000_000)) == Price(2_500_000, known=True)
    assert pricing.worst("vllm", "small", 1_000_000, 1_000_000) == Price(0, known=True)
    assert pricing.worst("vllm", "big", 1, 0) == Price(1, known=True)
    assert pricing.worst("simulator", "slow", 1, 1) == Price(6, known=True)


@pytest.mark.parametrize(
    ("row", "usage", "micro_usd"),
    [
        ("0.28/0.42/0.028", Usage(input=20_000, cached=19_000, output=100), 854),
        ("0.28/0.42", Usage(input=20_000, cached=19_000, output=100), 5_642),
        ("1/5/0.1/1.25", Usage(input=1_000, cached=200, cache_written=400), 920),
        ("1/5/0.1/1.25/2", Usage(input=1_000, cache_written=400, cache_written_1h=100), 1_175),
        ("1/5/-/2", Usage(input=1_000, cached=500, cache_written=500), 1_500),
        ("1/5+1000:2/7", Usage(input=1_000, output=10), 1_050),
        ("1/5+1000:2/7", Usage(input=1_001, output=10), 2_072),
        ("1/5+1000:2/7+2000:3/9", Usage(input=2_001, output=10), 6_093),
    ],
)
def test_an_operators_rates(row: str, usage: Usage, micro_usd: int) -> None:
    """Cached input, writes for five minutes and an hour, and requests that are larger."""
    pricing = Pricing({"ds:*": rates(row)}, CEILING)
    assert pricing.cost("ds", "any", usage) == Price(micro_usd, known=True)
    assert pricing.worst("ds", "any", usage.input, usage.output).micro_usd >= micro_usd


def test_an_operators_rates_of_a_service_tier() -> None:
    pricing = Pricing({"a:m": rates("2/2"), "a:m@flex": rates("1/1")}, CEILING)
    usage = Usage(input=10, output=10)
    assert pricing.cost("a", "m", usage, "flex") == Price(20, known=True)
    assert pricing.cost("a", "m", usage) == Price(40, known=True)
    assert pricing.cost("a", "m", usage, "fast") == Price(40, known=True, tier_known=False)


@pytest.mark.parametrize(
    ("model", "micro_usd"),
    [
        ("ft:gpt-4o-mini-2024-07-18:org::id", 1_500_000),
        ("ft:gpt-4.1-mini-2025-04-14:org::id", 4_000_000),
        ("ft:gpt-4.1-2025-04-14:org::id", 15_000_000),
        ("ft:gpt-5.4-mini-2026-03-05:org::id", 5_250_000),
        ("ft:my-base:org::id", 250_000_000),
    ],
)
def test_a_fine_tuned_model_costs_as_its_base_says(model: str, micro_usd: int) -> None:
    """By the list, by OpenAI's page, as the base itself, at the ceiling."""
    usage = Usage(input=1_000_000, output=1_000_000)
    assert PRICING.cost("openai", model, usage).micro_usd == micro_usd


def test_a_base_url_says_whose_prices_hold() -> None:
    """Not the name of a link: that is the operator's own."""
    usage = Usage(input=1_000_000)
    at_xai = Link(
        provider="groq", model="grok-4.3", adapter="openai", base_url="https://api.x.ai/v1"
    )
    assert Pricing({}, CEILING, [at_xai]).cost("groq", "grok-4.3", usage).known
    elsewhere = at_xai.model_copy(update={"base_url": "http://127.0.0.1/https://api.x.ai"})
    assert not Pricing({}, CEILING, [elsewhere]).cost("groq", "grok-4.3", usage).known


def test_an_hour_in_anthropics_cache_costs_more() -> None:
    """claude-haiku-4-5: 1.25 and 2 dollars per million."""
    usage = Usage(input=1_000_000, cache_written=1_000_000, cache_written_1h=400_000)
    assert PRICING.cost("anthropic", "claude-haiku-4-5", usage).micro_usd == 1_550_000


def test_the_simulator_has_a_price() -> None:
    """The demo shows real figures without a setting."""
    assert PRICING.cost("simulator", "any", Usage(input=1_000, output=1_000)) == Price(
        750, known=True
    )


def test_contradictory_usage_is_priced() -> None:
    """Contradictory or negative counts are booked as far as possible and do not end a paid job."""
    assert PRICING.cost("openai", "gpt-4o-mini", Usage(input=100, cached=500)) == Price(
        8, known=True
    )
    assert PRICING.cost(
        "anthropic", "claude-haiku-4-5", Usage(input=100, cached=60, cache_written=900)
    ).known
    assert PRICING.cost("openai", "gpt-4o-mini", Usage(input=-5, output=-5, cached=-1)) == Price(
        0, known=True
    )


def test_geminis_listing_prefix_is_understood() -> None:
    """models/gemini-... is what Gemini's own API calls its models."""
    usage = Usage(input=1_000_000)
    assert PRICING.cost("gemini", "models/gemini-3.8-flash", usage) == PRICING.cost(
        "google", "gemini-3.8-flash", usage
    )
