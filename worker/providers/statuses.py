"""What an HTTP response that is no success means, whichever server sent it.

Adapters add what only their provider's codes say.
"""

import json
import re
from collections.abc import Mapping

from ..faults import About, Fault, ProviderError
from ..rate_limit_headers import RateLimits, wait_s

BY_STATUS = {
    400: Fault.BAD_REQUEST,
    401: Fault.MISCONFIGURED,
    402: Fault.QUOTA_EXHAUSTED,
    403: Fault.MISCONFIGURED,
    404: Fault.MISCONFIGURED,
    405: Fault.MISCONFIGURED,
    407: Fault.MISCONFIGURED,
    408: Fault.TIMEOUT,
    410: Fault.MISCONFIGURED,
    409: Fault.UNAVAILABLE,
    413: Fault.TOO_LONG,
    422: Fault.BAD_REQUEST,
    429: Fault.RATE_LIMITED,
    504: Fault.TIMEOUT,
    524: Fault.TIMEOUT,
    529: Fault.OVERLOADED,
}

WITHOUT_JSON = (401, 402, 404, 405, 407, 408, 410, 413, 429)
"""Statuses below 500 that mean the same when the body is not the API's JSON."""

MAYBE_BILLED = (504, 524)
"""A gateway gave up waiting: the provider may have done the work. Any other refusal is not paid."""

PHRASES = {
    301: "a redirect, which is not followed: give the address it leads to",
    302: "a redirect, which is not followed: give the address it leads to",
    307: "a redirect, which is not followed: give the address it leads to",
    308: "a redirect, which is not followed: give the address it leads to",
    401: "the key is refused",
    405: "no API at this address; a base URL usually ends in /v1",
    407: "the proxy wants a password",
}
"""What the operator should know beside the status."""
NO_API = "no API at this address; a base URL usually ends in /v1"

OPTIONAL = ("temperature", "max_completion_tokens", "max_tokens")
"""Parameters that a call can leave out, or send under another name."""

WRONG_SHAPE = (TypeError, ValueError, AttributeError, LookupError, RuntimeError)
"""What an SDK raises for a body of the wrong shape, or for a request that it will not send.

`ProviderError` is none of these.
"""


def bad_response(reason: str) -> ProviderError:
    """The error of a response that makes no sense; the provider may have billed it."""
    return ProviderError(Fault.BAD_RESPONSE, reason, maybe_billed=True)


def status_error(
    status: int,
    body: object,
    headers: Mapping[str, str],
    known: Fault | None = None,
    code: object = "",
    wait_s: float | None = None,
) -> ProviderError:
    """The error of a response with `status`.

    `known`: the fault that the provider's own code means; it wins, and `code` is shown.
    `wait_s`: seconds that the body asks to wait, used if the headers ask for none.
    A `body` that is not the API's JSON is from a proxy, or from a server that is no such API.
    """
    from_api = isinstance(body, dict)
    fault = known or _fault(status, from_api)
    from_headers = retry_after_s(headers, refused=fault is Fault.RATE_LIMITED)
    if from_headers is not None:
        wait_s = from_headers
    return ProviderError(
        fault,
        _reason(status, from_api, str(code or "")),
        maybe_billed=status in MAYBE_BILLED,
        retry_after_s=wait_s,
        status=status,
        rate_limits=RateLimits.from_headers(headers),
        about=_about(fault, status, from_api),
    )


def _about(fault: Fault, status: int, from_api: bool) -> About | None:
    """A server that is such an API speaks with 403 and 404 of a model, or of this request."""
    if fault is not Fault.MISCONFIGURED:
        return None
    if status in (401, 407):
        return "key"
    if from_api and status in (403, 404):
        return "model"
    return None


def refuse_no_answer(content: bytes, headers: Mapping[str, str]) -> None:
    """Raise `ProviderError` if the body of a 200 is a web page, or an error of the API."""
    if content[:200].lstrip().startswith(b"<"):
        raise ProviderError(Fault.MISCONFIGURED, f"a web page and {NO_API}", status=200)
    if b'"error' not in content:
        return
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return
    error = error_in_answer(body, headers)
    if error:
        raise error


def error_in_answer(body: object, headers: Mapping[str, str]) -> ProviderError | None:
    """The error that a 200 holds instead of an answer, or in its first choice; None if none.

    It means what the status in its `code` means. An answer beside it may be billed.
    """
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return None
    stated = body.get("error") or _error_in_choice(body)
    if not stated:
        return None
    code: object = ""
    status = 500
    if isinstance(stated, dict):
        code = stated.get("code") or stated.get("type") or stated.get("status")
        status = _stated_status(stated) or 500
    known = BY_WORD.get(str(code))
    error = status_error(status, body, headers, known, code)
    error.maybe_billed = error.maybe_billed or bool(body.get("choices") or body.get("usage"))
    return error


BY_WORD = {
    "rate_limit_error": Fault.RATE_LIMITED,
    "overloaded_error": Fault.OVERLOADED,
    "authentication_error": Fault.MISCONFIGURED,
    "permission_error": Fault.MISCONFIGURED,
    "not_found_error": Fault.MISCONFIGURED,
    "invalid_request_error": Fault.BAD_REQUEST,
    "billing_error": Fault.QUOTA_EXHAUSTED,
    "insufficient_quota": Fault.QUOTA_EXHAUSTED,
    "context_length_exceeded": Fault.TOO_LONG,
    "RESOURCE_EXHAUSTED": Fault.RATE_LIMITED,
    "UNAUTHENTICATED": Fault.MISCONFIGURED,
}
"""What an error in a 200 means by its `code` or `type`, where that is no status."""


def _error_in_choice(body: dict[str, object]) -> object:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return None
    return choices[0].get("error")


def _stated_status(stated: dict[str, object]) -> int | None:
    for name in ("code", "status", "status_code"):
        if re.fullmatch(r"[45][0-9][0-9]", str(stated.get(name))):
            return int(str(stated[name]))
    return None


def _fault(status: int, from_api: bool) -> Fault:
    """A refusal that no row knows is a bad response: another link is tried, nothing is booked."""
    if status >= 500:
        return BY_STATUS.get(status, Fault.UNAVAILABLE)
    if 300 <= status < 400:
        return Fault.MISCONFIGURED
    if from_api or status in WITHOUT_JSON:
        return BY_STATUS.get(status, Fault.BAD_RESPONSE)
    if status == 403:
        return Fault.UNAVAILABLE
    return Fault.BAD_RESPONSE


def _reason(status: int, from_api: bool, code: str) -> str:
    """Holds no text of the provider but a code in the form of a name."""
    phrase = PHRASES.get(status, "")
    if status == 404 and not from_api:
        phrase = NO_API
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]{0,63}", code):
        phrase = code
    if phrase:
        return f"HTTP {status}, {phrase}"
    return f"HTTP {status}"


retry_after_s = wait_s
"""Seconds that headers ask to wait, bounded; None if they ask for nothing."""


def refused_parameter(parameter: object) -> ProviderError:
    """The error of a 400 because the model does not take `parameter`.

    `Fault.STALE` if a call can do without it: the model catalog is out of date.
    `Fault.UNSUPPORTED` if not: another link may take it.
    """
    name = str(parameter)
    if not re.fullmatch(r"[\w.\[\]]{1,64}", name):
        name = "a parameter"
    fault = Fault.UNSUPPORTED
    if name in OPTIONAL:
        fault = Fault.STALE
    return ProviderError(fault, f"HTTP 400: the model refuses {name}", status=400, parameter=name)
