"""What a call can cost at worst, and what it did cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from producer.contract.completions import Usage

from ..settings import Link, Rates
from .price_list import LIBRARY_IDS, Tokens, by_rates, listed, listed_id, resembling, vendor_at

BUILT_IN: Mapping[str, Rates] = {"simulator:*": Rates(Decimal("0.15"), Decimal("0.60"))}
"""Prices of what no price list knows.

The simulator costs as much as gpt-4o-mini, so that a demo shows realistic figures.
"""

FREE = Rates(Decimal(0), Decimal(0))

DEARER: Mapping[str, tuple[str, ...]] = {
    "auto": (),
    "default": (),
    "fast": ("fast", "priority"),
}
"""A tier that is asked for -> those that it may be served and priced as, beside the standard one.
"""

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


class Pricing:
    """Prices of calls in whole micro-dollars.

    They are rounded up, so that a sum of bookings is never below the bill.

    `overrides`: "provider:model" or "provider:*", with "@tier" for one service tier. They win over
    everything, and may be 0 for a server of one's own. Then come `BUILT_IN` and `FINE_TUNED`, then
    the price list bundled with genai-prices (0.2.3; offline) with its dates, tiers and cache
    prices. `unknown`: the ceiling for models that none of them knows; such a call is never booked
    at 0. `links`: whose base URLs say which vendor's prices hold, and which are free: at such a
    link only an override of the operator's costs.

    `model` is the configured name, not the dated one that a reply reports: overrides are looked up
    by it. If another known model answered, it is that one's (`answered_model`).

    A price takes some 15 us of CPU: what the list says of a model is kept (`price_list`).
    """

    def __init__(
        self, overrides: Mapping[str, Rates], unknown: Rates, links: Iterable[Link] = ()
    ) -> None:
        links = tuple(links)
        free = {f"{link.provider}:*": FREE for link in links if link.free}
        self._rows = {**BUILT_IN, **free, **overrides}
        self._unknown = unknown
        self._vendors = {**LIBRARY_IDS}
        for link in links:
            if vendor := vendor_at(link.base_url or ""):
                self._vendors[link.provider] = vendor

    def worst(
        self,
        provider: str,
        model: str,
        input_tokens: int,
        output_tokens: int,
        tier: str = "",
        for_an_hour: bool = False,
    ) -> Price:
        """The most a call with at most so many tokens can cost, at the standard service tier or at
        the one that is asked for, whichever is dearer: a provider may serve it at either.

        All input counts as written to the provider's cache, where writing costs extra (a quarter on
        gpt-6 and Claude): OpenAI caches without being asked. `for_an_hour`: some of it is to be
        kept so long, which costs twice as much as not to keep it (Claude).
        """
        tokens = Tokens(max(input_tokens, 0), max(output_tokens, 0))
        kinds = [tokens._replace(written=tokens.input)]
        if for_an_hour:
            kinds.append(kinds[0]._replace(written_1h=tokens.input))
        if self.row_of(provider, model):
            # Where writing costs nothing extra, an operator may have said that it costs nothing.
            kinds.append(tokens)
        tiers = {"", *DEARER.get(tier, (tier,))}
        prices = [self._price(provider, model, each, t) for each in kinds for t in sorted(tiers)]
        return max(prices, key=lambda price: price.micro_usd)

    def cost(self, provider: str, model: str, usage: Usage, tier: str = "") -> Price:
        """What a call with this usage cost, at the service tier that served it ("" = the standard
        one).

        Counts that contradict each other are cut to what is possible.
        """
        asked = max(usage.input, 0)
        cached = min(max(usage.cached, 0), asked)
        written = min(max(usage.cache_written, 0), asked - cached)
        tokens = Tokens(
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
        theirs = listed_id(self._vendors.get(provider), answered)
        if theirs is None or theirs == listed_id(self._vendors.get(provider), asked):
            return asked
        return answered

    def booked_name(self, provider: str, model: str) -> str:
        """The name that a known model is booked under: the list's own, of which there are few."""
        if f"{provider}:{model}" in self._rows:
            return model
        return listed_id(self._vendors.get(provider), model) or model

    def listed_rates(self, provider: str, model: str) -> tuple[Decimal, Decimal] | None:
        """Dollars per million tokens (input, output) by the price list alone."""
        vendor = self._vendors.get(provider)
        per_input = listed(vendor, model, Tokens(_SAMPLE, 0), "")
        per_output = listed(vendor, model, Tokens(0, _SAMPLE), "")
        if per_input is None or per_output is None:
            return None
        return per_input.micro_usd / _SAMPLE, per_output.micro_usd / _SAMPLE

    def row_of(self, provider: str, model: str) -> str:
        """The name of the operator's or built-in row that prices the model; "" if none does."""
        names = (f"{provider}:{model}", f"{provider}:*")
        return next((name for name in names if name in self._rows), "")

    def _price(self, provider: str, model: str, tokens: Tokens, tier: str) -> Price:
        row, tier_known = self._row(provider, model, tier)
        if row is not None:
            return Price(_up(by_rates(row, tokens)), True, tier_known)
        found = listed(self._vendors.get(provider), model, tokens, tier)
        if found is not None:
            return Price(_up(found.micro_usd), True, found.tier_known)
        return Price(_up(by_rates(self._unknown, tokens)), known=False)

    def _row(self, provider: str, model: str, tier: str) -> tuple[Rates | None, bool]:
        """The row that prices the model, and whether it is the tier's own."""
        for name in (f"{provider}:{model}", f"{provider}:*"):
            if tier and (row := self._rows.get(f"{name}@{tier}")):
                return row, True
            if row := self._rows.get(name):
                return row, not tier
        return None, True


def unpriced(link: str) -> str:
    """What is said of a model without a known price: it may be misspelt."""
    meant = resembling(link.partition(":")[2])
    doubt = f" (misspelt? There is {meant})" if meant else ""
    return f"no price known for {link}{doubt}"


def how_to_price(link: str) -> str:
    """What an operator does about a model without a known price."""
    row = f"{link}=INPUT/OUTPUT"
    free = f"LLM_LINK_{link.partition(':')[0].upper().replace('-', '_')}_FREE=true"
    return f"{row} to LLM_PRICES, in dollars per million tokens, or set {free} if it costs nothing"


def _up(micro_usd: Decimal) -> int:
    return int(micro_usd.to_integral_value(ROUND_CEILING))
