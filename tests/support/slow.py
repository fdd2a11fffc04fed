"""Calls that never end by themselves, at every vendor.

For the test of the total deadline and its benchmark.
"""

from typing import Any

from . import all_vendors
from .ledger import ask

LINKS = ("openai:gpt-4o-mini", "anthropic:claude-haiku-4-5", "gemini:gemini-2.5-flash-lite")
EVENTS = ("hang", "hang_headers", "drip;gap=0.05")
CASES = [(link, event) for link in LINKS for event in EVENTS]


def env(base_url: str) -> dict[str, str]:
    """One second per call, one attempt per job, all three vendors at `base_url`."""
    return all_vendors.env(base_url, LINKS) | {
        "LLM_TIMEOUT_SECONDS": "1",
        "LLM_MAX_ATTEMPTS": "1",
        "LLM_COOLDOWN_SECONDS": "0.001",
    }


def script(request: dict, number: int) -> str:
    """The event stands in the prompt."""
    said = str(request.get("messages") or request["contents"])
    return next(event for event in sorted(EVENTS, key=len, reverse=True) if f"<{event}>" in said)


def submit(complete: Any) -> list[Any]:
    """One job per case. Of a few tokens: such an answer is read as a whole."""
    return [
        complete.delay(ask(f"<{event}>"), f"user-{number}", model=link, max_tokens=4)
        for number, (link, event) in enumerate(CASES)
    ]
