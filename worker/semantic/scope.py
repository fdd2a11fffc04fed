"""Whose answers may be given to whom: by a key, so that nothing of another scope can be seen.

A scope is what the exact cache has in its key (users who share, cache version, system prompt,
earlier turns, tools, response format, parameters, models, filters), but for the last user's text.
"""

import hashlib
import json
from typing import NamedTuple

from producer.contract.content import TextPart
from producer.contract.requests import CompletionRequest

from ..cache import Cache
from ..ledger.running_job import RunningJob

FORMAT = 1
"""Of entries; part of every scope, so that versions side by side never read each other's."""
MOST_CHARACTERS = 8_000
"""Of a question: every embedding model reads so many."""


class Scope(NamedTuple):
    """Where a job's question is looked up. Its repr shows the question: never log it."""

    key: str
    name: str
    """What people see of it; it names no user."""
    question: str
    content: str
    """The exact cache's name of the job's own answer."""
    namespace: str
    tags: str

    @property
    def entry(self) -> str:
        return digest(self.key, self.content, self.namespace)


def scope_of(cache: Cache, job: RunningJob, embedding: str) -> Scope | None:
    """None if the job takes no part: it is not deterministic, does not want it, or is not of texts
    only. `embedding`: the link whose vectors are compared.
    """
    request = job.request
    asked = cache.question(job)
    question = _question(request)
    if not question or not asked.content or not asked.take or job.attempts:
        return None
    blank = request.messages[-1].model_copy(update={"content": "?"})
    rest = request.model_copy(update={"messages": (*request.messages[:-1], blank)})
    key = digest(FORMAT, embedding, request.cache_namespace, cache.content(job, rest))
    name = f"{request.cache_namespace} {request.model or '-'}"
    return Scope(key, name, question, asked.content, asked.namespace, asked.tags)


def digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _question(request: CompletionRequest) -> str:
    """The last user's text; "" if there is none, or something that is not a text."""
    last = request.messages[-1]
    apart = request.document or request.plan or request.embedding or request.semantic is False
    if apart or last.role != "user":
        return ""
    if not all(isinstance(part, TextPart) for each in request.messages for part in each.parts):
        return ""
    text = "\n".join(part.text for part in last.parts if isinstance(part, TextPart))
    return text if text.strip() and len(text) <= MOST_CHARACTERS else ""
