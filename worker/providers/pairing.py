"""Tool calls and their results as every provider wants them, whoever made them. Pure.

Ids are unique over the conversation and of letters that all APIs take; results stand behind the
turn of their calls, in the calls' order. Some servers number the calls of each turn from the
beginning, so a result belongs to the last call of its id that has none yet.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from producer.contract.messages import Message, ToolCall

USABLE = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""Anthropic's letters, and OpenAI's length."""


def paired(messages: Iterable[Message], usable: re.Pattern[str] = USABLE) -> list[Message]:
    """The conversation with its results behind their calls.

    A result without a call stays where it is.
    """
    turns: list[_Turn] = []
    ids: set[str] = set()
    waiting: dict[str, list[_Turn]] = {}
    for message in messages:
        if message.role == "tool" and waiting.get(message.tool_call_id or ""):
            waiting[message.tool_call_id or ""].pop().take(message)
            continue
        turns.append(_Turn(message, ids, usable))
        for call in message.tool_calls or ():
            waiting.setdefault(call.id, []).append(turns[-1])
    return [message for turn in turns for message in turn.messages()]


class _Turn:
    """A message and, if it calls tools, their results."""

    def __init__(self, message: Message, ids: set[str], usable: re.Pattern[str]) -> None:
        self._message = message
        self._results: dict[int, Message] = {}
        self._free: dict[str, list[int]] = {}
        if message.tool_calls:
            for number, call in enumerate(message.tool_calls):
                self._free.setdefault(call.id, []).append(number)
            calls = tuple(_renamed(call, ids, usable) for call in message.tool_calls)
            self._message = message.model_copy(update={"tool_calls": calls})

    def take(self, result: Message) -> None:
        """Put it behind the first call of its id that has none yet."""
        number = self._free[result.tool_call_id or ""].pop(0)
        ours = (self._message.tool_calls or ())[number].id
        self._results[number] = result.model_copy(update={"tool_call_id": ours})

    def messages(self) -> list[Message]:
        return [self._message, *(self._results[number] for number in sorted(self._results))]


def _renamed(call: ToolCall, ids: set[str], usable: re.Pattern[str]) -> ToolCall:
    """By what stands before it alone, so that the same beginning is always written the same."""
    new = call.id
    number = 0
    while new in ids or not usable.fullmatch(new):
        text = f"{call.id}:{number}" if number else call.id
        new = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:9]
        number += 1
    ids.add(new)
    return call if new == call.id else call.model_copy(update={"id": new})


def arguments(text: str) -> dict[str, Any]:
    """The arguments of a tool call as an object: the APIs take nothing else.

    None are no arguments. A model may have written something that is no JSON object; it is passed
    on as text.
    """
    if text.strip() in ("", "null"):
        return {}
    try:
        value = json.loads(text, strict=False, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"arguments": text}


def arguments_text(text: str) -> str:
    """The same as JSON; as the model wrote it where that is an object."""
    value = arguments(text)
    if value == {"arguments": text} or not value:
        return json.dumps(value, ensure_ascii=False)
    return text


def _no_number(word: str) -> None:
    raise ValueError(word)
