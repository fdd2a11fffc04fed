"""Turns of Google's SDK (`Content`) in OpenAI's shape.

What is of no kind that is known here stays as it is, to be refused with its place.
"""

import json
from typing import Any

from .provider_options import snake
from .vendor_parts import Json, base64_of, call, media, plain_items, spoken


class GoogleTurns:
    """Of one conversation. Calls may have no ids: a result is that of its function's first call
    that has none yet.
    """

    def __init__(self) -> None:
        self._waiting: dict[Any, list[str]] = {}

    def messages_of(self, turn: Json, number: int) -> list[Json]:
        """The messages that a `Content` stands for; [] if it is none. `number`: its place."""
        if not isinstance(turn.get("parts"), list | tuple) or "content" in turn:
            return []
        parts = [_snaked(each) for each in plain_items(turn["parts"])]
        if turn.get("role") == "model":
            return [self._answer(parts, number)]
        results = []
        others = []
        for part in parts:
            if _responds(part):
                said = part["function_response"]
                results.append(self._result(said))
            else:
                others.append(_google_part(part))
        role = turn.get("role") or "user"
        return spoken(role, results, others)

    def _answer(self, parts: list[Any], number: int) -> Json:
        message: Json = {"role": "assistant", "content": None}
        for place, part in enumerate(parts):
            called = part.get("function_call") if isinstance(part, dict) else None
            if isinstance(called, dict):
                name = called.get("name")
                call_id = called.get("id") or f"call_{number}_{place}"
                self._waiting.setdefault(str(name), []).append(call_id)
                calls = message.setdefault("tool_calls", [])
                calls.append(call(call_id, name, called.get("args") or {}))
            elif isinstance(part, dict) and isinstance(part.get("text"), str):
                field = "reasoning_content" if part.get("thought") else "content"
                message[field] = (message.get(field) or "") + part["text"]
            else:
                message["parts"] = [part]
        return message

    def _result(self, said: Any) -> Json:
        name = said.get("name")
        waiting = self._waiting.get(str(name), [])
        call_id = said.get("id") or (waiting[0] if waiting else f"function_{name}")
        if call_id in waiting:
            waiting.remove(call_id)
        response = said.get("response") or {}
        text = response
        if isinstance(response, dict):
            alone = next(iter(response.values()), "") if len(response) == 1 else response
            known = not response or next(iter(response)) in ("result", "output", "error")
            text = alone if known and isinstance(alone, str) else json.dumps(response)
        result = {
            "role": "tool",
            "tool_call_id": call_id,
            "content": text,
        }
        if isinstance(response, dict) and set(response) == {"error"}:
            result["is_error"] = True
        return result


def _google_part(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    for name, place in (("inline_data", "data"), ("file_data", "file_uri")):
        if isinstance(part.get(name), dict):
            given = _snaked(part[name])
            data = given.get(place)
            url = data if name == "file_data" else None
            return media(given.get("mime_type"), None if url else base64_of(data), url)
    return part


def _responds(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("function_response"), dict)


def _snaked(part: Any) -> Any:
    """Google's SDK takes both spellings; what says nothing is left out."""
    if not isinstance(part, dict):
        return part
    return {snake(str(name)): value for name, value in part.items() if value is not None}
