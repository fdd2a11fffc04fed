"""What a call can cost at worst, and what it did cost. Only this file imports genai_prices."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import NamedTuple

import genai_prices

# Loaded with the module: it takes 0.5 s of CPU, which a first job would wait for, and memory that
# forked children share.
import genai_prices.data
from genai_prices.data_snapshot import get_snapshot

from producer.contract.completions import Usage

from ..settings import Link, Rates

BUILT_IN: Mapping[str, Rates] = {"simulator:*": Rates(Decimal("0.15"), Decimal("0.60"))}
"""Prices of what no price list knows.

The simulator costs as much as gpt-4o-mini, so that a demo shows realistic figures.
"""

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
_MILLION = Decimal(1_000_000)
_SAMPLE = 1_000
"""Tokens by which a price is found; below every larger price of a model."""


@dataclass(frozen=True)
class Price:
    """Micro-dollars (1e-6 USD), rounded up.

    `known` False: no price was found, so the configured ceiling was used. `tier_known` False: the
    service tier has no price of its own here, so it is the standard one.
    """

    micro_usd: int
    known: bool
    tier_known: bool = True


class _Tokens(NamedTuple):
    """A usage that does not contradict itself: cached and written are parts of the input."""

    input: int
    output: int
    cached: int = 0
    written: int = 0
    written_1h: int = 0
    """A part of `written`."""


class Pricing:
    """Prices of calls in whole micro-dollars.

    They are rounded up, so that a sum of bookings is never below the bill.

    `overrides`: "provider:model" or "provider:*", with "@tier" for one service tier. They win over
    everything, and may be 0 for a server of one's own. Then come `BUILT_IN` and `FINE_TUNED`, then
    the price list bundled with genai-prices (0.2.3; offline) with its dates, tiers and cache
    prices. `unknown`: the ceiling for models that none of them knows; such a call is never booked
    at 0. `links`: whose base URLs say which vendor's prices hold.

    `model` is the configured name, not the dated one that a reply reports: overrides are looked up
    by it. If another known model answered, it is that one's (`answered_model`).

    A price takes 0.25 ms of CPU, nearly all of it for the library's sum. The library caches its
    lookups, so nothing is cached here.
    """

    def __init__(
        self, overrides: Mapping[str, Rates], unknown: Rates, links: Iterable[Link] = ()
    ) -> None:
        self._rows = {**BUILT_IN, **overrides}
        self._unknown = unknown
        self._vendors = {**LIBRARY_IDS}
        for link in links:
            if vendor := _vendor_at(link.base_url or ""):
                self._vendors[link.provider] = vendor

    def worst(self, provider: str, model: str, input_tokens: int, output_tokens: int) -> Price:
        """The most a call with at most so many tokens can cost, at the standard service tier.

        All input counts as written to the provider's cache, where writing costs extra (a quarter on
        gpt-6 and Claude): OpenAI caches without being asked.
        """
        tokens = _Tokens(max(input_tokens, 0), max(output_tokens, 0))
        written = self._price(provider, model, tokens._replace(written=tokens.input), "")
        if not self.row_of(provider, model):
            return written
        # Where writing costs nothing extra, an operator may have said that it costs nothing.
        plain = self._price(provider, model, tokens, "")
        return max(written, plain, key=lambda price: price.micro_usd)

    def cost(self, provider: str, model: str, usage: Usage, tier: str = "") -> Price:
        """What a call with this usage cost, at the service tier that served it ("" = the standard
        one).

        Counts that contradict each other are cut to what is possible.
        """
        asked = max(usage.input, 0)
        cached = min(max(usage.cached, 0), asked)
        written = min(max(usage.cache_written, 0), asked - cached)
        tokens = _Tokens(
            input=asked,
            output=max(usage.output, 0),
            cached=cached,
            written=written,
            written_1h=min(max(usage.cache_written_1h, 0), written),
        )
        return self._price(provider, model, tokens, tier)

    def answered_model(self, provider: str, asked: str, answered: str) -> str:
        """The model whose prices hold: the one that answered, if it is another known one.

        A dated or longer name of the model that was asked for is no other model.
        """
        if answered == asked:
            return asked
        if f"{provider}:{answered}" in self._rows:
            return answered
        theirs = _listed_id(self._vendors.get(provider), answered)
        if theirs is None or theirs == _listed_id(self._vendors.get(provider), asked):
            return asked
        return answered

    def booked_name(self, provider: str, model: str) -> str:
        """The name that a known model is booked under: the list's own, of which there are few."""
        if f"{provider}:{model}" in self._rows:
            return model
        return _listed_id(self._vendors.get(provider), model) or model

    def is_listed(self, provider: str, model: str) -> bool:
        """Whether the price list knows the model, whatever the operator's own prices are."""
        return self.listed_rates(provider, model) is not None

    def listed_rates(self, provider: str, model: str) -> tuple[Decimal, Decimal] | None:
        """Dollars per million tokens (input, output) by the price list alone."""
        vendor = self._vendors.get(provider)
        per_input = _listed(vendor, model, _Tokens(_SAMPLE, 0), "")
        per_output = _listed(vendor, model, _Tokens(0, _SAMPLE), "")
        if per_input is None or per_output is None:
            return None
        return per_input.dollars * _MILLION / _SAMPLE, per_output.dollars * _MILLION / _SAMPLE

    def row_of(self, provider: str, model: str) -> str:
        """The name of the operator's or built-in row that prices the model; "" if none does."""
        names = (f"{provider}:{model}", f"{provider}:*")
        return next((name for name in names if name in self._rows), "")

    def _price(self, provider: str, model: str, tokens: _Tokens, tier: str) -> Price:
        row, tier_known = self._row(provider, model, tier)
        if row is not None:
            return Price(_by_rates(row, tokens), True, tier_known)
        listed = _listed(self._vendors.get(provider), model, tokens, tier)
        if listed is not None:
            return Price(_up(listed.dollars * _MILLION), True, listed.tier_known)
        return Price(_by_rates(self._unknown, tokens), known=False)

    def _row(self, provider: str, model: str, tier: str) -> tuple[Rates | None, bool]:
        """The row that prices the model, and whether it is the tier's own."""
        for name in (f"{provider}:{model}", f"{provider}:*"):
            if tier and (row := self._rows.get(f"{name}@{tier}")):
                return row, True
            if row := self._rows.get(name):
                return row, not tier
        return None, True


