"""Which links may make a job's next attempt, in which order, and what each would cost at worst. It
calls nobody.

Order: least tried by this job first, then those where the prompt surely fits, then the operator's
order. Links that cool down are skipped by the ledger, which knows the whole fleet's cooldowns.
"""

from collections import Counter
from typing import NamedTuple

from producer.contract.errors import InvalidRequest, TooLong
from producer.contract.requests import CompletionRequest

from ..budgets.pricing import Pricing
from ..ledger.running_job import Candidate, Job
from ..model_catalog import Model, Models
from ..settings import CallSettings, Link
from . import load
from .tokens import Estimator
from .trimming import slide, without

OUR_DOING = ("truncated", "stale")
"""Attempts that do not speak against their link: the same one is asked again, with other
parameters.
"""


class _Room(NamedTuple):
    """How a prompt and a link's window go together."""

    limit: int | None
    least: int
    sure: bool
    possible: bool


class LinkSelector:
    """The rules of who may answer."""

    def __init__(
        self,
        links: tuple[Link, ...],
        call: CallSettings,
        models: Models,
        batch: str,
        pricing: Pricing,
        estimator: Estimator,
    ) -> None:
        self._links = links
        self._call = call
        self._models = models
        self._batch = batch
        self._pricing = pricing
        self._estimator = estimator

    def allowed(self, request: CompletionRequest) -> list[Link]:
        """The links that may answer, in the operator's order. Raises `InvalidRequest` if there is
        none.
        """
        named = self._named(request)
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
                f"{left[0].name} cannot take {reason}, nor can another allowed link. Fix: leave it out"
            )
        return fit

    def candidates(self, job: Job) -> list[Candidate]:
        """The allowed links with the next attempt's worst case, the one to prefer first. Raises
        `TooLong` if the prompt fits none of them.
        """
        tried = Counter(link for link, fault in job.tried if fault not in OUR_DOING)
        links = self.allowed(job.request)
        rooms = [self._room(link, job.request, self._max_tokens(link, job)) for link in links]
        ranked = sorted(
            zip(links, rooms, strict=True), key=lambda pair: (tried[pair[0].name], not pair[1].sure)
        )
        found = [self._candidate(link, job, room) for link, room in ranked]
        kept = [each for each in found if each]
        if not kept:
            raise _too_long(*max(ranked, key=lambda pair: pair[1].limit or 0))
        return kept

    def room(self, link: Link, max_tokens: int) -> int | None:
        """The most input tokens that the link takes beside `max_tokens` of output; None if nobody
        knows.
        """
        return self._facts(link).room(max_tokens)

    def grows(self, job: Job, chosen: Candidate) -> bool:
        """Whether the link could answer with more tokens than it was given."""
        facts = self._facts(chosen.link)
        more = facts.output is None or facts.output > chosen.max_tokens
        return (
            more
            and self._room(
                chosen.link, without(job.request, chosen.trimmed), 2 * chosen.max_tokens
            ).possible
        )

    def temperature(self, link: Link, request: CompletionRequest) -> float | None:
        """What to send: nothing to a model that takes none; to one we know nothing of, only what
        the request asks for.
        """
        takes = self._facts(link).temperature
        if takes is False:
            return None
        default = self._call.temperature if takes else None
        return default if request.temperature is None else request.temperature

    def prefill(self, link: Link) -> bool:
        """Whether the model goes on from a last message of the assistant."""
        return self._facts(link).prefill

    def _named(self, request: CompletionRequest) -> list[Link]:
        wanted = request.model or (self._batch if request.lane == "batch" else "chain")
        if wanted == "chain":
            return list(self._links)
        if wanted not in self._models.aliases:
            return [link for link in self._links if wanted in (link.name, link.model)]
        swapped = (self._aliased(link, wanted) for link in self._links)
        return list({link.name: link for link in swapped}.values())

    def _aliased(self, link: Link, name: str) -> Link:
        """The link's provider with the model that `name` stands for there; itself where it stands
        for none.
        """
        model = self._models.alias(link.provider, name)
        return link.model_copy(update={"model": model}) if model else link

    def _unsupported(self, link: Link, request: CompletionRequest) -> str:
        most = self._facts(link).output
        if most and request.max_tokens and request.max_tokens > most:
            return f"max_tokens={request.max_tokens:,} (at most {most:,})"
        return load(link.adapter).unsupported(request)

    def _facts(self, link: Link) -> Model:
        return self._models.of(link.provider, link.model)

    def _max_tokens(self, link: Link, job: Job) -> int:
        asked = (job.request.max_tokens or self._call.max_tokens) * (
            2 if job.double_max_tokens else 1
        )
        return min(asked, self._facts(link).output or asked)

    def _room(self, link: Link, request: CompletionRequest, max_tokens: int) -> _Room:
        limit = self._facts(link).room(max_tokens)
        least, most = self._estimator.bounds(request, link.provider, link.model)
        if limit is None:
            return _Room(None, least, sure=True, possible=True)
        return _Room(limit, least, sure=most <= limit, possible=least <= limit)

    def _candidate(self, link: Link, job: Job, room: _Room) -> Candidate | None:
        trimmed: int | None = 0
        if job.request.fit == "slide" and not room.sure and room.limit is not None:
            trimmed = slide(job.request, room.limit, lambda request: self._tokens(link, request))
        if trimmed is None or not (trimmed or room.possible):
            return None
        max_tokens = self._max_tokens(link, job)
        prompt = self._tokens(link, without(job.request, trimmed))
        worst = self._pricing.worst(link.provider, link.model, prompt, max_tokens)
        return Candidate(
            link, max_tokens, worst.micro_usd, prompt + max_tokens, trimmed, worst.known
        )

    def _tokens(self, link: Link, request: CompletionRequest) -> int:
        return self._estimator.bounds(request, link.provider, link.model).high


def _too_long(link: Link, room: _Room) -> TooLong:
    return TooLong(
        f"messages: at least {room.least:,} tokens, and {link.name} takes at most {room.limit:,} beside the answer; "
        "no other allowed link takes more. Fix: shorten or split the prompt, lower max_tokens, or pass fit='slide'",
        {"tokens": room.least, "limit": room.limit, "link": link.name},
    )
