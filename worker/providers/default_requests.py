"""What would become of a request that says nothing but its question, at every link. Pure.

Tried are an interactive job, a batch job, and one part of a long document.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest

from ..budgets.pricing import how_to_price, unpriced
from ..model_catalog import NO_FACTS, Model
from ..settings import VENDORS, Link, Settings
from . import load
from .base import Embedder
from .selection import LinkSelector

_QUESTION = CompletionRequest.model_validate(
    {"messages": [{"role": "user", "content": "What is the capital of France?"}]}
)
_BATCH_QUESTION = _QUESTION.model_copy(update={"lane": "batch"})


class _Trial(NamedTuple):
    """A request in words, its tokens, and the lane that it is asked in."""

    what: str
    input_tokens: int
    max_tokens: int
    setting: str
    """What makes its answer or its prompt shorter."""


class DefaultRequests:
    """Looks at the settings and at what is known of models and prices; makes no call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._models = settings.models.known
        self._selection = LinkSelector.of(settings)
        self._pricing = self._selection.pricing
        self._estimator = self._selection.estimator

    def warnings(self) -> list[str]:
        """Everything that is wrong, each once."""
        found: dict[str, None] = {}
        for link in self._links():
            found |= dict.fromkeys(self._problems(link))
        found |= dict.fromkeys(self._batch_problems())
        for link in self._settings.embedding_links:
            found |= dict.fromkeys(self._embedding_problems(link))
        return list(found)

    def refused_everywhere(self) -> bool:
        """Whether no link of the chain can take a question as it is."""
        return all(self._over_cap(link, self._question(link)) for link in self._settings.links)

    def _links(self) -> list[Link]:
        """Those of interactive and of batch jobs."""
        links = {link.name: link for link in self._settings.links}
        with suppress(InvalidRequest):  # `_batch_problems` says so
            links |= {link.name: link for link in self._selection.allowed(_BATCH_QUESTION)}
        return list(links.values())

    def _problems(self, link: Link) -> Iterator[str]:
        yield from self._unknown_model(link)
        question = self._question(link)
        if not self._pricing.worst(link.provider, link.model, 1, 1).known:
            yield self._no_price(link, self._refused_at_the_ceiling(link))
        elif self._over_cap(link, question):
            yield self._cap_too_small(link, question)
        elif self._over_cap(link, part := self._part(link)):
            yield self._cap_too_small(link, part)
        yield from self._no_room(link, question)

    def _question(self, link: Link) -> _Trial:
        tokens = self._estimator.bounds(_QUESTION, link.provider, link.model).high
        max_tokens = self._settings.call.max_tokens
        return _Trial("a question", tokens, self._most(link, max_tokens), "LLM_MAX_TOKENS")

    def _part(self, link: Link) -> _Trial:
        summary = self._settings.summary
        return _Trial(
            "a part of a document",
            summary.part_tokens,
            self._most(link, summary.condensed_tokens),
            "LLM_DOCUMENT_PART_TOKENS",
        )

    def _most(self, link: Link, max_tokens: int) -> int:
        return min(max_tokens, self._facts(link).output or max_tokens)

    def _facts(self, link: Link) -> Model:
        return self._models.of(link.provider, link.model)

    def _worst_usd(self, link: Link, trial: _Trial) -> float:
        price = self._pricing.worst(
            link.provider,
            link.model,
            trial.input_tokens,
            trial.max_tokens,
        )
        return price.micro_usd / 1_000_000

    def _over_cap(self, link: Link, trial: _Trial) -> bool:
        cap = self._settings.quota.max_cost_per_request
        return cap is not None and self._worst_usd(link, trial) > cap

    def _unknown_model(self, link: Link) -> Iterator[str]:
        """Of vendors whose models are known; a server at another URL may have any."""
        if link.model in self._models.aliases:
            yield (
                f"UNKNOWN_MODEL: {link.name}: {link.model} is an alias, and stands for no model of "
                f"{link.provider}. Fix: name the model in LLM_CHAIN, or say in LLM_MODELS_FILE "
                "what it stands for"
            )
        if link.provider not in VENDORS or link.base_url:
            return
        listed = self._pricing.listed_rates(link.provider, link.model)
        if listed is None and self._facts(link) == NO_FACTS:
            yield (
                f"UNKNOWN_MODEL: {link.name}: no list of {link.provider}'s models has "
                f"{link.model}: misspelt? Else LLM_MODELS_FILE and LLM_PRICES can name it"
            )

    def _embedding_problems(self, link: Link) -> Iterator[str]:
        yield from self._unknown_model(link)
        if not issubclass(load(link.adapter), Embedder):
            yield (
                f"NO_EMBEDDINGS: {link.name}: its API makes none. "
                "Fix: remove it from LLM_EMBEDDING_CHAIN"
            )
        elif not self._pricing.worst(link.provider, link.model, 1, 0).known:
            yield self._no_price(link, "")

    def _no_price(self, link: Link, consequence: str) -> str:
        ceiling = self._settings.pricing.unknown
        return (
            f"NO_PRICE: {unpriced(link.name)}: its calls are reserved and booked at "
            f"LLM_UNKNOWN_PRICE ({ceiling.input:f}/{ceiling.output:f}){consequence}. "
            f"Fix: add {how_to_price(link.name)}"
        )

    def _refused_at_the_ceiling(self, link: Link) -> str:
        question = self._question(link)
        if not self._over_cap(link, question):
            return ""
        return (
            f", so a question of {question.max_tokens:,} tokens of answer is beyond "
            "LLM_MAX_COST_PER_REQUEST and refused"
        )

    def _cap_too_small(self, link: Link, trial: _Trial) -> str:
        cap = self._settings.quota.max_cost_per_request
        worst = self._worst_usd(link, trial)
        enough = math.ceil(worst * 100) / 100
        return (
            f"CAP_TOO_SMALL: {trial.what} at {link.name} may cost ${worst:.4f} "
            f"({trial.input_tokens:,} tokens of prompt, {trial.max_tokens:,} of answer), and "
            f"LLM_MAX_COST_PER_REQUEST is {cap}: it is refused. "
            f"Fix: LLM_MAX_COST_PER_REQUEST={enough:.2f}, or a smaller {trial.setting}"
        )

    def _no_room(self, link: Link, question: _Trial) -> Iterator[str]:
        room = self._selection.room(link, question.max_tokens)
        if room is not None and room < question.input_tokens:
            yield (
                f"NO_ROOM: LLM_MAX_TOKENS={question.max_tokens} leaves no room for a question in "
                f"the window of {link.name}. Fix: lower LLM_MAX_TOKENS"
            )
        quota = self._settings.quota
        tokens = question.input_tokens + question.max_tokens
        if quota.tokens_per_hour is not None and tokens > quota.tokens_per_hour:
            yield (
                f"LIMIT_TOO_SMALL: a question at {link.name} may take {tokens:,} tokens, more than "
                f"LLM_USER_TOKENS_PER_HOUR={quota.tokens_per_hour}. Fix: raise it to {tokens} or "
                "more, or lower LLM_MAX_TOKENS"
            )
        for name, limit in (
            ("LLM_USER_USD_PER_DAY", quota.user_usd_per_day),
            ("LLM_USER_USD_PER_WEEK", quota.user_usd_per_week),
            ("LLM_USER_USD_PER_MONTH", quota.user_usd_per_month),
            ("LLM_USD_PER_DAY", quota.usd_per_day),
            ("LLM_USD_PER_WEEK", quota.usd_per_week),
            ("LLM_USD_PER_MONTH", quota.usd_per_month),
        ):
            if limit is not None and self._worst_usd(link, question) > limit:
                yield (
                    f"LIMIT_TOO_SMALL: a question at {link.name} may cost "
                    f"${self._worst_usd(link, question):.4f}, more than {name}={limit}. "
                    "Fix: raise it, or lower LLM_MAX_TOKENS"
                )

    def _batch_problems(self) -> Iterator[str]:
        try:
            self._selection.allowed(_BATCH_QUESTION)
        except InvalidRequest:
            yield (
                f"UNKNOWN_MODEL: LLM_BATCH_MODEL={self._settings.models.batch} is no alias, model "
                "or link of the chain: batch jobs that name no model are refused. Fix: correct it, "
                "or unset it for the chain as it is"
            )
