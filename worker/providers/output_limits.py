"""How long an answer may be when a request leaves that to the provider (`defaults="provider"`).

The model's own maximum bounds it, and none is sent. An operator's limits stay what they are: where
they leave room for less, that much is asked for.
"""

from typing import NamedTuple

from ..budgets.pricing import Pricing
from ..model_catalog import Models
from ..settings import CallSettings, Link, QuotaSettings
from .tokens import Bounds

HOURS_SHARE = 4
"""One call holds at most this part of the tokens that a user may use in an hour."""


class OutputLimit(NamedTuple):
    """The most output tokens of a call."""

    tokens: int
    sent: bool = True
    """Whether the provider must be told; if not, it is the model's own."""


class OutputLimits:
    def __init__(
        self, call: CallSettings, quota: QuotaSettings, models: Models, pricing: Pricing
    ) -> None:
        self._usual = call.max_tokens
        self._quota = quota
        self._models = models
        self._pricing = pricing

    def of(self, link: Link, prompt: Bounds, choices: int = 1) -> OutputLimit:
        """Of each of so many answers to a prompt of so many tokens. Of a model whose maximum is not
        known: the usual one.
        """
        facts = self._models.of(link.provider, link.model)
        if facts.output is None:
            return OutputLimit(self._usual)
        own = facts.output
        least = min(self._usual, own)
        if facts.window:
            own = max(min(own, facts.window - prompt.low), least)
        hour = self._quota.tokens_per_hour
        hours = own * choices if hour is None else hour // HOURS_SHARE - prompt.high
        affordable = self._affordable(link, prompt.high, own * choices) // choices
        tokens = max(least, min(own, hours // choices, affordable))
        return OutputLimit(tokens, sent=tokens < own)

    def _affordable(self, link: Link, prompt: int, tokens: int) -> int:
        """As many of `tokens` as the cap per request leaves beside the prompt."""
        cap = self._quota.max_cost_per_request
        whole = self._pricing.worst(link.provider, link.model, prompt, tokens).micro_usd
        if cap is None or whole <= cap * 1_000_000:
            return tokens
        bare = self._pricing.worst(link.provider, link.model, prompt, 0).micro_usd
        return int(tokens * (cap * 1_000_000 - bare) // (whole - bare)) - 1
