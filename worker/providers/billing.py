"""What an answer cost, and what about its usage has to be told. It makes no call.

A server's usage is believed where it can be true. One that states none, or only zeros beside an
answer, is counted here; one that cannot be read leaves the call's hold as possibly billed.
"""

from dataclasses import replace

from producer.contract.completions import Usage
from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest

from ..budgets.pricing import Pricing
from ..faults import ProviderError
from ..ledger.attempt import POSSIBLY_BILLED, Bill
from ..settings import Link
from .base import Call, Reply
from .tokens import Estimator
from .usages import UNREADABLE

COUNTED = "usage: not stated, so it was counted here"

SLACK_TOKENS = 1
"""A server may count the token that ends an answer, which is no part of what was asked for."""


class Billing:
    """Bills of calls, by this worker's prices and counts."""

    def __init__(self, pricing: Pricing, estimator: Estimator) -> None:
        self._pricing = pricing
        self._estimator = estimator

    def of_reply(self, link: Link, call: Call, reply: Reply) -> tuple[Reply, Bill]:
        """The bill, and the reply with the usage that it is by and with flags for what is odd."""
        flags = list(reply.flags)
        usage = reply.usage
        if UNREADABLE not in flags and not _counts_anything(usage):
            usage = self._own_count(link, call.request, reply)
            flags.append(COUNTED)
        model = self.priced_model(link, reply.model)
        bill = POSSIBLY_BILLED
        if usage:
            bill = self._bill(link, model, usage)
        if bill.kind != "real":
            usage = None
            flags += [UNREADABLE] * (UNREADABLE not in flags)
        elif bill.output_tokens > call.max_tokens + SLACK_TOKENS:
            asked = f"{call.max_tokens:,}"
            flags.append(f"max_tokens: {bill.output_tokens:,} tokens came, {asked} were asked for")
        if model != link.model:
            flags.append(f"model: {model} answered instead of {link.model}")
        return replace(reply, usage=usage, flags=tuple(flags)), bill

    def of_failure(self, link: Link, error: ProviderError) -> Bill:
        """Of an answer that is of no use: what it says that it took, else possibly its hold."""
        if not _counts_anything(error.usage):
            return POSSIBLY_BILLED
        assert error.usage
        return self._bill(link, self.priced_model(link, error.model), error.usage)

    def priced_model(self, link: Link, answered: str) -> str:
        """The model that the call is booked as."""
        return self._pricing.answered_model(link.provider, link.model, answered)

    def _bill(self, link: Link, model: str, usage: Usage) -> Bill:
        price = self._pricing.cost(link.provider, model, usage)
        return Bill.of_reply(price.micro_usd, usage)

    def _own_count(self, link: Link, sent: CompletionRequest, reply: Reply) -> Usage:
        calls = "".join(
            f"{each.function.name}{each.function.arguments}" for each in reply.tool_calls
        )
        answer = Message(role="assistant", content=reply.text + calls)
        answered = CompletionRequest(messages=(answer,))
        return Usage(
            input=self._estimator.count(sent, link.provider, link.model),
            output=self._estimator.count(answered, link.provider, link.model),
        )


def _counts_anything(usage: Usage | None) -> bool:
    return usage is not None and usage.input + usage.output > 0
