"""A provider's rate limits, as the headers of its answers state them."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

UNKNOWN = -1
MOST_DIGITS = 15
"""A longer number is none that a provider means, and none that the ledger takes."""
MINUTE_S = 90.0
"""The longest period of a limit that counts as per minute.

Of a limit with a longer period, only what is left of it counts.
"""

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
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
        stated = {name.lower(): value for name, value in headers.items()}
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
    reset_s = _seconds(headers.get(name.format("reset"), ""))
    # After the reset all of it is there again, so the used part shows the whole period.
    if reset_s and 0 <= left < limit:
        period_s = reset_s * limit / (limit - left)
        if period_s > MINUTE_S:
            return _Limit(UNKNOWN, left)
    return _Limit(limit, left)


def _number(text: str) -> int:
    if text.isdecimal() and len(text) <= MOST_DIGITS:
        return int(text)
    return UNKNOWN


def _seconds(text: str) -> float:
    """From "6m0s", "12ms", "1.5" or an RFC 3339 instant; 0 if it is none of them."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"(\d+(\.\d+)?(h|ms|m|s))+", text):
        return _sum_s(re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", text))
    try:
        wait = datetime.fromisoformat(text) - datetime.now(UTC)
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, wait.total_seconds())


def _sum_s(parts: Iterable[tuple[str, str]]) -> float:
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
