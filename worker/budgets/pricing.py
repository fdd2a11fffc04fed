"""What a call can cost at worst, and what it did cost. Only this file imports genai_prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

import genai_prices

# Loaded with the module: it takes 0.5 s of CPU, which a first job would wait for, and memory that
# forked children share.
import genai_prices.data

from producer.contract.completions import Usage

Row = tuple[Decimal, Decimal]
"""Dollars per million tokens, which are micro-dollars per token: (input, output)."""

BUILT_IN: Mapping[str, Row] = {"simulator:*": (Decimal("0.15"), Decimal("0.60"))}
"""Prices of what no price list knows.

The simulator costs as much as gpt-4o-mini, so that a demo shows realistic figures.
"""

LIBRARY_IDS: Mapping[str, str] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "gemini-legacy": "google",
    "google": "google",
}
"""Our provider names -> genai-prices' ids.

No others are looked up: the library also matches loosely, and a gateway that happens to be called
"azure" or "groq" here would silently get that vendor's list prices.
"""

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Price:
    """Micro-dollars (1e-6 USD), rounded up.

    `known` False: no price was found, so the configured ceiling was used.
    """

    micro_usd: int
    known: bool


class Pricing:
    """Prices of calls in whole micro-dollars.

    They are rounded up, so that a sum of bookings is never below the bill.

    `overrides`: "provider:model" or "provider:*" -> (input, output) in dollars per million tokens.
    They win over everything, bill cached input as plain input, and may be 0 for a server of one's
    own. Then comes `BUILT_IN`, then the price list bundled with genai-prices (0.2.3; offline) with
    its dates, tiers and cache prices. `unknown`: the ceiling for models that none of them knows;
    such a call is never booked at 0.

    `model` is the configured name, not the dated one that a reply reports: overrides are looked up
    by it. If another known model answered, it is that one's (`answered_model`).

    A price takes 0.25 ms of CPU, nearly all of it for the library's sum. The library caches its
    lookups, so nothing is cached here.
    """

    def __init__(self, overrides: Mapping[str, Row], unknown: Row) -> None:
        self._rows = {**BUILT_IN, **overrides}
        self._unknown = unknown

    def worst(self, provider: str, model: str, input_tokens: int, output_tokens: int) -> Price:
        """The most a call with at most so many tokens can cost.

        All input counts as written to the provider's cache, where writing costs extra (a quarter on
        gpt-6 and Claude): OpenAI caches without being asked.
        """
        asked = max(input_tokens, 0)
        usage = genai_prices.Usage(
            input_tokens=asked,
            cache_write_tokens=asked,
            output_tokens=max(output_tokens, 0),
        )
        return self._price(provider, model, usage)

    def cost(self, provider: str, model: str, usage: Usage) -> Price:
        """What a call with this usage cost.

        Counts that contradict each other are cut to what is possible.
        """
        asked = max(usage.input, 0)
        read = min(max(usage.cached, 0), asked)
        written = min(max(usage.cache_written, 0), asked - read)
        possible = genai_prices.Usage(
            input_tokens=asked,
            cache_read_tokens=read,
            cache_write_tokens=written,
            output_tokens=max(usage.output, 0),
        )
        return self._price(provider, model, possible)

    def answered_model(self, provider: str, asked: str, answered: str) -> str:
        """The model whose prices hold: the one that answered, if it is another known one.

        A dated or longer name of the model that was asked for is no other model.
        """
        if answered == asked:
            return asked
        if f"{provider}:{answered}" in self._rows:
            return answered
        theirs = _listed_id(provider, answered)
        if theirs is None or theirs == _listed_id(provider, asked):
            return asked
        return answered

    def _price(self, provider: str, model: str, usage: genai_prices.Usage) -> Price:
        row = self._rows.get(f"{provider}:{model}") or self._rows.get(f"{provider}:*")
        if row is not None:
            return Price(_by_row(row, usage), known=True)
        listed = _listed(provider, model, usage)
        if listed is not None:
            return Price(_up(listed * _MILLION), known=True)
        return Price(_by_row(self._unknown, usage), known=False)


def _by_row(row: Row, usage: genai_prices.Usage) -> int:
    per_input, per_output = row
    input_micro = per_input * Decimal(usage.input_tokens)
    output_micro = per_output * Decimal(usage.output_tokens)
    return _up(input_micro + output_micro)


def _listed(provider: str, model: str, usage: genai_prices.Usage) -> Decimal | None:
    """Dollars by the bundled list, as of now.

    None if it has no price per token for this model's input and output.
    """
    library_id = LIBRARY_IDS.get(provider)
    if library_id is None:
        return None
    try:
        price = genai_prices.calc_price(
            usage,
            # Gemini's own API lists its models with this prefix, the library without.
            model.removeprefix("models/"),
            provider_id=library_id,
            genai_request_timestamp=datetime.now(UTC),
        )
    except LookupError:
        return None
    # The list also names models sold by the hour, by the character or not yet priced; their tokens
    # would cost 0.
    rates = price.model_price
    for name in ("input_mtok", "output_mtok"):
        if getattr(rates, name, None) is None:
            return None
    return price.total_price


@lru_cache(maxsize=1024)
def _listed_id(provider: str, model: str) -> str | None:
    """The bundled list's own name of the model; None if it has no price for it."""
    library_id = LIBRARY_IDS.get(provider)
    if library_id is None or _listed(provider, model, genai_prices.Usage()) is None:
        return None
    price = genai_prices.calc_price(
        genai_prices.Usage(), model.removeprefix("models/"), provider_id=library_id
    )
    return price.model.id


def _up(micro_usd: Decimal) -> int:
    return int(micro_usd.to_integral_value(ROUND_CEILING))
