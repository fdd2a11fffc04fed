"""Messages as callers have them: as the SDKs give them back, and in the shape from before tools.

What says nothing (`refusal: null`, `annotations: []`) is left out, and so is what repeats the
answer and no provider takes back. Everything else stays, to be validated.
"""

from typing import Any

from .anthropic_turns import of_anthropic
from .google_turns import GoogleTurns
from .messages import Message

_SPEAKERS = ("user", "assistant", "system", "developer")
_SILENT: tuple[Any, ...] = (None, "", [], (), {})
_REPEATS = ("annotations", "parsed")
"""Of an answer: where its sources are, and its JSON once more as an object."""
_CALL_REPEATS = ("index", "parsed_arguments")
_TEXTS = ("input_text", "output_text")
"""What OpenAI's Responses call a text."""


def read(messages: Any) -> Any:
    """The messages without what says nothing, calls and results from before tools as these are.

    What is no list of messages is left to the validation. Raises `ValueError` for an answer in
    sound.
    """
    if not isinstance(messages, list | tuple):
        return _fields(messages)
    called: dict[str, str] = {}
    google = GoogleTurns()
    found = []
    for number, each in enumerate(messages):
        if _is_plain(each):
            found.append(each)
            continue
        fields = _fields(each)
        turns = [fields]
        if isinstance(fields, dict):
            turns = of_anthropic(fields) or google.messages_of(fields, number) or turns
            turns = [_said(turn, number, called) for turn in turns]
        found += turns
    return found


def _is_plain(message: Any) -> bool:
    """Whether it is as most are, a role and a text, and stays as it is."""
    if type(message) is not dict or len(message) != 2:
        return False
    return type(message.get("content")) is str and message.get("role") in _SPEAKERS


def _fields(message: Any) -> Any:
    """A dict of its own; of an SDK's object what it dumps."""
    if isinstance(message, Message):
        return message
    if isinstance(message, dict):
        return dict(message)
    dump = getattr(message, "model_dump", None)
    return dump() if callable(dump) else message


def _said(fields: dict[str, Any], number: int, called: dict[str, str]) -> dict[str, Any]:
    """`called`: the function of each call from before tools -> the id that its last call got."""
    is_answer = fields.get("role") == "assistant"
    if "content" in fields:
        fields["content"] = _fields(fields["content"])
    if isinstance(fields.get("content"), list | tuple):
        fields["content"] = [_part(each, is_answer) for each in fields["content"]]
    kept = {
        name: value
        for name, value in fields.items()
        if name in ("role", "content") or not is_silent(value)
    }
    if not is_answer:
        return _result(kept, called)
    for name in _REPEATS:
        kept.pop(name, None)
    if "audio" in kept:
        raise ValueError(
            f"messages[{number}].audio: an answer in sound cannot be sent back. "
            "Fix: leave it out, and put its transcript into content"
        )
    if "reasoning" in kept and isinstance(kept["reasoning"], str):
        kept.setdefault("reasoning_content", kept["reasoning"])
        del kept["reasoning"]
    _call_before_tools(kept, number, called)
    if isinstance(kept.get("tool_calls"), list | tuple):
        kept["tool_calls"] = [_call(each) for each in kept["tool_calls"]]
    return kept


def _part(part: Any, is_answer: bool) -> Any:
    """A part without what says nothing, or repeats the answer."""
    if not isinstance(part, dict):
        return part
    # An empty mark for the cache is one: its fields have defaults.
    kept = {name: value for name, value in part.items() if not _is_nothing(value)}
    if kept.get("type") in _TEXTS:
        kept["type"] = "text"
    if is_answer:
        for name in _REPEATS:
            kept.pop(name, None)
    return kept


def _result(fields: dict[str, Any], called: dict[str, str]) -> dict[str, Any]:
    """A tool's result, also in the shape that names no call; other turns as they are."""
    if fields.get("role") == "function":
        name = fields.get("name")
        fields["role"] = "tool"
        fields["tool_call_id"] = called.get(str(name), f"function_{name}")
    return fields


def _call_before_tools(fields: dict[str, Any], number: int, called: dict[str, str]) -> None:
    call = fields.get("function_call")
    if not isinstance(call, dict) or "tool_calls" in fields:
        return
    del fields["function_call"]
    call_id = f"function_call_{number}"
    called[str(call.get("name"))] = call_id
    fields["tool_calls"] = [{"id": call_id, "type": "function", "function": call}]


def _call(call: Any) -> Any:
    """A tool call without what repeats it."""
    if not isinstance(call, dict):
        return call
    kept = {name: value for name, value in call.items() if name not in _CALL_REPEATS}
    if isinstance(kept.get("function"), dict):
        kept["function"] = {
            name: value for name, value in kept["function"].items() if name not in _CALL_REPEATS
        }
    return kept


def _is_nothing(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return not value
    return value is None


def is_silent(value: Any) -> bool:
    """0 and False are no such value."""
    return any(type(value) is type(silent) and value == silent for silent in _SILENT)
