"""What Gemini's answers and refusals mean, whichever of Google's SDKs reads them. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from ..faults import Fault, ProviderError
from ..rate_limit_headers import NOT_STATED
from .answers import Answer, text_and_reasoning
from .bodies import Json, items, mapping, text_of
from .logprobs import candidate_logprobs
from .sources import of_gemini
from .statuses import bad_response, status_error
from .tool_calls import RawCall
from .usages import gemini_usage
from .vectors import RawVectors

API = "gemini"
NO_TEXT = frozenset({"executableCode", "codeExecutionResult", "inlineData", "fileData"})
"""Parts that are neither a text nor a call."""


def read(found: list[Json]) -> Answer:
    """The answer in the objects of a body: one, or the pieces of a stream.

    Raises `ProviderError` for a body without an answer in it.
    """
    if not found:
        raise bad_response("a 200 that is not the API's JSON")
    answer = Answer(api=API)
    candidates = 0
    usage: object = None
    for body in map(_camel, found):
        usage = body.get("usageMetadata") or usage
        answer.model = text_of(body.get("modelVersion")) or answer.model
        answer.request_id = text_of(body.get("responseId")) or answer.request_id
        for place, candidate in enumerate(items(body.get("candidates"))):
            candidates += 1
            if place > len(answer.others):
                answer.others.append(Answer())
            told = answer.others[place - 1] if place else answer
            _take(told, _camel(mapping(candidate)))
        blocked = _camel(mapping(body.get("promptFeedback"))).get("blockReason")
        if blocked and not candidates:
            answer.refused = "content_filter"
    answer.stated = gemini_usage(_camel(usage) if isinstance(usage, dict) else usage)
    if answer.finish == "PUP_LIMITED_DISABLED":
        raise ProviderError(Fault.MISCONFIGURED, "Google has disabled this account", about="key")
    return answer


def _take(answer: Answer, candidate: Json) -> None:
    """Add what a candidate, or a piece of one, says."""
    answer.finish = candidate.get("finishReason") or answer.finish
    grounding = _camel(mapping(candidate.get("groundingMetadata")))
    answer.searches += len(items(grounding.get("webSearchQueries")))
    answer.logprobs += candidate_logprobs(candidate.get("logprobsResult"))
    content = candidate.get("content")
    parts = content
    if isinstance(content, dict):
        parts = content.get("parts", content.get("text"))
    for each in items(parts):
        _take_part(answer, _camel(each) if isinstance(each, dict) else each)
    answer.citations += of_gemini(candidate, answer.text)


def _take_part(answer: Answer, part: Any) -> None:
    fields = mapping(part)
    called = mapping(fields.get("functionCall"))
    seal = text_of(fields.get("thoughtSignature"))
    if called:
        answer.call(RawCall(called.get("name"), called.get("args")), seal)
    if called or not NO_TEXT.isdisjoint(fields):
        return
    if seal and "text" not in fields:
        answer.say("", seal)
        return
    text, reasoning = text_and_reasoning(part)
    if fields.get("thought") is True:
        answer.reasoning += text
    else:
        answer.say(text, seal)
    answer.reasoning += reasoning


def _camel(fields: Json) -> Json:
    """With the API's names of fields, which may also be spelt with underscores."""
    if not any("_" in name for name in fields):
        return fields
    return {
        re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name): value
        for name, value in fields.items()
    }


def response_error(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """The error of a response that is no success.

    A body without the API's `error` is from another server, such as a proxy; the SDKs make an
    object of that, too.
    """
    if isinstance(body, dict) and "error" not in body:
        body = None
    error = status_error(status, body, headers)
    # Google states no rate limits in headers, so none are looked for.
    error.rate_limits = NOT_STATED
    return error


def read_vectors(found: list[Json]) -> RawVectors:
    """Those of a batch of texts, in their order.

    Raises `ProviderError` for a body without JSON in it.
    """
    if not found:
        raise bad_response("a 200 that is not the API's JSON")
    body = _camel(found[0])
    rows = items(body.get("embeddings")) or items(body.get("embedding"))
    usage = body.get("usageMetadata")
    return RawVectors(
        [mapping(row).get("values") for row in rows],
        gemini_usage(_camel(usage) if isinstance(usage, dict) else usage),
    )
