"""Prices as an operator writes them: `LLM_PRICES` and `LLM_UNKNOWN_PRICE`."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import Field
from pydantic_settings import NoDecode

from .base import Slice, variable, written_as

FORCED = "!"
KINDS = ("input", "output", "cached", "cache write", "cache write for an hour")
_NAME = re.compile(r"[^\s:=]+:[^\s=]+")
_FORM = "input/output, or input/output/cached/cache write/cache write for an hour"


@dataclass(frozen=True)
class Rates:
    """One model's prices in dollars per million tokens, which are micro-dollars per token.

    `cached` and `cache_write` None: as plain input. `cache_write_1h` None: as `cache_write`.
    `above`: (tokens, rates) of requests with more input than that, smallest first; they hold for
    the whole request. `forced`: not compared with the known price.
    """

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    above: tuple[tuple[int, "Rates"], ...] = ()
    forced: bool = False

    def at(self, input_tokens: int) -> "Rates":
        """Those of a request with so much input."""
        found = self
        for tokens, rates in self.above:
            if input_tokens > tokens:
                found = rates
        return found


def rows(text: str) -> dict[str, Rates]:
    """From "provider:model=RATES,provider:*=RATES". Raises `ValueError` that says the place.

    A name may end with "@" and a service tier: "openai:gpt-5.4@flex".
    """
    found: dict[str, Rates] = {}
    items = [item.strip() for item in text.split(",") if item.strip()]
    for number, item in enumerate(items, start=1):
        name, _, value = item.partition("=")
        name = name.strip()
        if not value or not _NAME.fullmatch(name):
            raise ValueError(f"row {number}: write it as provider:model=input/output")
        if name in found:
            raise ValueError(f"row {number}, {name}: it is named twice")
        try:
            found[name] = rates(value.strip())
        except ValueError as error:
            raise ValueError(f"row {number}, {name}: {error}") from None
    return found


def rates(text: str) -> Rates:
    """From "input/output", with more prices, larger requests and "!" where they are wanted:
    "1.25/10/0.125+200000:2.5/15/0.25!".
    """
    forced = text.endswith(FORCED)
    first, *larger = text.removesuffix(FORCED).split("+")
    steps = []
    for step in larger:
        tokens, colon, prices = step.partition(":")
        if not colon or not tokens.isdecimal():
            raise ValueError("larger requests are written +200000:input/output, after the others")
        steps.append((int(tokens), _prices(prices)))
    if [tokens for tokens, _ in steps] != sorted({tokens for tokens, _ in steps}):
        raise ValueError("larger requests are written in order, the smallest first")
    return replace(_prices(first), above=tuple(steps), forced=forced)


def _prices(text: str) -> Rates:
    """Two to five; "-" for one that is not given."""
    parts = text.split("/")
    if not 2 <= len(parts) <= len(KINDS):
        raise ValueError(f"prices are written {_FORM}, in dollars per million tokens: 0.15/0.60")
    padded = [*parts, *"-" * (len(KINDS) - len(parts))]
    prices = (_price(kind, part.strip()) for kind, part in zip(KINDS, padded, strict=True))
    per_input, per_output, cached, cache_write, cache_write_1h = prices
    if per_input is None or per_output is None:
        raise ValueError("input and output need a price")
    return Rates(per_input, per_output, cached, cache_write, cache_write_1h)


def _price(kind: str, text: str) -> Decimal | None:
    if text == "-":
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{kind} is no number: prices are written 0.15/0.60") from None
    if not amount.is_finite() or amount < 0 or amount > 1_000_000:
        raise ValueError(f"{kind} must be a number from 0 to 1,000,000")
    return amount


class PricingSettings(Slice):
    """The operator's own prices."""

    overrides: Annotated[dict[str, Rates], NoDecode, written_as(rows)] = Field(
        default_factory=dict, validation_alias="LLM_PRICES"
    )
    unknown: Annotated[Rates, NoDecode, written_as(rates)] = variable(
        "LLM_UNKNOWN_PRICE", Rates(Decimal(50), Decimal(200))
    )
    """The ceiling at which a model without a known price is reserved and booked."""
