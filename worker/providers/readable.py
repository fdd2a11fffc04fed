"""Answers that can be stored: of a size that a model writes, without what no UTF-8 can hold."""

from dataclasses import replace
from typing import Any

from producer.contract.messages import FunctionCall, ToolCall

from .base import Reply
from .statuses import bad_response

MOST_CHARACTERS = 4_000_000
"""Of an answer. No model writes more than 200,000 tokens at once, which are some 800,000."""


def readable(reply: Reply) -> Reply:
    """The reply without lone surrogates, which no UTF-8 can hold: U+FFFD stands in their place.

    Raises `ProviderError` for one that is too large to be an answer: ledger, cache and caller would
    have to hold it.
    """
    size = len(reply.text) + sum(len(call.function.arguments) for call in reply.tool_calls)
    if size > MOST_CHARACTERS:
        raise bad_response(f"an answer of {size:,} characters")
    calls = tuple(
        ToolCall(
            id=_text(call.id),
            function=FunctionCall(
                name=_text(call.function.name), arguments=_text(call.function.arguments)
            ),
        )
        for call in reply.tool_calls
    )
    if calls == reply.tool_calls:
        calls = reply.tool_calls
    changes: dict[str, Any] = {"tool_calls": calls} if calls is not reply.tool_calls else {}
    for name in ("text", "model", "stated_finish", "reasoning"):
        text = getattr(reply, name)
        if (made := _text(text)) is not text:
            changes[name] = made
    return replace(reply, **changes) if changes else reply


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
