"""Tool calls as servers send them, and what of them can be used. Pure."""

import json
from collections.abc import Iterable
from typing import NamedTuple
from uuid import uuid4

from producer.contract.messages import FunctionCall, ToolCall

from .bodies import items, mapping, text_of, written

MOST_NAME_CHARACTERS = 256
FUNCTION_TYPES = ("function", "function_call", "tool_call", "tool_use")


class RawCall(NamedTuple):
    """One as it was sent; each field may be of any JSON type, or None."""

    name: object
    arguments: object


def made(calls: Iterable[RawCall]) -> list[ToolCall | None]:
    """What can be used of each; None for one that cannot.

    The ids are ours: servers repeat theirs in the next turn or at another call. The arguments are a
    JSON text: the one that the model wrote, or what the server has read from it.
    """
    return [_made(call) for call in calls]


def _made(call: RawCall) -> ToolCall | None:
    name = text_of(call.name).strip()
    arguments = _arguments(call.arguments)
    if not name or len(name) > MOST_NAME_CHARACTERS or arguments is None:
        return None
    function = FunctionCall(name=name, arguments=arguments)
    return ToolCall(id=f"call_{uuid4().hex[:24]}", function=function)


def of_message(message: dict[str, object]) -> list[RawCall]:
    """Those of a message in OpenAI's shape, also in the one it had before tools."""
    calls = [_raw(each) for each in items(message.get("tool_calls"))]
    if calls:
        return calls
    legacy = mapping(message.get("function_call"))
    if legacy:
        return [RawCall(legacy.get("name"), legacy.get("arguments"))]
    return []


def _raw(call: object) -> RawCall:
    """One that cannot be used for what is no function call, such as a custom tool's."""
    fields = mapping(call)
    function = mapping(fields.get("function")) or fields
    if not function:
        return RawCall(None, None)
    kind = fields.get("type")
    if isinstance(kind, str) and kind and kind not in FUNCTION_TYPES and "function" not in fields:
        return RawCall(None, None)
    return RawCall(function.get("name"), function.get("arguments"))


def _arguments(stated: object) -> str | None:
    """As JSON text; None for a text that breaks off: such a call is not whole."""
    if stated is None:
        return "{}"
    if not isinstance(stated, str):
        return written(stated)
    text = text_of(stated)
    if text.strip() in ("", "null"):
        return "{}"
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return text
