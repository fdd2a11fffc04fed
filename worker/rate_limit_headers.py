"""A provider's rate limits, as the headers of its answers state them.

Headers are written by others: every number that comes out is finite, bounded and not negative.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

UNKNOWN = -1
MINUTE_S = 90.0
"""The longest period of a limit that counts as per minute.

Of a limit with a longer period, only what is left of it counts.
"""

LONGEST_WAIT_S = 86_400.0
"""No stated wait counts for more than a day: then the link is tried again."""
LARGEST = 10**12
"""No stated limit counts for more; what has more digits is no number of requests or tokens."""

_UNITS = {
    "d": 86_400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 0.001,
    "us": 0.000_001,
    "µs": 0.000_001,
}
_NUMBER = r"[0-9]{1,18}(?:\.[0-9]{0,18})?"
_PART = re.compile(
    rf"({_NUMBER})\s*(milliseconds?|ms|us|µs|days?|d|hours?|h|minutes?|mins?|m|seconds?|secs?|s)\s*"
)
_LONG_UNITS = ("day", "hour", "min", "sec")
_OPENAI = "x-ratelimit-{}-"
_ANTHROPIC = "anthropic-ratelimit-"


class RateLimits(NamedTuple):
    """Per minute, and what is left now; `UNKNOWN` for what was not stated."""

    requests: int = UNKNOWN
    requests_left: int = UNKNOWN
    tokens: int = UNKNOWN
    tokens_left: int = UNKNOWN

    def __str__(self) -> str:
        """As the ledger takes it; "" if nothing was stated."""
        if self == NOT_STATED:
            return ""
        return ",".join(map(str, self))

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "RateLimits":
        """By the names of OpenAI, which most compatible servers use, or of Anthropic.

        `x-ratelimit-limit-requests`; `anthropic-ratelimit-requests-limit`.
        """
        stated = _rate_limits(headers)
        if not stated:
            return NOT_STATED
        if any(name.startswith(_ANTHROPIC) for name in stated):
            requests = _limit(stated, _ANTHROPIC + "requests-{}")
            tokens = _tokens_of_anthropic(stated)
        else:
            requests = _limit(stated, _OPENAI + "requests")
            tokens = _limit(stated, _OPENAI + "tokens")
        return cls(*requests, *tokens)


NOT_STATED = RateLimits()


class _Limit(NamedTuple):
    """Per minute, and what is left now."""

    limit: int = UNKNOWN
    left: int = UNKNOWN


def _tokens_of_anthropic(headers: Mapping[str, str]) -> _Limit:
    """Anthropic limits input and output apart: the sum, and the smaller share left."""
    kinds = (
        _limit(headers, _ANTHROPIC + "input-tokens-{}"),
        _limit(headers, _ANTHROPIC + "output-tokens-{}"),
    )
    known = [kind for kind in kinds if kind.limit > 0]
    if not known:
        return _Limit()
    total = sum(kind.limit for kind in known)
    share = min(kind.left / kind.limit for kind in known)
    return _Limit(total, max(int(total * share), UNKNOWN))


def _limit(headers: Mapping[str, str], name: str) -> _Limit:
    """`name`: of the headers, with {} for "limit", "remaining" and "reset"."""
    limit = _number(headers.get(name.format("limit"), ""))
    left = _number(headers.get(name.format("remaining"), ""))
    reset_s = seconds(headers.get(name.format("reset"), "")) or 0.0
    # After the reset all of it is there again, so the used part shows the whole period.
    if reset_s and 0 <= left < limit:
        period_s = reset_s * limit / (limit - left)
        if period_s > MINUTE_S:
            return _Limit(UNKNOWN, left)
    return _Limit(limit, left)


def seconds(text: str) -> float | None:
    """A wait in seconds, 0 to `LONGEST_WAIT_S`; None if `text` states none.

    Known forms: "20", "1.5", "60s", "6m0s", "12ms", "30 seconds", an HTTP date (also without a
    zone), an RFC 3339 instant, an epoch in seconds or milliseconds, and several of them with commas
    between (a header that came twice): the longest.
    """
    text = text[:200].strip().strip('"')
    found = _one(text)
    if found is None and "," in text:
        parts = [_one(part.strip()) for part in text.split(",")]
        found = max((part for part in parts if part is not None), default=None)
    if found is None:
        return None
    return min(max(0.0, found), LONGEST_WAIT_S)


def wait_s(headers: Mapping[str, str], refused: bool = False) -> float | None:
    """The seconds that the headers ask to wait, as `seconds`; None if they do not.

    `refused`: because of a rate limit; then the times at which limits are there again count, too.
    """
    lower = {str(name).lower(): str(value) for name, value in headers.items()}
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if re.fullmatch(rf"{_NUMBER}", lower.get(name, "").strip()):
            return seconds(f"{lower[name].strip()}ms")
    for name in ("retry-after", "x-ratelimit-reset-after", "x-retry-after"):
        found = seconds(lower.get(name, ""))
        if found is not None:
            return found
    if not refused:
        return None
    return _reset_s(_rate_limits(lower))


def _one(text: str) -> float | None:
    if re.fullmatch(rf"[-+]?{_NUMBER}", text):
        return _from_number(float(text))
    lower = text.lower()
    if _PART.match(lower) and re.fullmatch(rf"(?:{_PART.pattern})+", lower):
        return sum(float(number) * _unit(name) for number, name in _PART.findall(lower))
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            instant = parse(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        return (instant - datetime.now(UTC)).total_seconds()
    return None


def _unit(name: str) -> float:
    if name.startswith("milli"):
        return _UNITS["ms"]
    if name.startswith(_LONG_UNITS):
        return _UNITS[name[0]]
    return _UNITS[name]


def _from_number(number: float) -> float | None:
    """Seconds, or an instant since 1970 in seconds or milliseconds."""
    now_s = datetime.now(UTC).timestamp()
    if number >= 1e15:
        return None
    if number >= 1e11:
        return number / 1000 - now_s
    if number >= 1e9:
        return number - now_s
    return number


def _rate_limits(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are about rate limits, by their names in small letters."""
    return {
        str(name).lower(): str(value)
        for name, value in headers.items()
        if "ratelimit" in str(name).lower()
    }


def _reset_s(stated: dict[str, str]) -> float | None:
    """When the limit with the smallest share left is there again, in seconds."""
    found = []
    for name, value in stated.items():
        if "reset" not in name:
            continue
        reset = seconds(value)
        if reset is None:
            continue
        left = _number(stated.get(name.replace("reset", "remaining"), ""))
        limit = _number(stated.get(name.replace("reset", "limit"), ""))
        share = 0.5
        if left == 0:
            share = 0.0
        elif left > 0 and limit > 0:
            share = left / limit
        found.append((share, -reset))
    if not found or min(found)[0] > 0.5:
        return None
    return -min(found)[1]


def _number(text: str) -> int:
    digits = text.strip()
    if re.fullmatch(r"[0-9]{1,13}", digits):
        return min(int(digits), LARGEST)
    return UNKNOWN
