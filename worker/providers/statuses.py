"""What an HTTP response that is no success means, whichever server sent it.

Adapters add what only their provider's codes say.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ..faults import Fault, ProviderError
from ..rate_limit_headers import RateLimits

BY_STATUS = {
    400: Fault.BAD_REQUEST,
    401: Fault.MISCONFIGURED,
    402: Fault.QUOTA_EXHAUSTED,
    403: Fault.MISCONFIGURED,
    404: Fault.MISCONFIGURED,
    408: Fault.TIMEOUT,
    409: Fault.UNAVAILABLE,
    413: Fault.TOO_LONG,
    422: Fault.BAD_REQUEST,
    429: Fault.RATE_LIMITED,
    504: Fault.TIMEOUT,
    529: Fault.OVERLOADED,
}

WITHOUT_JSON = (402, 408, 413, 429)
"""Statuses below 500 that mean the same when the body is not the API's JSON."""

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
    code: str = "",
    wait_s: float | None = None,
) -> ProviderError:
    """The error of a response with `status`.

    `known`: the fault that the provider's own code means; it wins, and `code` is shown.
    `wait_s`: seconds that the body asks to wait, used if the headers ask for none.
    A `body` that is not the API's JSON is from a proxy: never an authentication error.
    """
    fault = known or _fault(status, from_api=isinstance(body, dict))
    reason = f"HTTP {status}"
    if known and code:
        reason = f"HTTP {status}, {code}"
    from_headers = retry_after_s(headers)
    if from_headers is not None:
        wait_s = from_headers
    return ProviderError(
        fault,
        reason,
        maybe_billed=fault in (Fault.TIMEOUT, Fault.BAD_RESPONSE),
        retry_after_s=wait_s,
        status=status,
        rate_limits=RateLimits.from_headers(headers),
    )


def _fault(status: int, from_api: bool) -> Fault:
    if status >= 500:
        return BY_STATUS.get(status, Fault.UNAVAILABLE)
    if from_api or status in WITHOUT_JSON:
        return BY_STATUS.get(status, Fault.BAD_RESPONSE)
    if status == 403:
        return Fault.UNAVAILABLE
    return Fault.BAD_RESPONSE


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """`retry-after-ms`, or `retry-after` in seconds or as an HTTP date (RFC 9110, 10.2.3).

    In seconds, never negative; None if there is none.
    """
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after")
        if text is None:
            return None
        if re.fullmatch(r"[\d.]+", text):
            return float(text)
        wait = parsedate_to_datetime(text) - datetime.now(UTC)
        return max(0.0, wait.total_seconds())
    except (ValueError, TypeError):
        return None


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
