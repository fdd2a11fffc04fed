"""What Gemini's answers and refusals mean, whichever of Google's SDKs reads them. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from ..faults import Fault, ProviderError
from .base import Finish
from .statuses import bad_response, retry_after_s, status_error

_FILTERED = (
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
    "ESCALATION",
)
_FINISHES: dict[str, Finish] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(_FILTERED, "content_filter"),
}


def finish_of(reason: str | None, blocked: bool) -> Finish:
    """`reason`: the candidate's finish reason, None if there is no candidate.

    `blocked`: whether the prompt was. Raises `ProviderError` for a reason that is no answer.
    """
    if reason is None:
        if blocked:
            return "content_filter"
        raise bad_response("a 200 without candidates")
    if reason == "PUP_LIMITED_DISABLED":
        raise ProviderError(Fault.MISCONFIGURED, "Google has disabled this account")
    if reason not in _FINISHES:
        raise bad_response("a 200 with an unknown finish reason")
    return _FINISHES[reason]


def finish_with_calls(finish: Finish, text: str, calls: list[Any]) -> Finish:
    """The finish of an answer with tool calls; Gemini has no reason of its own for them.

    Raises `ProviderError` if the answer is empty.
    """
    if finish != "stop":
        return finish
    if calls:
        return "tool_calls"
    if text:
        return finish
    raise bad_response("a 200 without content")


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
    details = [each for each in stated.get("details") or () if isinstance(each, dict)]
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
    violations = [each for detail in details for each in detail.get("violations") or ()]
    return [str(violation.get("quotaId")) for violation in violations]


def _retry_delay_s(details: list[dict[str, Any]]) -> float | None:
    """google.rpc.RetryInfo, plus one second: it is cut to whole ones (python-genai#1875)."""
    for each in details:
        if found := re.fullmatch(r"([\d.]+)s", str(each.get("retryDelay"))):
            return float(found[1]) + 1.0
    return None
