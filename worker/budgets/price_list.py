"""The price list that comes with genai-prices, and what it lacks. Only this file imports
genai_prices.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import genai_prices

# Loaded with the module: it takes 0.5 s of CPU, which a first job would wait for, and memory that
# forked children share.
import genai_prices.data
from genai_prices.data_snapshot import get_snapshot

from ..settings import Rates

FINE_TUNED: Mapping[str, Rates] = {
    "ft:gpt-4.1-nano": Rates(Decimal("0.20"), Decimal("0.80"), Decimal("0.05")),
    "ft:gpt-4.1-mini": Rates(Decimal("0.80"), Decimal("3.20"), Decimal("0.20")),
    "ft:gpt-4.1": Rates(Decimal(3), Decimal(12), Decimal("0.75")),
    "ft:o4-mini": Rates(Decimal(4), Decimal(16), Decimal(1)),
}
"""Beginnings of fine-tuned models that the bundled list lacks -> OpenAI's prices for them (its
pricing page, as LiteLLM's price map has it). A fine-tuned model of any other base costs as that.
"""

LIBRARY_IDS: Mapping[str, str] = {
    "openai": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "gemini-legacy": "google",
    "google": "google",
}
"""Our provider names -> genai-prices' ids.

Of all others only the base URL says whose prices hold: a gateway that happens to be called "azure"
or "groq" here must not get that vendor's list prices.
"""

_CONTEXTS = ("service_tier", "processing", "speed")
"""Under which names the list has prices of a service tier."""

_DATE = re.compile(r"-20\d\d-?\d\d-?\d\d$")


class Tokens(NamedTuple):
    """A usage that does not contradict itself: cached and written are parts of the input."""

    input: int
    output: int
    cached: int = 0
    written: int = 0
    written_1h: int = 0
    """A part of `written`."""


def by_rates(row: Rates, tokens: Tokens) -> Decimal:
    """Micro-dollars, not rounded."""
    rates = row.at(tokens.input)
    cache_write = rates.cache_write
    if cache_write is None:
        cache_write = rates.input
    cache_write_1h = rates.cache_write_1h
    if cache_write_1h is None:
        cache_write_1h = cache_write
    cached = rates.cached
    if cached is None:
        cached = rates.input
    return (
        rates.input * (tokens.input - tokens.cached - tokens.written)
        + cached * tokens.cached
        + cache_write * (tokens.written - tokens.written_1h)
        + cache_write_1h * tokens.written_1h
        + rates.output * tokens.output
    )


class Listed(NamedTuple):
    dollars: Decimal
    model_id: str
    tier_known: bool = True


def listed(vendor: str | None, model: str, tokens: Tokens, tier: str) -> Listed | None:
    """The price by the bundled list, as of now.

    None if it has no price per token for this model's input and output.
    """
    if vendor is None:
        return None
    bare = model.removeprefix("models/")  # Gemini's own API lists its models so
    if bare.startswith("ft:"):
        return _fine_tuned(vendor, bare, tokens, tier)
    return _dated(vendor, bare, tokens, tier)


def _dated(vendor: str, model: str, tokens: Tokens, tier: str) -> Listed | None:
    """A version that the list does not name costs as the model that it is a version of."""
    if listed := _by_library(vendor, model, tokens, tier):
        return listed
    undated = _DATE.sub("", model)
    if undated == model:
        return None
    return _by_library(vendor, undated, tokens, tier)


def _fine_tuned(vendor: str, model: str, tokens: Tokens, tier: str) -> Listed | None:
    """By the list's price for fine-tuned models of its base, else ours, else as its base costs."""
    if listed := _by_library(vendor, model, tokens, tier):
        return listed
    for beginning, rates in FINE_TUNED.items():
        if vendor == "openai" and model.startswith(beginning):
            return Listed(by_rates(rates, tokens) / 1_000_000, beginning, not tier)
    base, _, _ = model.removeprefix("ft:").partition(":")
    return _dated(vendor, base, tokens, tier)


def _by_library(vendor: str, model: str, tokens: Tokens, tier: str) -> Listed | None:
    try:
        price = genai_prices.calc_price(
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
            price_context=dict.fromkeys(_CONTEXTS, tier),
        )
    except LookupError:
        return None
    # The list also names models sold by the hour, by the character or not yet priced; their tokens
    # would cost 0.
    rates = price.model_price
    needed = {"input_mtok", "output_mtok"}
    if "embedding" in price.model.id and not tokens.output:
        needed.discard("output_mtok")  # vectors cost nothing beside their texts
    if any(getattr(rates, name, None) is None for name in needed):
        return None
    variants = price.model.price_variants or ()
    tiers = {value for variant in variants for value in variant.when.values()}
    return Listed(price.total_price, price.model.id, not tier or tier in tiers)


@lru_cache(maxsize=1024)
def listed_id(vendor: str | None, model: str) -> str | None:
    """The bundled list's own name of the model; None if it has no price for it."""
    found = listed(vendor, model, Tokens(0, 0), "")
    return found.model_id if found else None


@lru_cache(maxsize=1024)
def vendor_at(base_url: str) -> str:
    """The vendor of the price list whose API answers there, "" if it names none.

    Only a URL that begins as the vendor's does: one's own server may have any path.
    """
    if not base_url.startswith("https://"):
        return ""
    for vendor in get_snapshot().providers:
        if re.match(vendor.api_pattern, base_url):
            return vendor.id
    return ""
