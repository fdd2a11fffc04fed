"""A document answered about in parts: split, each part condensed by a job of its own, the condensed
parts read together.

The state is the ledger's: parts are ordinary jobs whose ids follow from what they ask, so that
whoever goes on after a crash finds them. A document that fits one call takes one call. Redis down:
raises, and the job is tried again.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from semantic_text_splitter import TextSplitter

from producer.contract.completions import Completion, Usage
from producer.contract.errors import InvalidRequest, JobError
from producer.contract.hygiene import untrusted
from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Publication

from .budgets.pricing import Pricing
from .faults import Deferred
from .ledger.ledger import Ledger
from .ledger.running_job import Job
from .pipeline import Pipeline
from .providers.selection import LinkSelector
from .providers.tokens import Estimator
from .settings import SummarySettings

CONDENSE = (
    "You condense one part of a longer document for a reader who will only see your text and those of the other parts. Keep "
    "names, figures, dates, decisions and open questions; leave out repetition. Write plain sentences, no preamble."
)
READ = "You answer about a document. Use nothing but what it says."
TOGETHER = "You answer about a document that was too long to read at once: you are given its parts in order, condensed."

MARGIN_TOKENS = 400
"""For our own words around a part."""
CHARACTERS_A_TOKEN = 4
"""Of condensed text, for a plan."""
PARTS_WAIT_S = 600.0
"""A job that waits for its parts is woken when the last one ends; this is only for a hint that got
lost.
"""


@dataclass(frozen=True)
class Plan:
    """What reading a document takes. Costs in dollars; `low` expects short answers, `high` is the
    worst case of every call.
    """

    tokens: int
    calls: int
    low_usd: float
    high_usd: float


class DocumentSummarizer:
    def __init__(
        self,
        jobs: Ledger,
        pipeline: Pipeline,
        selection: LinkSelector,
        estimator: Estimator,
        pricing: Pricing,
        settings: SummarySettings,
        key: bytes,
    ) -> None:
        self._jobs = jobs
        self._pipeline = pipeline
        self._selection = selection
        self._estimator = estimator
        self._pricing = pricing
        self._settings = settings
        self._key = key

    def run(self, job: Job, publish: Callable[[list[Publication]], None]) -> Completion:
        """Answer a job about a document. Raises like `Pipeline.run`; `Deferred` while its parts are
        on their way.
        """
        text = self._jobs.document(job.request.document or "")
        if text is None:
            raise InvalidRequest("document: no longer stored. Fix: submit it again")
        if job.request.plan:
            return self._planned(job, self.plan(job.request, text))
        # Token counts learn and settings change: the first look at the document decides for all.
        size, answer_tokens = self._jobs.decide(job, "parts_of", self._shape(job.request, text))
        texts, costs = self._split(text, size), dict[str, float]()
        while len(texts) > 1:
            answers = self._condensed(job, texts, answer_tokens, publish)
            costs |= {answer.request_id: answer.cost_usd for answer in answers}
            texts = _gathered([answer.text for answer in answers], size)
        job.request = self._final(job.request, texts[0], condensed=bool(costs))
        answer = self._pipeline.run(job)
        return answer.model_copy(update={"cost_usd": answer.cost_usd + sum(costs.values())})

    def plan(self, request: CompletionRequest, text: str) -> Plan:
        """What reading `text` would take, without a call."""
        link = self._selection.allowed(_about(request))[0]
        size, condensed_tokens = self._shape(request, text)
        tokens, parts, calls, low, high = (
            self._tokens(request, text),
            self._split(text, size),
            0,
            0,
            0,
        )
        while True:
            last = len(parts) == 1
            answer = (
                (request.max_tokens or self._settings.answer_tokens) if last else condensed_tokens
            )
            for part in parts:
                prompt = tokens * len(part) // len(text) + MARGIN_TOKENS
                low += self._pricing.worst(
                    link.provider, link.model, prompt // 2, answer // 4
                ).micro_usd
                high += self._pricing.worst(link.provider, link.model, prompt, answer).micro_usd
            calls += len(parts)
            if last:
                return Plan(tokens, calls, low / 1e6, high / 1e6)
            parts = _gathered(["x" * (condensed_tokens * CHARACTERS_A_TOKEN)] * len(parts), size)

    def _shape(self, request: CompletionRequest, text: str) -> tuple[int, int]:
        """Characters of a part at most, and tokens of what it is condensed to."""
        rooms = [
            self._selection.room(link, request.max_tokens or self._settings.answer_tokens)
            for link in self._selection.allowed(_about(request))
        ]
        windows = [room - MARGIN_TOKENS for room in rooms if room is not None]
        limit, tokens = (
            max(200, min([self._settings.part_tokens, *windows])),
            self._tokens(request, text),
        )
        # Exact for the document as a whole, near enough for its parts.
        size = len(text) if tokens <= limit else max(1, int(len(text) * limit / tokens * 0.95))
        return size, min(self._settings.condensed_tokens, limit // 4)

    def _split(self, text: str, size: int) -> list[str]:
        """On natural boundaries (paragraphs before sentences before words), with some overlap."""
        return (
            [text]
            if len(text) <= size
            else list(TextSplitter(size, overlap=int(size * self._settings.overlap)).chunks(text))
        )

    def _condensed(
        self,
        job: Job,
        texts: list[str],
        answer_tokens: int,
        publish: Callable[[list[Publication]], None],
    ) -> list[Completion]:
        """The answers about all parts, in order; the missing ones are asked for."""
        requests = [self._condense(job.request, text, answer_tokens) for text in texts]
        ids = [f"{job.id}/{request.fingerprint()[:20]}" for request in requests]
        found = dict(zip(ids, self._jobs.outcomes(ids), strict=True))
        for number, job_id in enumerate(ids, start=1):
            if isinstance(error := found[job_id], JobError):
                raise type(error)(
                    f"part {number} of {len(ids)}: {error}",
                    {**error.details, "part": number, "parts": len(ids)},
                )
        missing = {
            job_id: request
            for job_id, request in zip(ids, requests, strict=True)
            if found[job_id] is None
        }
        if missing:
            publish(self._jobs.submit_parts(job, missing))
            raise Deferred(
                f"{len(missing)} of {len(ids)} parts are being read",
                PARTS_WAIT_S,
                f"parts:{job.id}",
                patient=True,
            )
        return [answer for job_id in ids if isinstance(answer := found[job_id], Completion)]

    def _tokens(self, request: CompletionRequest, text: str) -> int:
        link = self._selection.allowed(_about(request))[0]
        asked = CompletionRequest.model_construct(
            messages=(Message(role="user", content=text),), tools=()
        )
        return self._estimator.bounds(asked, link.provider, link.model).high

    def _condense(
        self, request: CompletionRequest, text: str, max_tokens: int
    ) -> CompletionRequest:
        said = Message(role="user", content=untrusted(text, "part of a document", self._key))
        kept = {
            "messages": (Message(role="system", content=CONDENSE), said),
            "max_tokens": max_tokens,
            "temperature": 0.0,
            "on_truncation": "accept",
            "document": None,
        }
        return _about(request).model_copy(update=kept)

    def _final(self, request: CompletionRequest, text: str, condensed: bool) -> CompletionRequest:
        """The caller's own words, after the text they are about."""
        system = Message(role="system", content=TOGETHER if condensed else READ)
        said = untrusted(text, "document", self._key)
        first, *others = request.messages
        if first.role == "user" and isinstance(first.content, str):
            turns = (Message(role="user", content=f"{said}\n\n{first.content}"), *others)
        else:
            turns = (Message(role="user", content=said), *request.messages)
        repeatable = request.cache == "auto" and request.temperature == 0
        asked = {
            "messages": (system, *turns),
            "max_tokens": request.max_tokens or self._settings.answer_tokens,
            "cache": "use" if repeatable else request.cache,
        }
        return _about(request).model_copy(update=asked)

    def _planned(self, job: Job, plan: Plan) -> Completion:
        told = json.dumps(asdict(plan) | {"left_usd": self._pipeline.quota.left_usd(job)})
        return Completion(
            text=told,
            finish_reason="stop",
            model="plan",
            provider="plan",
            usage=Usage(),
            cost_usd=0.0,
            attempts=job.attempts,
            latency_ms=0,
            request_id=job.id,
        )


def _about(request: CompletionRequest) -> CompletionRequest:
    """The request without its document: what a provider is asked."""
    return request.model_copy(update={"document": None, "plan": False})


def _gathered(texts: list[str], size: int) -> list[str]:
    """Neighbours joined up to `size` characters, but always two at least: every level is half of
    the one before, or less.
    """
    groups = [[texts[0]]]
    for text in texts[1:]:
        if len(groups[-1]) < 2 or sum(map(len, groups[-1])) + len(text) <= size:
            groups[-1].append(text)
        else:
            groups.append([text])
    return ["\n\n".join(group) for group in groups]
