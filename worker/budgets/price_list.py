"""The price list that comes with genai-prices, and what it lacks. Only this file imports
genai_prices.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

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

QUARTER_S = 900
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
    micro_usd: Decimal
    """Not rounded."""
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
            return Listed(by_rates(rates, tokens), beginning, not tier)
    base, _, _ = model.removeprefix("ft:").partition(":")
    return _dated(vendor, base, tokens, tier)


def _by_library(vendor: str, model: str, tokens: Tokens, tier: str) -> Listed | None:
    row = _row(vendor, model, tier, int(datetime.now(UTC).timestamp()) // QUARTER_S)
    # The list also names models sold by the hour, by the character or not yet priced; their tokens
    # would cost 0.
    if row is None or not (row.writes or ("embedding" in row.model_id and not tokens.output)):
        return None
    return Listed(by_rates(row.rates, tokens) + row.per_call, row.model_id, row.tier_known)


class _Row(NamedTuple):
    """What the list says of a model at a service tier."""

    rates: Rates
    per_call: Decimal
    """Micro-dollars."""
    model_id: str
    tier_known: bool
    writes: bool
    """Whether its output has a price; vectors cost nothing beside their texts."""


@lru_cache(maxsize=1024)
def _row(vendor: str, model: str, tier: str, quarter: int) -> _Row | None:
    """None if the list has no price of the model's input.

    Kept, because the library takes 0.2 ms for a sum that takes 0.01: its prices change at full
    quarters of an hour at most (those of the night). `quarter`: of those since 1970.
    """
    try:
        price = genai_prices.calc_price(
            genai_prices.Usage(input_tokens=0),
            model,
            provider_id=vendor,
            genai_request_timestamp=datetime.fromtimestamp(quarter * QUARTER_S, UTC),
            price_context=dict.fromkeys(_CONTEXTS, tier),
        )
    except LookupError:
        return None
    found = price.model_price
    if found.input_mtok is None:
        return None
    variants = price.model.price_variants or ()
    tiers = {value for variant in variants for value in variant.when.values()}
    writes = found.output_mtok is not None
    # Dollars of a thousand calls are thousands of micro-dollars of one.
    per_call: Decimal = (_of_size(found.requests_kcount, -1) or Decimal(0)) * 1000
    return _Row(_rates(found), per_call, price.model.id, not tier or tier in tiers, writes)


def _rates(price: Any) -> Rates:
    """Of a `ModelPrice`, whose prices of tokens are decimals or one for each size of the input."""
    by_kind = [
        price.input_mtok,
        price.output_mtok,
        price.cache_read_mtok,
        price.cache_write_mtok,
        price.cache_write_1h_mtok,
    ]
    tiers = itertools.chain.from_iterable(getattr(each, "tiers", ()) for each in by_kind)
    starts = sorted({tier.start for tier in tiers})
    return replace(
        _above(by_kind, -1), above=tuple((each, _above(by_kind, each)) for each in starts)
    )


def _above(by_kind: list[Any], start: int) -> Rates:
    """Those that hold for more input than `start`."""
    read, written, cached, kept, kept_1h = (_of_size(each, start) for each in by_kind)
    return Rates(read or Decimal(0), written or Decimal(0), cached, kept, kept_1h)


def _of_size(price: Any, start: int) -> Decimal | None:
    found: Decimal | None = getattr(price, "base", price)
    for tier in getattr(price, "tiers", ()):
        if tier.start <= start:
            found = tier.price
    return found


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


@lru_cache(maxsize=1024)
def resembling(model: str) -> str:
    """A model of a vendor's that is spelt nearly so; "" if there is none."""
    known = (each for each in get_snapshot().providers if each.id in LIBRARY_IDS.values())
    names = [model.id for vendor in known for model in vendor.models]
    return next(iter(get_close_matches(model, names, n=1, cutoff=0.85)), "")
