"""What an HTTP answer that is no success means, whoever sent it. Adapters add what only their
provider says in its codes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ..faults import Fault, ProviderError
from ..rate_limit_headers import Allowance

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


def of_status(
    status: int,
    body: object,
    headers: Mapping[str, str],
    known: Fault | None = None,
    code: str = "",
) -> ProviderError:
    """`known`: the fault of the provider's own code, which wins; `code` is shown. A `body` that is
    not the API's JSON is a proxy speaking: never an auth error.
    """
    fault = known or BY_STATUS.get(status)
    if fault is None:
        fault = Fault.UNAVAILABLE if status >= 500 else Fault.BAD_RESPONSE
    if not isinstance(body, dict) and status < 500 and status not in (402, 408, 413, 429):
        fault = Fault.UNAVAILABLE if status == 403 else Fault.BAD_RESPONSE
    reason = f"HTTP {status}, {code}" if known and code else f"HTTP {status}"
    maybe_billed = fault in (Fault.TIMEOUT, Fault.BAD_RESPONSE)
    return ProviderError(
        fault,
        reason,
        maybe_billed,
        retry_after_s(headers),
        status,
        allowance=Allowance.told(headers),
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """`retry-after-ms`, or `retry-after` in seconds or as an HTTP date (RFC 9110, 10.2.3); never
    negative.
    """
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after")
        if text is None:
            return None
        if re.fullmatch(r"[\d.]+", text):
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


OPTIONAL = ("temperature", "max_completion_tokens", "max_tokens")
"""Parameters a call can do without, or under another name."""


def of_refused(parameter: object) -> ProviderError:
    """A 400 because the model does not take `parameter`: our data is stale if it is optional; else
    another link may take it.
    """
    name = str(parameter)
    name = name if re.fullmatch(r"[\w.\[\]]{1,64}", name) else "a parameter"
    fault = Fault.STALE if name in OPTIONAL else Fault.UNSUPPORTED
    return ProviderError(fault, f"HTTP 400: the model refuses {name}", status=400, parameter=name)
