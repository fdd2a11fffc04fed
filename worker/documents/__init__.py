"""Answers about documents that are too long for one call: they are read in parts.

Each part is condensed by a job of its own, then the condensed parts are read together. The state is
the ledger's: parts are ordinary jobs whose ids follow from what they ask, so that another worker
finds them after a crash. A document that fits one call takes one call. Redis down: raises, and the
job is tried again.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from producer.contract.completions import Completion, Usage
from producer.contract.errors import InvalidRequest, JobError
from producer.contract.hygiene import untrusted, unwrapped
from producer.contract.messages import Message
from producer.contract.publication import Publication
from producer.contract.requests import CompletionRequest

from ..budgets.pricing import Pricing
from ..faults import Deferred
from ..ledger.attempt import Attempt
from ..ledger.ledger import Ledger
from ..ledger.running_job import RunningJob
from ..pipeline import Pipeline
from ..providers.selection import LinkSelector
from ..providers.tokens import Estimator
from ..settings import SummarySettings
from ..telemetry.speed import Speeds
from .parts import split

CONDENSE = (
    "You condense one part of a longer document for a reader who will only see your text and those "
    "of the other parts. Keep names, figures, dates, decisions and open questions; leave out "
    "repetition. Write plain sentences, no preamble."
)
READ = "You answer about a document. Use nothing but what it says."
TOGETHER = (
    "You answer about a document that was too long to read at once: you are given its parts in "
    "order, condensed."
)

PART = "part of a document"
OF_THE_ANSWER = (
    "n",
    "logprobs",
    "top_logprobs",
    "tool_choice",
    "prediction",
    "web_search_options",
    "response_format",
)
"""What parts are not asked with."""
MARGIN_TOKENS = 400
"""For our own words around a part."""
CHARACTERS_A_TOKEN = 4
"""Of condensed text, for a plan."""
PARTS_WAIT_S = 600.0
"""A job that waits for its parts is woken when the last one ends; this is only for a wake-up that
got lost.
"""


@dataclass(frozen=True)
class Plan:
    """What reading a document takes.

    Costs in dollars; `low` expects short answers, `high` is the worst case of every call.
    """

    tokens: int
    calls: int
    low_usd: float
    high_usd: float
    price_known: bool = True
    """If not, the costs are by `LLM_UNKNOWN_PRICE`."""


class DocumentSummarizer:
    def __init__(
        self,
        ledger: Ledger,
        pipeline: Pipeline,
        selection: LinkSelector,
        estimator: Estimator,
        pricing: Pricing,
        settings: SummarySettings,
        speeds: Speeds,
    ) -> None:
        self._ledger = ledger
        self._pipeline = pipeline
        self._selection = selection
        self._estimator = estimator
        self._pricing = pricing
        self._settings = settings
        self._speeds = speeds

    def run(
        self, job: RunningJob, attempt: Attempt, publish: Callable[[list[Publication]], None]
    ) -> Completion:
        """Answer a job about a document.

        Raises like `Pipeline.run`; `Deferred` while its parts are being read.
        """
        (text,) = self._ledger.stored_texts([job.request.document or ""])
        if text is None:
            raise InvalidRequest("document: no longer stored. Fix: submit it again")
        if job.request.plan:
            return self._plan_as_answer(job, self.plan(job.request, text))
        # Settings change: the first look at the document decides for all.
        shape = self._shape(job.request, text)
        size, answer_tokens = self._ledger.agree(job, "parts_of", shape)
        texts = split(text, size, self._settings.overlap)
        parts: dict[str, Completion] = {}
        while len(texts) > 1:
            answers = self._condensed(job, texts, answer_tokens, publish)
            parts |= {answer.request_id: answer for answer in answers}
            condensed = [unwrapped(answer.text, PART) for answer in answers]
            texts = _join_neighbours(condensed, size)
        question = self._question(job.request, texts[0], condensed=bool(parts))
        answer = self._pipeline.run(replace(job, request=question), attempt)
        return _as_answer(parts.values(), answer)

    def plan(self, request: CompletionRequest, text: str) -> Plan:
        """What reading `text` would take, without a call."""
        link = self._selection.allowed(_without_document(request))[0]
        size, condensed_tokens = self._shape(request, text)
        tokens = self._tokens(request, text)
        parts = split(text, size, self._settings.overlap)
        calls = low = high = 0
        while True:
            last = len(parts) == 1
            answer = condensed_tokens
            if last:
                answer = request.max_tokens or self._settings.answer_tokens
            for part in parts:
                prompt = tokens * len(part) // len(text) + MARGIN_TOKENS
                if last:
                    prompt += self._own_tokens(request)
                short = self._pricing.worst(link.provider, link.model, prompt // 2, answer // 4)
                worst = self._pricing.worst(link.provider, link.model, prompt, answer)
                low += short.micro_usd
                high += worst.micro_usd
            calls += len(parts)
            if last:
                if any(not isinstance(each.content, str) for each in request.messages):
                    tokens += self._own_tokens(request)  # of its pictures
                return Plan(tokens, calls, low / 1e6, high / 1e6, worst.known)
            condensed = "x" * (condensed_tokens * CHARACTERS_A_TOKEN)
            parts = _join_neighbours([condensed] * len(parts), size)

    def _shape(self, request: CompletionRequest, text: str) -> tuple[int, int]:
        """Characters of a part at most, and tokens of what it is condensed to."""
        answer_tokens = request.max_tokens or self._settings.answer_tokens
        links = self._selection.allowed(_without_document(request))
        rooms = [self._selection.room(link, answer_tokens) for link in links]
        windows = [room - MARGIN_TOKENS for room in rooms if room is not None]
        limit = max(200, min([self._settings.part_tokens, *windows]))
        tokens = self._tokens(request, text)
        size = len(text)
        if tokens > limit:
            # Exact for the document as a whole, near enough for its parts. By a count that no
            # reply changes: the parts of a document are the same in every run.
            size = max(1, int(len(text) * limit / tokens * 0.95))
        return size, min(self._settings.condensed_tokens, limit // 4)

    def _condensed(
        self,
        job: RunningJob,
        texts: list[str],
        answer_tokens: int,
        publish: Callable[[list[Publication]], None],
    ) -> list[Completion]:
        """The answers about all parts, in order; the missing ones are asked for."""
        requests = [self._condense(job.request, text, answer_tokens) for text in texts]
        ids = [f"{job.id}/{request.fingerprint()[:20]}" for request in requests]
        answers: list[Completion] = []
        missing: dict[str, CompletionRequest] = {}
        for index, outcome in enumerate(self._ledger.outcomes(ids)):
            if isinstance(outcome, JobError):
                raise _error_of_part(outcome, index + 1, len(ids))
            if outcome is None:
                missing[ids[index]] = requests[index]
            else:
                answers.append(outcome)
        if missing:
            publish(self._ledger.submit_parts(job, missing))
            raise Deferred(
                f"{len(missing)} of {len(ids)} parts are being read",
                PARTS_WAIT_S,
                wakes_on=f"parts:{job.id}",
                waits_for_room=True,
            )
        return answers

    def _tokens(self, request: CompletionRequest, text: str) -> int:
        link = self._selection.allowed(_without_document(request))[0]
        asked = CompletionRequest.model_construct(
            messages=(Message(role="user", content=text),), tools=()
        )
        return self._estimator.by_catalog(asked, link.provider, link.model).high

    def _own_tokens(self, request: CompletionRequest) -> int:
        """Of what is asked about the document, with the pictures of its pages."""
        asked = _without_document(request)
        link = self._selection.allowed(asked)[0]
        return self._estimator.bounds(asked, link.provider, link.model).high

    def _condense(
        self, request: CompletionRequest, text: str, max_tokens: int
    ) -> CompletionRequest:
        part = Message(role="user", content=untrusted(text, PART))
        changes: dict[str, Any] = {
            "messages": (Message(role="system", content=CONDENSE), part),
            "max_tokens": max_tokens,
            "temperature": 0.0,
            "on_truncation": "accept",
            "on_refusal": "next" if request.on_refusal == "next" else "fail",
            # What is for the answer is not for its parts.
            **dict.fromkeys(OF_THE_ANSWER),
        }
        return _without_document(request).model_copy(update=changes)

    def _question(
        self, request: CompletionRequest, text: str, condensed: bool
    ) -> CompletionRequest:
        """The caller's own words, after the text they are about."""
        instruction = TOGETHER if condensed else READ
        document = untrusted(text)
        first, *others = request.messages
        if first.role == "user" and isinstance(first.content, str):
            turns = (Message(role="user", content=f"{document}\n\n{first.content}"), *others)
        else:
            turns = (Message(role="user", content=document), *request.messages)
        changes: dict[str, Any] = {
            "messages": (Message(role="system", content=instruction), *turns),
            "max_tokens": request.max_tokens or self._settings.answer_tokens,
        }
        if request.cache == "auto" and request.temperature == 0:
            changes["cache"] = "use"
        return _without_document(request).model_copy(update=changes)

    def _plan_as_answer(self, job: RunningJob, plan: Plan) -> Completion:
        left = self._pipeline.quota.left(job)
        link = self._selection.allowed(_without_document(job.request))[0]
        speed = self._speeds.of(link.provider, link.model)
        return Completion(
            text=json.dumps(asdict(plan) | asdict(left) | asdict(speed)),
            finish_reason="stop",
            model="plan",
            provider="plan",
            usage=Usage(),
            cost_usd=0.0,
            attempts=job.attempts,
            latency_ms=0,
            request_id=job.id,
        )


