"""Which provider links may make a job's next attempt, in which order, at which worst case.

Order: least tried by this job first, then those where the prompt surely fits, then the operator's
order. Links in trouble are skipped by the ledger, which knows the whole fleet's circuits.
"""

from collections import Counter
from typing import NamedTuple, Self

from producer.contract.errors import InvalidRequest, TooLong
from producer.contract.requests import CompletionRequest

from ..budgets.pricing import Pricing
from ..budgets.search_fees import MOST_SEARCHES, search_fee
from ..ledger.attempt import Candidate
from ..ledger.running_job import RunningJob
from ..model_catalog import Model, Models, undated
from ..settings import VENDORS, CallSettings, Link, QuotaSettings, Settings
from . import load
from .answer_schemas import wrong_root
from .embedding_selection import EmbeddingSelector
from .media import unperceived
from .naming import misnamed
from .output_limits import OutputLimit, OutputLimits
from .parameter_rules import Target
from .parameters import fitting, unfit
from .prefixes import kept_for_an_hour
from .template_marks import harmful_mark
from .tokens import Estimator, predicted
from .trimming import slide, without

REPEATED = ("truncated", "stale", "unfit")
"""Faults after which the same link is asked again, with other parameters."""


class _Room(NamedTuple):
    """How a prompt and a link's window go together."""

    limit: int | None
    least: int
    sure: bool
    possible: bool


