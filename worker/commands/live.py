"""`completions check --live`: what each link's server answers to a few small calls.

They are made as a worker makes them, and booked on nobody's limits.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import click

from producer.contract.requests import CompletionRequest

from ..faults import Fault, ProviderError
from ..ledger.attempt import Bill
from ..loop import Loop
from ..providers import Reply, load
from ..providers.base import Call, Embedder
from ..providers.billing import Billing
from ..providers.clients import Clients
from ..providers.credentials import Credentials
from ..providers.selection import LinkSelector
from ..settings import Link, Settings

MAX_TOKENS = 400
"""Of each call: room for a model that reasons before it says a word."""

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


class Trial(NamedTuple):
    """One thing that a server may be able to do."""

    name: str
    request: CompletionRequest
    lacks: Callable[[Reply], str]
    """What a reply lacks, "" if nothing."""


def _nothing(reply: Reply) -> str:
    return ""


def _tool_call(reply: Reply) -> str:
    if not reply.tool_calls:
        return "it answers in words instead of calling the tool"
    if not _names_a_city(reply.tool_calls[0].function.arguments):
        return "it calls the tool with other arguments than this takes"
    return ""


def _json(reply: Reply) -> str:
    if not _names_a_city(reply.text):
        return "its answer is no JSON by the schema it was given"
    return ""


def _names_a_city(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("city"), str)


def _trial(name: str, lacks: Callable[[Reply], str], text: str, **options: Any) -> Trial:
    messages = [{"role": "user", "content": text}]
    request = CompletionRequest.checked(messages=messages, max_tokens=MAX_TOKENS, **options)
    return Trial(name, request, lacks)


WEATHER = {"name": "weather", "description": "The weather of a city now.", "parameters": CITY}
TRIALS = (
    _trial("answer", _nothing, "Reply with the word OK."),
    _trial(
        "tool call",
        _tool_call,
        "How is the weather in Paris? Call the tool to find out.",
        tools=[{"type": "function", "function": WEATHER}],
    ),
    _trial(
        "JSON",
        _json,
        'Which city is the capital of France? Answer as JSON: {"city": "..."}.',
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "city", "schema": CITY, "strict": True},
        },
    ),
)


VECTORS = (
    Trial(
        "vectors",
        CompletionRequest.checked(
            messages=[{"role": "user", "content": "A word."}],
            embedding={},
        ),
        lambda reply: "" if reply.vectors else "its answer has no vectors",
    ),
)
"""Of links that make embeddings."""


class LiveCheck:
    """Tries links, and says on the terminal what came of it."""

    def __init__(self, settings: Settings) -> None:
        settings = settings.for_errands
        chat = [(link, TRIALS) for link in settings.links]
        named = [link for link in settings.embedding_links if link in settings.named_links]
        self._trials = chat + [(link, VECTORS) for link in named]
        self._timeout_s = settings.call.timeout_s
        self._cap_usd = settings.quota.max_cost_per_request
        self._selection = LinkSelector.of(settings)
        self._pricing = self._selection.pricing
        self._estimator = self._selection.estimator
        self._billing = Billing(self._pricing, self._estimator)
        self._clients = Clients(Loop(), Credentials(settings.all_links, settings.sources))
        self._spent = 0
        self._maybe = 0

    def run(self) -> bool:
        """Whether every link answers. What a server cannot do besides is only said."""
        planned = [
            (link, trial)
            for link, trials in self._trials
            for trial in trials
            if not self._hindrance(link, trial)
        ]
        worst = sum(self._worst(link, trial) for link, trial in planned)
        click.echo(
            f"live: at most {len(planned)} calls, ${worst / 1e6:.6f} at worst; "
            "they count on nobody's limits"
        )
        answers = [self._try_link(link, trials) for link, trials in self._trials]
        self._clients.close()
        click.echo(
            f"live: spent ${self._spent / 1e6:.6f}, possibly billed ${self._maybe / 1e6:.6f}"
        )
        return all(answers)

    def _hindrance(self, link: Link, trial: Trial) -> str:
        """Why no call is made, "" if one is."""
        if trial.request.embedding and not issubclass(load(link.adapter), Embedder):
            return f"the adapter {link.adapter} makes no embeddings"
        if unsupported := load(link.adapter).unsupported(trial.request):
            return f"the adapter {link.adapter} cannot send {unsupported}"
        worst_usd = self._worst(link, trial) / 1e6
        if self._cap_usd is not None and worst_usd > self._cap_usd:
            return f"${worst_usd:.4f} at worst, and LLM_MAX_COST_PER_REQUEST is ${self._cap_usd}"
        return ""

    def _worst(self, link: Link, trial: Trial) -> int:
        prompt = self._estimator.bounds(trial.request, link.provider, link.model).high
        answer = 0 if trial.request.embedding else MAX_TOKENS
        return self._pricing.worst(link.provider, link.model, prompt, answer).micro_usd

    def _try_link(self, link: Link, trials: tuple[Trial, ...]) -> bool:
        click.echo(link.name)
        for trial in trials:
            able, said = self._try(link, trial)
            click.echo(f"  {trial.name:<9}  {said}")
            if trial is trials[0] and not able:
                return False
        return True

    def _try(self, link: Link, trial: Trial) -> tuple[bool, str]:
        """Whether the server can do it, and what is to be said of that."""
        if hindrance := self._hindrance(link, trial):
            return False, f"not tried: {hindrance}"
        try:
            reply = self._ask(link, trial, frozenset())
        except ProviderError as error:
            return False, f"no: {error}"
        lacks = trial.lacks(reply)
        if lacks and reply.finish == "length":
            return False, f"not known: the answer was cut at {MAX_TOKENS} tokens"
        if lacks:
            return False, f"no: {lacks}"
        return True, "; ".join(["yes", *reply.flags])

    def _ask(self, link: Link, trial: Trial, refused: frozenset[str]) -> Reply:
        """Also without a parameter that the model refuses, as a worker's next try is."""
        call = Call(
            job_id="check",
            model=link.model,
            request=trial.request,
            max_tokens=MAX_TOKENS,
            temperature=self._selection.temperature(link, trial.request),
            timeout_s=self._timeout_s,
            refused=refused,
        )
        try:
            reply = self._clients.call(link, call)
        except ProviderError as error:
            if error.fault is Fault.STALE and error.parameter not in refused:
                return self._ask(link, trial, refused | {error.parameter})
            self._book_failure(link, trial, call, error)
            raise
        reply, bill = self._billing.of_reply(link, call, reply)
        self._book(link, trial, bill)
        return reply

    def _book_failure(self, link: Link, trial: Trial, call: Call, error: ProviderError) -> None:
        if error.maybe_billed:
            self._book(link, trial, self._billing.of_failure(link, call, error))

    def _book(self, link: Link, trial: Trial, bill: Bill) -> None:
        if bill.kind == "real":
            self._spent += bill.micro_usd
        else:
            self._maybe += self._worst(link, trial)
