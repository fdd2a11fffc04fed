"""Rows of `LLM_PRICES` that cannot be meant, by what is known of prices and of the chain."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from ..model_catalog import Models
from ..settings import Link, PricingSettings, Rates
from .pricing import Pricing

FACTOR = 500
"""A price that is so many times the known one, or less than that share of it, is in another unit:
per token, or per thousand tokens.
"""

TINY = Decimal("0.0001")
"""Dollars per million tokens. No model is so cheap; a price per token is."""


class PriceChecks:
    """Looks at the rows by themselves and at those that price the chain's links."""

    def __init__(self, settings: PricingSettings, links: Iterable[Link], models: Models) -> None:
        self._rows = settings.overrides
        self._links = tuple(links)
        self._models = models
        self._list = Pricing({}, settings.unknown, self._links)

    def refusals(self) -> Iterator[str]:
        """What is wrong with rows that are far from the known price and not forced."""
        for name, rates in self._rows.items():
            if rates.forced:
                continue
            for provider, model in self._priced_by(name):
                known = self._list.listed_rates(provider, model)
                reason = known and _too_far(rates, known)
                if reason:
                    yield f"{name}: {reason} of {model}"
                    break

    def not_free(self) -> Iterator[tuple[Link, str]]:
        """The links declared free at a vendor that bills them, and why they cannot be."""
        for link in self._links:
            known = self._list.listed_rates(link.provider, link.model)
            if link.free and known and any(known):
                per_input, per_output = known
                yield link, f"{link.name} costs {per_input:f}/{per_output:f} per million tokens"

    def warnings(self) -> Iterator[str]:
        """About rows that price nothing here, and prices that look like those of single tokens."""
        for name, rates in self._rows.items():
            if not self._matches(name):
                yield (
                    f"UNUSED_PRICE: LLM_PRICES: {name} matches no link of the chain. "
                    f"Fix: name one of {', '.join(link.name for link in self._links)}"
                )
            elif not rates.forced and any(0 < each < TINY for each in (rates.input, rates.output)):
                yield (
                    f"PRICE_PER_TOKEN: LLM_PRICES: {name}: dollars per million tokens are wanted, "
                    "and this looks like dollars per token. Fix: multiply it by 1,000,000, or end "
                    "the row with !"
                )

    def _priced_by(self, name: str) -> list[tuple[str, str]]:
        """The (provider, model) pairs that the row prices, as far as they are known here."""
        provider, _, model = name.partition("@")[0].partition(":")
        if model != "*":
            return [(provider, model)]
        return [(link.provider, link.model) for link in self._links if link.provider == provider]

    def _matches(self, name: str) -> bool:
        """Whether the row prices a link, a model that an alias stands for, or one that may answer
        in the place of a link's.
        """
        provider, _, model = name.partition("@")[0].partition(":")
        if provider not in {link.provider for link in self._links}:
            return False
        asked = {link.model for link in self._links if link.provider == provider}
        asked |= set(self._models.vendor(provider).aliases.values())
        if model == "*" or model in asked:
            return True
        return self._list.listed_rates(provider, model) is not None


def _too_far(rates: Rates, known: tuple[Decimal, Decimal]) -> str:
    pairs = zip(("input", "output"), (rates.input, rates.output), known, strict=True)
    for kind, own, listed in pairs:
        if own == 0 or listed == 0:
            continue
        if own * FACTOR <= listed:
            times = int(listed / own)
            return f"{kind} {own:f} is {times:,} times less than the known price {listed:f}"
        if own >= listed * FACTOR:
            times = int(own / listed)
            return f"{kind} {own:f} is {times:,} times the known price {listed:f}"
    return ""
