"""What each provider of the registry is asked and answers in the contract suite.

A provider without exchanges fails it.
"""

from typing import NamedTuple

from worker.faults import Fault
from worker.providers import REGISTRY

UNWIRED = {"simulator"}
"""Providers without a wire."""
LEGACY = {"gemini-legacy"}
"""Tested in an environment of their own: `make test-legacy`."""


class Row(NamedTuple):
    """One wire event and what it means."""

    event: str
    fault: Fault
    maybe_billed: bool
    retry_after_s: float | None


class Exchanges(NamedTuple):
    """A model to ask, the end of the base URL, and the error rows that only this provider has."""

    model: str
    path: str
    own: list[Row]


def wired() -> list[str]:
    """Every provider that the suite must cover here."""
    return [name for name in REGISTRY if name not in UNWIRED | LEGACY]


COMMON = [
    Row("400", Fault.BAD_REQUEST, False, None),
    Row("context", Fault.TOO_LONG, False, None),
    Row("401", Fault.MISCONFIGURED, False, None),
    Row("402", Fault.QUOTA_EXHAUSTED, False, None),
    Row("403", Fault.MISCONFIGURED, False, None),
    Row("404", Fault.MISCONFIGURED, False, None),
    Row("408", Fault.TIMEOUT, False, None),
    Row("409", Fault.UNAVAILABLE, False, None),
    Row("413", Fault.TOO_LONG, False, None),
    Row("422", Fault.BAD_REQUEST, False, None),
    Row("429;ra=2", Fault.RATE_LIMITED, False, 2.0),
    Row("429;ra_ms=1500", Fault.RATE_LIMITED, False, 1.5),
    Row("429", Fault.RATE_LIMITED, False, None),
    Row("quota", Fault.QUOTA_EXHAUSTED, False, None),
    Row("500", Fault.UNAVAILABLE, False, None),
    Row("502", Fault.UNAVAILABLE, False, None),
    Row("504", Fault.TIMEOUT, True, None),
    Row("529", Fault.OVERLOADED, False, None),
    Row("html", Fault.UNAVAILABLE, False, None),
    Row("html;status=403", Fault.UNAVAILABLE, False, None),
    Row("html;status=401", Fault.MISCONFIGURED, False, None),
    Row("html;status=404", Fault.MISCONFIGURED, False, None),
    Row("html;status=400", Fault.BAD_RESPONSE, False, None),
    Row("html;status=524", Fault.TIMEOUT, True, None),
    Row("redirect", Fault.MISCONFIGURED, False, None),
    Row("html;status=200", Fault.MISCONFIGURED, False, None),
    Row("reset", Fault.UNAVAILABLE, True, None),
    Row("close", Fault.UNAVAILABLE, True, None),
    Row("truncated", Fault.UNAVAILABLE, True, None),
    Row("malformed", Fault.BAD_RESPONSE, True, None),
    Row("emptybody", Fault.BAD_RESPONSE, True, None),
    Row("null", Fault.BAD_RESPONSE, True, None),
    Row("badschema", Fault.BAD_RESPONSE, True, None),
    Row("empty", Fault.BAD_RESPONSE, True, None),
]

GEMINI = [
    Row("disabled", Fault.MISCONFIGURED, False, None),
    Row("503", Fault.OVERLOADED, False, None),
    Row("badkey", Fault.MISCONFIGURED, False, None),
    Row("location", Fault.MISCONFIGURED, False, None),
    Row("429;retry_info=53", Fault.RATE_LIMITED, False, 54.0),
]
OPENAI = [
    Row("policy", Fault.CONTENT_FILTERED, False, None),
    Row("503", Fault.OVERLOADED, False, None),
    Row("503;code=other", Fault.UNAVAILABLE, False, None),
    Row("refused;param=temperature", Fault.STALE, False, None),
    Row("refused;param=tools[0].function", Fault.UNSUPPORTED, False, None),
]
EXCHANGES = {
    "openai": Exchanges("gpt-4o-mini", "/v1", OPENAI),
    "openai-responses": Exchanges(
        "gpt-5-pro", "/v1", [*OPENAI, Row("refused;param=include", Fault.STALE, False, None)]
    ),
    "anthropic": Exchanges(
        "claude-haiku-4-5",
        "",
        [
            Row("policy", Fault.CONTENT_FILTERED, False, None),
            Row("503", Fault.UNAVAILABLE, False, None),
            Row("credit", Fault.QUOTA_EXHAUSTED, False, None),
            Row("429;code=ramp_limit_exceeded", Fault.RATE_LIMITED, False, None),
            Row("refused", Fault.STALE, False, None),
        ],
    ),
    "gemini": Exchanges("gemini-2.5-flash-lite", "", GEMINI),
    "gemini-legacy": Exchanges("gemini-2.5-flash-lite", "", GEMINI),
}


def of(adapter: str) -> Exchanges:
    """Those of one provider.

    Raises `LookupError` if it has none: then nothing shows that it keeps the contract.
    """
    if adapter not in EXCHANGES:
        fix = "add its model, path and own rows to tests/contract/exchanges.py"
        raise LookupError(f"{adapter} has no exchanges: {fix}")
    return EXCHANGES[adapter]
