"""Exact-match cache of deterministic answers, with single flight for identical jobs.

Expired answers are kept for a while, to answer with when every provider fails. An entry that
cannot be read counts as none. The ledger looks up and stores, in the same steps as the hold
(`Ledger.reserve`) and the outcome (`Ledger.settle`): a follower that is woken finds the answer.
"""

import hashlib
import json
from typing import Any, NamedTuple, get_args
from urllib.parse import quote

from producer.contract.completions import Completion, Usage
from producer.contract.content import TextPart
from producer.contract.messages import Message
from producer.contract.requests import CacheScope, CompletionRequest

from .ledger.attempt import NOT_CACHED, Attempt, CacheEntry, CachePlace, Question, Saved
from .ledger.running_job import RunningJob
from .model_catalog import Models
from .settings import CacheSettings, CallSettings, Link

FORMAT = 3
"""Of an entry; part of every key, so that versions side by side never read each other's."""

PROVIDERS_TEMPERATURE = 1.0
"""Stands for what a provider takes where none is sent: none of them takes 0."""
OF_THE_BILL = "usage:"
"""How flags begin that say nothing of the answer itself."""
NO_MODELS = Models(vendors={})
SCOPES: tuple[CacheScope, ...] = get_args(CacheScope)
"""The narrowest first."""


