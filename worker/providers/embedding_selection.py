"""Which provider links may make a job's embeddings, and what that costs at worst.

Vectors of different models have nothing to do with each other, so only links of one model may stand
in for each other.
"""

from collections import Counter

from producer.contract.embeddings import MOST_BYTES
from producer.contract.errors import InvalidRequest, TooLong
from producer.contract.requests import CompletionRequest

from ..budgets.pricing import Pricing
from ..ledger.attempt import Candidate
from ..ledger.running_job import RunningJob
from ..model_catalog import Model, Models
from ..settings import Link
from . import load
from .base import Embedder
from .tokens import Estimator


class EmbeddingSelector:
    """Selects among the links of `LLM_EMBEDDING_CHAIN`. Makes no call."""

    def __init__(
        self, links: tuple[Link, ...], models: Models, pricing: Pricing, estimator: Estimator
    ) -> None:
        self._links = links
        self._models = models
        self._pricing = pricing
        self._estimator = estimator

    def allowed(self, request: CompletionRequest) -> list[Link]:
        """The links that may answer, in the operator's order.

        Raises `InvalidRequest` if there is none, `TooLong` if a text is too long for all of them.
        """
        named = self._named(request)
        left = [link for link in named if not {link.name, link.provider} & set(request.avoid)]
        if not left:
            raise InvalidRequest(
                "avoid: leaves no link to answer. Fix: allow at least one", {"fields": ["avoid"]}
            )
        reasons = {link.name: self._unfit(link, request) for link in left}
        fit = [link for link in left if not reasons[link.name]]
        if not fit:
            first = left[0].name
            raise InvalidRequest(
                f"{first} cannot make {reasons[first]}, nor can another allowed link"
            )
        whole = [link for link in fit if not self._too_long(link, request)]
        if not whole:
            raise TooLong(self._too_long(fit[0], request), {"link": fit[0].name})
        return whole

    def candidates(self, job: RunningJob) -> list[Candidate]:
        """The allowed links with the next attempt's worst case, the one least tried first."""
        tried = Counter(each.link for each in job.tried)
        links = sorted(self.allowed(job.request), key=lambda link: tried[link.name])
        return [self._candidate(link, job.request) for link in links]

    def _candidate(self, link: Link, request: CompletionRequest) -> Candidate:
        tokens = self._estimator.bounds(request, link.provider, link.model).high
        worst = self._pricing.worst(link.provider, link.model, tokens, 0)
        return Candidate(
            link,
            max_tokens=0,
            micro_usd=worst.micro_usd,
            tokens=tokens,
            priced=worst.known,
            prompt_tokens=tokens,
            prompt_micro_usd=worst.micro_usd,
        )

    def _named(self, request: CompletionRequest) -> list[Link]:
        if not self._links:
            raise InvalidRequest(
                "model: this fleet makes no embeddings. Fix: the operator sets LLM_EMBEDDING_CHAIN"
            )
        wanted = request.model or self._links[0].model
        found = [link for link in self._links if wanted in (link.name, link.model)]
        if not found:
            known = ", ".join(link.name for link in self._links)
            raise InvalidRequest(
                f"model: makes no embeddings here. Fix: leave it out or use one of {known}",
                {"fields": ["model"]},
            )
        return found

    def _unfit(self, link: Link, request: CompletionRequest) -> str:
        """What of the request the link cannot do; "" if nothing."""
        if not issubclass(load(link.adapter), Embedder):
            return "embeddings (its API has none)"
        facts = self._facts(link)
        texts = len(request.messages)
        asked = request.embedding.dimensions if request.embedding else None
        if facts.texts and texts > facts.texts:
            return f"vectors of {texts:,} texts in one job (at most {facts.texts:,})"
        if asked and facts.dimensions and asked > facts.dimensions:
            return f"vectors of {asked:,} dimensions (at most {facts.dimensions:,})"
        size = 4 * texts * (asked or facts.dimensions or 0)
        if size > MOST_BYTES:
            return f"{size:,} bytes of vectors in one job (at most {MOST_BYTES:,}; split the texts)"
        return ""

    def _too_long(self, link: Link, request: CompletionRequest) -> str:
        """What is too long for the link's model, in words; "" if nothing is for sure."""
        facts = self._facts(link)
        least = 0
        for number, text in enumerate(request.sole_texts):
            tokens = self._estimator.least(text, link.provider, link.model)
            least += tokens
            if facts.input and tokens > facts.input:
                return (
                    f"texts[{number}]: at least {tokens:,} tokens, and {link.name} takes at most "
                    f"{facts.input:,} of a text. Fix: split it"
                )
        if facts.window and least > facts.window:
            return (
                f"texts: at least {least:,} tokens, and {link.name} takes at most "
                f"{facts.window:,} in one job. Fix: split them into several jobs"
            )
        return ""

    def _facts(self, link: Link) -> Model:
        return self._models.of(link.provider, link.model)
