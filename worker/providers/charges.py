"""What a server says of a call's price: its service tier, and what was charged. Pure."""

import re
from decimal import ROUND_CEILING, Decimal, InvalidOperation

from ..ledger.attempt import MOST_MICRO_USD
from .bodies import MOST_DIGITS, Json, mapping

MOST = 10**18
"""No provider charges more, in whatever unit."""


def service_tier(stated: object) -> str:
    """The tier in small letters; "" for the standard one in any vendor's words, and for none."""
    if not isinstance(stated, str):
        return ""
    tier = stated.strip().lower().removeprefix("service_tier_").removeprefix("on_demand_")
    if tier in _STANDARD_TIERS or not _TIER.fullmatch(tier):
        return ""
    return tier


_TIER = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_STANDARD_TIERS = {
    "standard",  # Anthropic, Gemini, Bedrock
    "default",  # OpenAI, xAI
    "auto",  # what was asked for, said by servers that do not know the field
    "standard_only",
    "unspecified",  # Gemini
    "on_demand",  # Groq, Vertex
    "scale",  # OpenAI: paid beforehand
    "provisioned_throughput",  # Vertex: the same
    "traffic_type_unspecified",
}


def charged_micro_usd(fields: Json) -> int | None:
    """What the provider says it charged, rounded up; None if it says nothing that can be true.

    OpenRouter's `cost` is dollars; of one's own key at a vendor it leaves out what that vendor
    charges. Perplexity's is an object with a `total_cost`. A tick of xAI is 1e-10 dollars.
    DeepInfra calls it `estimated_cost`.
    """
    ticks = _amount(fields.get("cost_in_usd_ticks"))
    if ticks is not None:
        return _micro_usd(ticks / 10**10)
    cost = fields.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    dollars = _amount(cost)
    if dollars is None:
        dollars = _amount(fields.get("estimated_cost"))
    if dollars is None:
        return None
    if fields.get("is_byok") is True:
        upstream = mapping(fields.get("cost_details")).get("upstream_inference_cost")
        dollars += _amount(upstream) or 0
    return _micro_usd(dollars)


def _amount(value: object) -> Decimal | None:
    """A number from 0 to `MOST`, also as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value)[:MOST_DIGITS])
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount <= MOST:
        return None
    return amount


def _micro_usd(dollars: Decimal) -> int | None:
    if dollars * 1_000_000 > MOST_MICRO_USD:
        return None
    return int((dollars * 1_000_000).to_integral_value(ROUND_CEILING))
