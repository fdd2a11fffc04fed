"""What an answer cost, and what about its usage has to be told. It makes no call.

A server's usage is believed where it can be true. One that states none, or only zeros beside an
answer, is counted here; one that cannot be read, or cannot be true, leaves the call's hold as
possibly billed.
"""

from dataclasses import replace

from producer.contract.completions import Usage
from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest

from ..budgets.pricing import Pricing
from ..budgets.search_fees import ONCE, search_fee
from ..faults import ProviderError
from ..ledger.attempt import POSSIBLY_BILLED, Bill
from ..settings import Link
from .base import Call, Reply
from .tokens import Estimator, upper_bound
from .usages import UNREADABLE

COUNTED = "usage: not stated, so it was counted here"
IMPOSSIBLE = "usage: more than the request can have caused"

SLACK_TOKENS = 1
"""A server may count the token that ends an answer, which is no part of what was asked for."""

INPUT_FACTOR = 10
INPUT_MARGIN = 20_000
"""A prompt has at most as many tokens as bytes. Servers add words of their own to it (templates,
instructions, what they found on the web), and images cost up to ten times what is assumed of them.
"""

OUTPUT_FACTOR = 10
OUTPUT_MARGIN = 200_000
"""Servers that do not heed the limit stop at the model's own; none writes more at once."""


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
        if usage and (reason := impossible(call, usage)):
            usage = None
            flags.append(f"{IMPOSSIBLE} ({reason}), so what the call cost is not known")
        model = self.priced_model(link, reply.model)
        bill = POSSIBLY_BILLED
        if usage:
            if call.request.web_search_options and link.adapter in ONCE:
                usage = usage.model_copy(update={"searches": 1})
            if usage is not reply.usage:
                reply = replace(reply, usage=usage)
            bill, notes = self._bill(link, model, reply)
            flags += notes
        if bill.kind != "real":
            flags += [UNREADABLE] * (usage is not None and UNREADABLE not in flags)
            usage = None
        elif not bill.estimated and bill.output_tokens > call.most_output + SLACK_TOKENS:
            asked = f"{call.most_output:,}"
            flags.append(f"max_tokens: {bill.output_tokens:,} tokens came, {asked} were asked for")
        if model != link.model:
            flags.append(f"model: {model} answered instead of {link.model}")
        if usage is not reply.usage or len(flags) > len(reply.flags):
            reply = replace(reply, usage=usage, flags=tuple(flags))
        return reply, bill

    def of_failure(self, link: Link, call: Call, error: ProviderError) -> Bill:
        """Of an answer that is of no use: what it says that it took, else possibly its hold."""
        usage = error.usage
        if usage is None or not _counts_anything(usage) or impossible(call, usage):
            return POSSIBLY_BILLED
        model = self.priced_model(link, error.model)
        answer = Reply(
            text="",
            finish="stop",
            model=model,
            usage=usage,
            service_tier=error.service_tier,
            charged_micro_usd=error.charged_micro_usd,
        )
        bill, _ = self._bill(link, model, answer)
        return bill

    def priced_model(self, link: Link, answered: str) -> str:
        """The model whose prices hold for the call."""
        return self._pricing.answered_model(link.provider, link.model, answered)

    def _bill(self, link: Link, model: str, reply: Reply) -> tuple[Bill, list[str]]:
        """The bill of a reply with a usage, and what is to be told of its price."""
        usage = reply.usage or Usage()
        price = self._pricing.cost(link.provider, model, usage, reply.service_tier)
        micro_usd = price.micro_usd + search_fee(link, usage.searches)
        notes = []
        estimated = usage.estimated or not price.known
        if not price.known and reply.charged_micro_usd is not None:
            micro_usd = reply.charged_micro_usd
            estimated = False
            notes.append("usage: no price known, so it is booked at the provider's own charge")
        elif not price.known:
            notes.append("usage: no price known, so it is booked at LLM_UNKNOWN_PRICE")
        elif not price.tier_known:
            tier = reply.service_tier
            notes.append(f"usage: no price known of the service tier {tier}; the standard one")
        bill = Bill.of_reply(micro_usd, usage)
        if bill.kind != "real":
            return bill, []
        booked_as = ""
        if model != link.model:
            booked_as = f"{link.provider}:{self._pricing.booked_name(link.provider, model)}"
        if estimated or booked_as:
            bill = replace(bill, estimated=estimated, booked_as=booked_as)
        return bill, notes

    def _own_count(self, link: Link, sent: CompletionRequest, reply: Reply) -> Usage:
        written = reply.reasoning
        for text, calls in reply.said:
            written += text
            for each in calls:
                written += each.function.name + each.function.arguments
        answer = Message(role="assistant", content=written)
        answered = CompletionRequest(messages=(answer,))
        output = 0
        if not reply.vectors:
            output = self._estimator.count(answered, link.provider, link.model)
        return Usage(
            input=self._estimator.count(sent, link.provider, link.model),
            output=output,
            estimated=True,
        )


def impossible(call: Call, usage: Usage) -> str:
    """Which of its counts the request cannot have caused; "" if it can have caused both."""
    beyond = usage.input - INPUT_MARGIN
    if beyond > 0 and beyond > INPUT_FACTOR * upper_bound(call.request):
        return f"{usage.input:,} tokens of input"
    if usage.output > OUTPUT_FACTOR * call.most_output + OUTPUT_MARGIN:
        return f"{usage.output:,} tokens of output"
    return ""


def _counts_anything(usage: Usage | None) -> bool:
    return usage is not None and usage.input + usage.output > 0