def _by_rates(row: Rates, tokens: _Tokens) -> int:
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
    return _up(
        rates.input * (tokens.input - tokens.cached - tokens.written)
        + cached * tokens.cached
        + cache_write * (tokens.written - tokens.written_1h)
        + cache_write_1h * tokens.written_1h
        + rates.output * tokens.output
    )


class _Listed(NamedTuple):
    dollars: Decimal
    model_id: str
    tier_known: bool = True


def _listed(vendor: str | None, model: str, tokens: _Tokens, tier: str) -> _Listed | None:
    """The price by the bundled list, as of now.

    None if it has no price per token for this model's input and output.
    """
    if vendor is None:
        return None
    bare = model.removeprefix("models/")  # Gemini's own API lists its models so
    if bare.startswith("ft:"):
        return _fine_tuned(vendor, bare, tokens, tier)
    return _dated(vendor, bare, tokens, tier)


def _dated(vendor: str, model: str, tokens: _Tokens, tier: str) -> _Listed | None:
    """A version that the list does not name costs as the model that it is a version of."""
    if listed := _by_library(vendor, model, tokens, tier):
        return listed
    undated = _DATE.sub("", model)
    if undated == model:
        return None
    return _by_library(vendor, undated, tokens, tier)


def _fine_tuned(vendor: str, model: str, tokens: _Tokens, tier: str) -> _Listed | None:
    """By the list's price for fine-tuned models of its base, else ours, else as its base costs."""
    if listed := _by_library(vendor, model, tokens, tier):
        return listed
    for beginning, rates in FINE_TUNED.items():
        if vendor == "openai" and model.startswith(beginning):
            return _Listed(Decimal(_by_rates(rates, tokens)) / _MILLION, beginning, not tier)
    base, _, _ = model.removeprefix("ft:").partition(":")
    return _dated(vendor, base, tokens, tier)


def _by_library(vendor: str, model: str, tokens: _Tokens, tier: str) -> _Listed | None:
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
    for name in ("input_mtok", "output_mtok"):
        if getattr(rates, name, None) is None:
            return None
    variants = price.model.price_variants or ()
    tiers = {value for variant in variants for value in variant.when.values()}
    return _Listed(price.total_price, price.model.id, not tier or tier in tiers)


@lru_cache(maxsize=1024)
def _listed_id(vendor: str | None, model: str) -> str | None:
    """The bundled list's own name of the model; None if it has no price for it."""
    listed = _listed(vendor, model, _Tokens(0, 0), "")
    return listed.model_id if listed else None


@lru_cache(maxsize=1024)
def _vendor_at(base_url: str) -> str:
    """The vendor of the price list whose API answers there, "" if it names none.

    Only a URL that begins as the vendor's does: one's own server may have any path.
    """
    if not base_url.startswith("https://"):
        return ""
    for vendor in get_snapshot().providers:
        if re.match(vendor.api_pattern, base_url):
            return vendor.id
    return ""


def _up(micro_usd: Decimal) -> int:
    return int(micro_usd.to_integral_value(ROUND_CEILING))
