"""What a provider tells of its rate limits with every answer, read from the answer's headers."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

UNTOLD = -1
A_MINUTE_S = 90.0
"""A limit whose period is longer than this is no limit per minute; of it, only what is left counts."""

_PARTS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Allowance(NamedTuple):
    """Per minute; `UNTOLD` for what was not said."""

    requests: int = UNTOLD
    requests_left: int = UNTOLD
    tokens: int = UNTOLD
    tokens_left: int = UNTOLD

    def __str__(self) -> str:
        """As the ledger's scripts read it; "" if nothing was told."""
        return "" if self == SILENCE else ",".join(map(str, self))

    @classmethod
    def told(cls, headers: Mapping[str, str]) -> "Allowance":
        """From OpenAI's names (`x-ratelimit-limit-requests`), which most compatible servers use, or
        Anthropic's (`anthropic-ratelimit-requests-limit`). Anthropic limits input and output apart:
        the sum, and the smaller share left.
        """
        theirs = {
            name.lower(): value for name, value in headers.items() if "ratelimit" in name.lower()
        }
        if any(name.startswith("anthropic-") for name in theirs):
            kinds = [
                _limit(theirs, f"anthropic-ratelimit-{kind}-{{}}")
                for kind in ("input-tokens", "output-tokens")
            ]
            known = [kind for kind in kinds if kind[0] > 0]
            tokens = sum(limit for limit, _ in known) if known else UNTOLD
            left = int(tokens * min(left / limit for limit, left in known)) if known else UNTOLD
            return cls(
                *_limit(theirs, "anthropic-ratelimit-requests-{}"), tokens, max(left, UNTOLD)
            )
        return cls(
            *_limit(theirs, "x-ratelimit-{}-requests"), *_limit(theirs, "x-ratelimit-{}-tokens")
        )


SILENCE = Allowance()
"""Nothing was told."""


def _limit(headers: Mapping[str, str], name: str) -> tuple[int, int]:
    """(limit per minute, what is left of it)."""
    limit, left = (
        _number(headers.get(name.format("limit"))),
        _number(headers.get(name.format("remaining"))),
    )
    reset_s = _seconds(headers.get(name.format("reset"), ""))
    # The reset is when all of it is there again, so the part that is used tells the whole period.
    daily = reset_s and 0 <= left < limit and reset_s * limit / (limit - left) > A_MINUTE_S
    return (UNTOLD if daily else limit), left


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else UNTOLD


def _seconds(text: str) -> float:
    """From "6m0s", "12ms", "1.5" or an RFC 3339 instant; 0 if it is none of them."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"(\d+(\.\d+)?(h|ms|m|s))+", text):
        return sum(
            float(number) * _PARTS[unit]
            for number, _, unit in re.findall(r"(\d+(\.\d+)?)(h|ms|m|s)", text)
        )
    try:
        return max(0.0, (datetime.fromisoformat(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