def _error_of_part(error: JobError, number: int, parts: int) -> JobError:
    details = {**error.details, "part": number, "parts": parts}
    return type(error)(f"part {number} of {parts}: {error}", details)


def _as_answer(parts: Iterable[Completion], answer: Completion) -> Completion:
    together = [*parts, answer]
    changes: dict[str, Any] = {
        "text": unwrapped(answer.text) or answer.text,
        "cost_usd": sum(each.cost_usd for each in together),
        "maybe_billed_usd": sum(each.maybe_billed_usd for each in together),
    }
    bases = {each.cost_basis for each in together}
    for basis in ("estimated", "unknown"):
        if basis in bases:
            changes["cost_basis"] = basis
    return answer.model_copy(update=changes)


def _without_document(request: CompletionRequest) -> CompletionRequest:
    """What a provider is asked."""
    return request.model_copy(update={"document": None, "plan": False})


def _join_neighbours(texts: list[str], size: int) -> list[str]:
    """Neighbours joined up to `size` characters, but two at least.

    So every level has at most half as many texts as the one before.
    """
    groups = [[texts[0]]]
    for text in texts[1:]:
        if len(groups[-1]) < 2 or sum(map(len, groups[-1])) + len(text) <= size:
            groups[-1].append(text)
        else:
            groups.append([text])
    return ["\n\n".join(group) for group in groups]
