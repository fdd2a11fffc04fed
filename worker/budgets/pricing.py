"""What a call can cost at worst, and what it did cost. The only importer of genai_prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal

import genai_prices

# Loaded with the module: 0.5 s of CPU that a first job would wait for, and memory that forked
# children share.
import genai_prices.data

from producer.contract.completions import Usage

Row = tuple[Decimal, Decimal]
"""Dollars per million tokens: (input, output). Dollars per million tokens are also micro-dollars
per token.
"""

BUILT_IN: Mapping[str, Row] = {"simulator:*": (Decimal("0.15"), Decimal("0.60"))}
"""Prices of what no price list knows. The simulator costs as much as gpt-4o-mini, so that a demo
shows real figures.
"""

LIBRARY_IDS: Mapping[str, str] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "gemini-legacy": "google",
    "google": "google",
}
"""Our provider names -> genai-prices' ids. Closed on purpose: the library also matches loosely, and
a gateway that happens to be called "azure" or "groq" here would silently get somebody's list
prices.
"""

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Price:
    """Micro-dollars (1e-6 USD), rounded up. `known` False: no price was found and the ceiling was
    taken.
    """

    micro_usd: int
    known: bool


class Pricing:
    """Prices of calls in whole micro-dollars, rounded up, so that a sum of bookings never falls
    short of the bill.

    `overrides`: "provider:model" or "provider:*" -> (input, output) in dollars per million tokens;
    they win over everything, bill cached input as plain input, and may be 0 for a server of one's
    own. Then `BUILT_IN`, then the price list bundled with genai-prices (0.2.3; offline) with its
    dates, tiers and cache prices. `unknown`: the ceiling for models none of them knows; such a call
    is never booked at 0.

    `model` is the configured name, not the dated one a reply reports: an override is looked up by
    it. A price costs 0.25 ms of CPU, nearly all of it the library's sum; its lookups are cached by
    itself, hence no cache here.
    """

    def __init__(self, overrides: Mapping[str, Row], unknown: Row) -> None:
        self._rows = {**BUILT_IN, **overrides}
        self._unknown = unknown

    def worst(self, provider: str, model: str, input_tokens: int, output_tokens: int) -> Price:
        """The most a call with at most so many tokens can cost.

        All input counts as written to the provider's cache, where writing costs extra (a quarter on
        gpt-6 and Claude): OpenAI caches without being asked.
        """
        tokens = {"input_tokens": max(input_tokens, 0), "cache_write_tokens": max(input_tokens, 0)}
        return self._price(provider, model, tokens, max(output_tokens, 0))

    def cost(self, provider: str, model: str, usage: Usage) -> Price:
        """What a call that used `usage` cost. Counts that contradict each other are cut to what is
        possible.
        """
        asked = max(usage.input, 0)
        read = min(max(usage.cached, 0), asked)
        written = min(max(usage.cache_written, 0), asked - read)
        tokens = {"input_tokens": asked, "cache_read_tokens": read, "cache_write_tokens": written}
        return self._price(provider, model, tokens, max(usage.output, 0))

    def _price(
        self, provider: str, model: str, input_tokens: dict[str, int], output_tokens: int
    ) -> Price:
        row = self._rows.get(f"{provider}:{model}") or self._rows.get(f"{provider}:*")
        if row is None:
            listed = _listed(
                provider, model, genai_prices.Usage(**input_tokens, output_tokens=output_tokens)
            )
            if listed is not None:
                return Price(_up(listed * _MILLION), known=True)
        dear_in, dear_out = row or self._unknown
        return Price(
            _up(dear_in * input_tokens["input_tokens"] + dear_out * output_tokens),
            known=row is not None,
        )


def _listed(provider: str, model: str, usage: genai_prices.Usage) -> Decimal | None:
    """Dollars by the bundled list, as of now; None if it has no price per token for this model's
    input and output.
    """
    library_id = LIBRARY_IDS.get(provider)
    if library_id is None:
        return None
    try:
        price = genai_prices.calc_price(
            usage,
            model.removeprefix(
                "models/"
            ),  # how Gemini's own API lists its models; the library knows the bare names
            provider_id=library_id,
            genai_request_timestamp=datetime.now(UTC),
        )
    except LookupError:
        return None
    # The list also names models sold by the hour, by the character or not yet priced; their tokens
    # would cost 0.
    if (
        getattr(price.model_price, "input_mtok", None) is None
        or getattr(price.model_price, "output_mtok", None) is None
    ):
        return None
    return price.total_price


def _up(micro_usd: Decimal) -> int:
    return int(micro_usd.to_integral_value(ROUND_CEILING))
