"""What Gemini's answers and refusals mean, whichever of Google's SDKs reads them. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from ..faults import Fault, ProviderError
from .base import Finish
from .statuses import of_status

_FINISHES: dict[str, Finish] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        (
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
        ),
        "content_filter",
    ),
}


def finish_of(name: str | None, blocked: bool) -> Finish:
    """`name`: the candidate's finish reason, None if there is no candidate. Raises `ProviderError`
    for one that is no answer.
    """
    if name is None:
        if blocked:
            return "content_filter"
        raise ProviderError(Fault.BAD_RESPONSE, "a 200 without candidates", maybe_billed=True)
    if name == "PUP_LIMITED_DISABLED":
        raise ProviderError(Fault.MISCONFIGURED, "Google has disabled this account")
    if name not in _FINISHES:
        raise ProviderError(
            Fault.BAD_RESPONSE, "a 200 with an unknown finish reason", maybe_billed=True
        )
    return _FINISHES[name]


def refusal(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """The fault of an answer that is no success. A body without the API's `error` is somebody
    else's.
    """
    known = body if isinstance(body, dict) and "error" in body else None
    told = known["error"] if known and isinstance(known["error"], dict) else {}
    details = [each for each in told.get("details") or () if isinstance(each, dict)]
    found = of_status(status, known, headers, _known(status, told, details))
    if found.retry_after_s is None:
        found = ProviderError(
            found.fault, found.reason, found.maybe_billed, _retry_delay_s(details), found.status
        )
    return found


def _known(status: int, told: dict[str, Any], details: list[dict[str, Any]]) -> Fault | None:
    """What status alone does not tell: a wrong key and a wrong place are 400s here, a spent day is
    a 429.
    """
    if (
        any(each.get("reason") == "API_KEY_INVALID" for each in details)
        or told.get("status") == "FAILED_PRECONDITION"
    ):
        return Fault.MISCONFIGURED
    quotas = [
        str(each.get("quotaId")) for detail in details for each in detail.get("violations") or ()
    ]
    if status == 429 and any("PerDay" in quota for quota in quotas):
        return Fault.QUOTA_EXHAUSTED
    if status == 400 and re.search(
        r"input token count.*exceeds the maximum", str(told.get("message"))
    ):
        return Fault.TOO_LONG
    return Fault.OVERLOADED if status == 503 and told.get("status") == "UNAVAILABLE" else None


def _retry_delay_s(details: list[dict[str, Any]]) -> float | None:
    """google.rpc.RetryInfo. It is cut to whole seconds, so one more is waited (python-genai#1875)."""
    for each in details:
        if found := re.fullmatch(r"([\d.]+)s", str(each.get("retryDelay"))):
            return float(found[1]) + 1.0
    return None