class LinkSelector:
    """Selects by the request, the job's history and what is known of models. Makes no call."""

    def __init__(
        self,
        links: tuple[Link, ...],
        call: CallSettings,
        models: Models,
        batch: str,
        pricing: Pricing,
        estimator: Estimator,
        quota: QuotaSettings,
        embeddings: tuple[Link, ...] = (),
    ) -> None:
        self._links = links
        self._call = call
        self._models = models
        self._known: dict[str, Model] = {}
        self._batch = batch
        self.pricing = pricing
        self.estimator = estimator
        self._limits = OutputLimits(call, quota, models, pricing)
        self._embeddings = EmbeddingSelector(embeddings, models, pricing, estimator)

    @classmethod
    def of(cls, settings: Settings, estimator: Estimator | None = None) -> Self:
        """By a worker's settings, with the prices and the token counts that go with them."""
        models = settings.models.known
        prices = settings.pricing
        pricing = Pricing(prices.overrides, prices.unknown, settings.all_links)
        return cls(
            settings.links,
            settings.call,
            models,
            settings.models.batch,
            pricing,
            estimator or Estimator(models),
            settings.quota,
            settings.embedding_links,
        )

    def allowed(self, request: CompletionRequest) -> list[Link]:
        """The links that may answer, in the operator's order.

        Raises `InvalidRequest` if there is none.
        """
        if request.embedding:
            return self._embeddings.allowed(request)
        named = self._named(request)
        self._check_option_names(request)
        if not named:
            known = ", ".join([*(link.name for link in self._links), *sorted(self._models.aliases)])
            raise InvalidRequest(
                f"model: unknown here. Fix: leave it out or use one of {known}",
                {"fields": ["model"]},
            )
        left = [link for link in named if not {link.name, link.provider} & set(request.avoid)]
        if not left:
            raise InvalidRequest(
                "avoid: leaves no link to answer. Fix: allow at least one", {"fields": ["avoid"]}
            )
        fit = [link for link in left if not self._unsupported(link, request)]
        if not fit:
            reason = self._unsupported(left[0], request)
            raise InvalidRequest(
                f"{left[0].name} cannot take {reason}, nor can another allowed link. "
                "Fix: leave it out"
            )
        return fit

    def candidates(self, job: RunningJob) -> list[Candidate]:
        """The allowed links with the next attempt's worst case, the one to prefer first.

        Raises `TooLong` if the prompt fits none of them.
        """
        if job.request.embedding:
            return self._embeddings.candidates(job)
        tried = Counter(each.link for each in job.tried if each.fault not in REPEATED)
        links = self.allowed(job.request)
        rooms = [self._room(link, job.request, self._limit(link, job).tokens) for link in links]
        ranked = sorted(
            zip(links, rooms, strict=True), key=lambda pair: (tried[pair[0].name], not pair[1].sure)
        )
        found = [self._candidate(link, job, room) for link, room in ranked]
        kept = [each for each in found if each]
        if not kept:
            raise _too_long(*max(ranked, key=lambda pair: pair[1].limit or 0))
        names = {each.link.name for each in kept}
        fitting = [pair for pair in zip(links, rooms, strict=True) if pair[0].name in names]
        first, _ = min(fitting, key=lambda pair: not pair[1].sure)
        return [each._replace(fallback=each.link != first) for each in kept]

    def room(self, link: Link, max_tokens: int) -> int | None:
        """The most input tokens that the link takes beside `max_tokens` of output.

        None if that is not known.
        """
        return self._facts(link).room(max_tokens)

    def can_double_max_tokens(self, job: RunningJob, chosen: Candidate) -> bool:
        """Whether the link could answer with more tokens than it was asked for."""
        most = self._facts(chosen.link).output
        if most is not None and most <= chosen.max_tokens:
            return False
        sent = without(job.request, chosen.trimmed)
        return self._room(chosen.link, sent, 2 * chosen.max_tokens).possible

    def temperature(self, link: Link, request: CompletionRequest) -> float | None:
        """What to send; None = no temperature is sent.

        A model that takes none gets none; one we know nothing of only what the request asks for.
        Beside a `top_p` no vendor wants one that nobody asked for.
        """
        takes = self._facts(link).temperature
        if takes is False:
            return None
        if request.temperature is None and request.top_p is not None:
            return None
        if request.defaults == "provider":
            return request.temperature
        if request.temperature is None and takes:
            return self._call.temperature
        return request.temperature

    def prefill(self, link: Link) -> bool:
        """Whether the model goes on from a last message of the assistant."""
        return self._facts(link).prefill

    def thinks(self, link: Link) -> bool:
        """Whether the model thinks before it answers."""
        return self._facts(link).thinks

    def _check_option_names(self, request: CompletionRequest) -> None:
        """A misspelt provider's options would vanish."""
        if not request.provider_options:
            return
        known = {*VENDORS, *(link.provider for link in self._links)}
        for name in request.provider_options:
            if name not in known:
                place = f"provider_options.{name}"
                raise InvalidRequest(
                    f"{place}: no provider here is called so. Fix: use one of "
                    f"{', '.join(sorted(known))}",
                    {"fields": [place]},
                )

    def _named(self, request: CompletionRequest) -> list[Link]:
        wanted = request.model or (self._batch if request.lane == "batch" else "chain")
        if wanted == "chain":
            return list(self._links)
        if wanted not in self._models.aliases:
            return self._called(wanted) or self._called(undated(wanted))
        swapped = (self._aliased(link, wanted) for link in self._links)
        return list({link.name: link for link in swapped}.values())

    def _called(self, name: str) -> list[Link]:
        return [link for link in self._links if name in (link.name, link.model)]

    def _aliased(self, link: Link, name: str) -> Link:
        """The link's provider with the model that `name` stands for there, if for any."""
        model = self._models.meant(link.provider, link.model, name)
        return link.for_model(model, self._models)

    def _unsupported(self, link: Link, request: CompletionRequest) -> str:
        most = self._facts(link).output
        if most and request.max_tokens and request.max_tokens > most:
            return f"max_tokens={request.max_tokens:,} (at most {most:,})"
        if not request.drop_unsupported:
            for each in unfit(request, self._target(link, request)):
                return each.reason
        facts = self._facts(link)
        reason = unperceived(facts, request) or misnamed(link, request)
        reason = reason or wrong_root(link, request) or harmful_mark(link, facts, request)
        return reason or load(link.adapter).unsupported(request)

    def fitting(self, link: Link, request: CompletionRequest, max_tokens: int) -> CompletionRequest:
        """The request without the parameters that the link cannot be told (`drop_unsupported`)."""
        return fitting(request, Target(link, self._facts(link), max_tokens))

    def _target(self, link: Link, request: CompletionRequest) -> Target:
        facts = self._facts(link)
        asked = request.max_tokens or self._call.max_tokens
        return Target(link, facts, min(asked, facts.output or asked))

    def _facts(self, link: Link) -> Model:
        if link.name not in self._known:
            self._known[link.name] = self._models.of(link.provider, link.model)
        return self._known[link.name]

    def _limit(self, link: Link, job: RunningJob) -> OutputLimit:
        request = job.request
        if request.defaults == "provider" and request.max_tokens is None:
            prompt = self.estimator.bounds(request, link.provider, link.model)
            return self._limits.of(link, prompt, request.choices)
        asked = request.max_tokens or self._call.max_tokens
        if job.double_max_tokens:
            asked *= 2
        return OutputLimit(min(asked, self._facts(link).output or asked))

    def _room(self, link: Link, request: CompletionRequest, max_tokens: int) -> _Room:
        limit = self._facts(link).room(max_tokens)
        least, most = self.estimator.bounds(request, link.provider, link.model)
        if limit is None:
            return _Room(None, least, sure=True, possible=True)
        return _Room(limit, least, sure=most <= limit, possible=least <= limit)

    def _candidate(self, link: Link, job: RunningJob, room: _Room) -> Candidate | None:
        trimmed: int | None = 0
        if job.request.fit == "slide" and not room.sure and room.limit is not None:
            trimmed = slide(job.request, room.limit, lambda request: self._tokens(link, request))
        if trimmed is None or not (trimmed or room.possible):
            return None
        limit = self._limit(link, job)
        sent = self.fitting(link, without(job.request, trimmed), limit.tokens)
        prompt = self._tokens(link, sent)
        output = limit.tokens * sent.choices + predicted(sent)
        tier = sent.service_tier or ""
        hour = kept_for_an_hour(sent)
        worst = self.pricing.worst(link.provider, link.model, prompt, output, tier, hour)
        prompts = self.pricing.worst(link.provider, link.model, prompt, 0, tier, hour)
        fee = search_fee(link, MOST_SEARCHES) if sent.web_search_options else 0
        return Candidate(
            link,
            limit.tokens,
            worst.micro_usd + fee,
            prompt + output,
            trimmed,
            worst.known,
            sends_limit=limit.sent,
            prompt_tokens=prompt,
            prompt_micro_usd=prompts.micro_usd,
        )

    def _tokens(self, link: Link, request: CompletionRequest) -> int:
        return self.estimator.bounds(request, link.provider, link.model).high


def _too_long(link: Link, room: _Room) -> TooLong:
    return TooLong(
        f"messages: at least {room.least:,} tokens, and {link.name} takes at most {room.limit:,} "
        "beside the answer; no other allowed link takes more. "
        "Fix: shorten or split the prompt, lower max_tokens, or pass fit='slide'",
        {"tokens": room.least, "limit": room.limit, "link": link.name},
    )