class Cache:
    """Entries are found by what is asked and how.

    Keys are SHA-256 over model, messages, parameters, version and what answers are checked for,
    under a namespace and its bust counters.
    """

    def __init__(
        self,
        settings: CacheSettings,
        call: CallSettings,
        links: tuple[Link, ...],
        batch: str,
        models: Models = NO_MODELS,
        embeddings: tuple[Link, ...] = (),
        filters: tuple[str, ...] = (),
    ) -> None:
        self._settings = settings
        self._defaults = call
        self._links = links
        self._batch = batch
        self._models = models
        self._embeddings = embeddings
        self._filters = filters

    def question(self, job: RunningJob) -> Question:
        """What the ledger looks up when the job asks for a hold (`Quota.take_hold`)."""
        request = job.request
        if not self._cacheable(request):
            return NOT_CACHED
        use_fresh = request.cache != "refresh"
        content = self._content(request, self._shared_with(job))
        return Question(
            content,
            request.cache_namespace,
            take=use_fresh,
            join=use_fresh,
            tags=",".join(request.tags),
        )

    def content(self, job: RunningJob, request: CompletionRequest) -> str:
        """What the job's answer would be kept under if it asked `request`."""
        return self._content(request, self._shared_with(job))

    def fresh(self, job: RunningJob, attempt: Attempt) -> Completion | None:
        """The answer that was found, as this job's; None if its entry cannot be read."""
        return self.given(job, attempt, attempt.place.entry, attempt.place.now_ms)

    def given(
        self, job: RunningJob, attempt: Attempt, entry: str, now_ms: int
    ) -> Completion | None:
        """The answer of an entry as this job's; None if it cannot be read."""
        try:
            kept = _kept(entry)
        except ValueError:
            return None
        link = f"{kept.answer.provider}:{kept.answer.model}"
        attempt.saved = Saved(link, round(kept.answer.cost_usd * 1_000_000))
        return _restored(job, job.attempts, kept, now_ms)

    def entry_for(
        self, job: RunningJob, place: CachePlace, completion: Completion, fallback: bool = False
    ) -> CacheEntry | None:
        """The entry that keeps this answer, for `Ledger.settle` to store; None if it is not to be
        kept: an answer that is truncated, refused, degraded or flagged never is.

        `fallback`: another link comes first, and is to be asked again when it is well.
        """
        whole = completion.finish_reason in ("stop", "tool_calls")
        if not place.key or not whole or completion.degraded:
            return None
        if any(not flag.startswith(OF_THE_BILL) for flag in completion.flags):
            return None
        fresh_ms = self._settings.ttl_s * 1000
        if fallback:
            fresh_ms = min(fresh_ms, self._settings.fallback_s * 1000)
        stale_ms = self._settings.stale_s * 1000
        now_ms = job.now_ms
        tags = ",".join(job.request.tags)
        head = f"{now_ms + fresh_ms};{now_ms};{tags};{maker(job.user_id)};"
        return CacheEntry(place.key, head + completion.model_dump_json(), fresh_ms + stale_ms)

    def stale(self, job: RunningJob, attempt: Attempt) -> Completion | None:
        """The answer that was too old to be used at first, marked with its age."""
        entry = attempt.place.entry
        if not entry:
            return None
        try:
            kept = _kept(entry)
        except ValueError:
            return None
        restored = _restored(job, attempt.number_so_far(job), kept, job.now_ms)
        return restored.model_copy(update={"degraded": "stale"})

    def _cacheable(self, request: CompletionRequest) -> bool:
        if self._settings.ttl_s == 0 or request.cache == "bypass":
            return False
        if request.embedding:
            return True
        if self._temperature(request) > 0:
            return False
        turns = sum(message.role not in ("system", "developer") for message in request.messages)
        return request.cache != "auto" or (turns == 1 and not request.tools)

    def _temperature(self, request: CompletionRequest) -> float:
        if request.temperature is not None:
            return request.temperature
        if request.defaults == "provider" or request.top_p is not None:
            return PROVIDERS_TEMPERATURE
        return self._defaults.temperature

    def _shared_with(self, job: RunningJob) -> list[str]:
        """Whose jobs it shares an answer with. A user without a group is alone in it."""
        scope = min(self._settings.scope, job.request.cache_scope or "fleet", key=SCOPES.index)
        if scope == "fleet":
            return []
        if scope == "group" and job.group:
            return ["group", job.group]
        return ["user", job.user_id]

    def _content(self, request: CompletionRequest, shared_with: list[str]) -> str:
        parts = [
            FORMAT,
            self._settings.version,
            *shared_with,
            self._batch_model(request),
            self._stands_for(request),
            [] if request.embedding else self._filters,
            self._meaning(request).fingerprint(),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _batch_model(self, request: CompletionRequest) -> str:
        """The model that a batch job gets that names none, else ""."""
        if request.lane == "batch" and not request.model and not request.embedding:
            return self._batch
        return ""

    def _stands_for(self, request: CompletionRequest) -> list[tuple[str, str, str]]:
        """(provider, model, base URL) of each link that the request's model stands for here; of all
        those that make embeddings.
        """
        if request.embedding:
            return [(each.provider, each.model, each.base_url or "") for each in self._embeddings]
        wanted = request.model or self._batch_model(request)
        found = []
        for link in self._links:
            model = self._models.meant(link.provider, link.model, wanted)
            found.append((link.provider, model, link.base_url or ""))
        return found

    def _meaning(self, request: CompletionRequest) -> CompletionRequest:
        """The request as requests that mean the same are spelt."""
        changes: dict[str, Any] = {
            "messages": tuple(_as_text(message) for message in request.messages),
            "temperature": self._temperature(request),
        }
        if request.max_tokens or request.defaults == "workers":
            changes["max_tokens"] = request.max_tokens or self._defaults.max_tokens
            changes["defaults"] = "workers"
        if request.response_format and request.response_format.type == "text":
            changes["response_format"] = None
        return request.model_copy(update=changes)


def _as_text(message: Message) -> Message:
    """A content of one text part is written as that text."""
    content = message.content
    if isinstance(content, tuple) and len(content) == 1 and isinstance(content[0], TextPart):
        return message.model_copy(update={"content": content[0].text})
    return message


def maker(user_id: str) -> str:
    """How an entry names the user whose job made it, so that it can be erased with the user."""
    return quote(user_id, safe="")


class _Kept(NamedTuple):
    """What a cache entry holds."""

    made_ms: int
    answer: Completion


def _kept(entry: str) -> _Kept:
    """Raises `ValueError` for an entry that cannot be read."""
    _, made_ms, _, _, body = entry.split(";", 4)
    return _Kept(int(made_ms), Completion.model_validate_json(body))


def _restored(job: RunningJob, attempts: int, kept: _Kept, now_ms: int) -> Completion:
    """A kept answer as this job's, which used nothing for it."""
    changes = {
        "request_id": job.id,
        "cached": True,
        "usage": Usage(),
        "cost_usd": job.spent_micro_usd / 1_000_000,
        "maybe_billed_usd": job.possibly_billed_micro_usd / 1_000_000,
        "provider_cost_usd": None,
        "age_s": max(0.0, (now_ms - kept.made_ms) / 1000),
        "attempts": attempts,
        "latency_ms": 0,
    }
    return kept.answer.model_copy(update=changes)
