"""Our messages as OpenAI's chat completions, in the dialect of the server. Pure."""

import hashlib
import re
from typing import Any

from producer.contract.requests import CompletionRequest

from .dialects import Dialect

SHORT_ID = re.compile(r"[A-Za-z0-9]{9}")


def messages_of(request: CompletionRequest, dialect: Dialect) -> list[dict[str, Any]]:
    """Only with what is set: many servers refuse a null."""
    dumped = request.model_dump(mode="json", include={"messages"}, by_alias=True, exclude_none=True)
    return [_spoken(message, dialect) for message in dumped["messages"]]


def _spoken(message: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    if message["role"] == "developer" and not dialect.developer:
        message["role"] = "system"
    if not dialect.names:
        message.pop("name", None)
    if dialect.short_ids:
        _shorten_ids(message)
    return message


def _shorten_ids(message: dict[str, Any]) -> None:
    """Of a call and of its result alike; calls of other providers come after a rotation."""
    if "tool_call_id" in message:
        message["tool_call_id"] = _short(message["tool_call_id"])
    for call in message.get("tool_calls", ()):
        call["id"] = _short(call["id"])


def _short(text: str) -> str:
    if SHORT_ID.fullmatch(text):
        return text
    return hashlib.sha256(text.encode()).hexdigest()[:9]
