"""What Gemini's answers and refusals mean, whichever of Google's SDKs reads them. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from ..faults import Fault, ProviderError
from ..rate_limit_headers import LONGEST_WAIT_S
from .answers import Answer, text_and_reasoning
from .bodies import Json, items, mapping, text_of
from .statuses import bad_response, retry_after_s, status_error
from .tool_calls import RawCall
from .usages import gemini_usage


def read(found: list[Json]) -> Answer:
    """The answer in the objects of a body: one, or the pieces of a stream.

    Raises `ProviderError` for a body without an answer in it.
    """
    if not found:
        raise bad_response("a 200 that is not the API's JSON")
    answer = Answer()
    candidates = 0
    usage: object = None
    for body in map(_camel, found):
        usage = body.get("usageMetadata") or usage
        answer.model = text_of(body.get("modelVersion")) or answer.model
        answer.request_id = text_of(body.get("responseId")) or answer.request_id
        for candidate in items(body.get("candidates"))[:1]:
            candidates += 1
            _take(answer, _camel(mapping(candidate)))
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
    content = candidate.get("content")
    parts = content
    if isinstance(content, dict):
        parts = content.get("parts", content.get("text"))
    for each in items(parts):
        part = _camel(each) if isinstance(each, dict) else each
        called = mapping(mapping(part).get("functionCall"))
        if called:
            call = RawCall(called.get("name"), called.get("args"), called.get("id"))
            answer.calls.append(call)
            continue
        text, reasoning = text_and_reasoning(part)
        if mapping(part).get("thought") is True:
            answer.reasoning += text
        else:
            answer.text += text
        answer.reasoning += reasoning


def _camel(fields: Json) -> Json:
    """With the API's names of fields, which may also be spelt with underscores."""
    return {
        re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name): value
        for name, value in fields.items()
    }


def response_error(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """The error of a response that is no success.

    A body without the API's `error` is from another server, such as a proxy.
    """
    api_body = None
    stated: dict[str, Any] = {}
    if isinstance(body, dict) and "error" in body:
        api_body = body
        if isinstance(body["error"], dict):
            stated = body["error"]
    details = [each for each in _listed(stated.get("details")) if isinstance(each, dict)]
    wait_s = retry_after_s(headers)
    if wait_s is None:
        wait_s = _retry_delay_s(details)
    known = _known(status, stated, details)
    # Google states no rate limits in headers, so none are looked for.
    return status_error(status, api_body, {}, known, wait_s=wait_s)


def _known(
    status: int,
    stated: dict[str, Any],
    details: list[dict[str, Any]],
) -> Fault | None:
    """What the status alone does not say.

    A wrong key and an unsupported location are 400s here, a used-up daily quota is a 429.
    """
    if stated.get("status") == "FAILED_PRECONDITION":
        return Fault.MISCONFIGURED
    if any(each.get("reason") == "API_KEY_INVALID" for each in details):
        return Fault.MISCONFIGURED
    if status == 429 and any("PerDay" in quota for quota in _quotas(details)):
        return Fault.QUOTA_EXHAUSTED
    if status == 400 and _TOO_LONG.search(str(stated.get("message"))):
        return Fault.TOO_LONG
    if status == 503 and stated.get("status") == "UNAVAILABLE":
        return Fault.OVERLOADED
    return None


_TOO_LONG = re.compile(r"input token count.*exceeds the maximum")


def _quotas(details: list[dict[str, Any]]) -> list[str]:
    """The ids of the quotas that were violated."""
    violations = [each for detail in details for each in _listed(detail.get("violations"))]
    return [str(each.get("quotaId")) for each in violations if isinstance(each, dict)]


def _listed(value: object) -> list[Any]:
    """The value if it is a list, else nothing: an error's body may be of any shape."""
    if isinstance(value, list):
        return value
    return []


def _retry_delay_s(details: list[dict[str, Any]]) -> float | None:
    """google.rpc.RetryInfo, plus one second: it is cut to whole ones (python-genai#1875)."""
    for each in details:
        if found := re.fullmatch(r"([0-9]{1,9}(\.[0-9]{1,9})?)s", str(each.get("retryDelay"))):
            return min(float(found[1]) + 1.0, LONGEST_WAIT_S)
    return None
