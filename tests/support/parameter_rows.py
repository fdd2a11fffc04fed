"""How a parameter and what it is on the wire of each API are written down."""

from typing import Any, NamedTuple

SENT, REFUSED = "sent", "refused"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
FORCED = {"type": "function", "function": {"name": "f"}}
MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-2.5-flash",
}
OTHER = {"type": "function", "function": {"name": "g", "parameters": {"type": "object"}}}
SOME = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [FORCED]}}
PLACE = {"type": "approximate", "approximate": {"country": "DE", "city": "Bonn"}}
PREDICTED = {"type": "content", "content": "x = 1"}


class Row(NamedTuple):
    """What is asked, and what it adds to the body at each API: a dict, `SENT` as it is, {} nothing
    (it holds without it), or `REFUSED` with words of the reason after a colon.
    """

    asked: dict[str, Any]
    openai: Any
    anthropic: Any
    gemini: Any
    models: dict[str, str] = {}
    beside: dict[str, Any] = {}
    """What else the request says."""


def tools(**asked):
    return {"asked": asked, "beside": {"tools": [TOOL]}}


def config(**fields):
    return {"generationConfig": fields}


def calling(**fields):
    return {"toolConfig": {"functionCallingConfig": fields}}
