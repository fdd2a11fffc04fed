"""Parts, calls and results in OpenAI's shape, of what other vendors' SDKs have."""

import base64
import json
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_SOUNDS = {
    "audio/x-wav": "wav",
    "audio/mpeg": "mp3",
}


def spoken(role: Any, results: list[Json], others: list[Any]) -> list[Json]:
    """Results are messages of their own, before what else is said."""
    if results and not others:
        return results
    said = {
        "role": role,
        "content": others,
    }
    return [*results, said]


def media(kind: Any, data: Any, url: Any = None) -> Json:
    """A part of that media type, by its data in base64 or by its address."""
    address = url or f"data:{kind};base64,{data}"
    family, _, name = str(kind).partition("/")
    if family == "audio":
        sound = {
            "data": data,
            "format": _SOUNDS.get(kind, name),
        }
        return {
            "type": "input_audio",
            "input_audio": sound,
        }
    if family == "image" or kind is None:
        return {
            "type": "image_url",
            "image_url": {"url": address},
        }
    if url:
        return file(file_url=url)
    return file(file_data=address)


def file(**told: Any) -> Json:
    return {
        "type": "file",
        "file": told,
    }


def call(call_id: Any, name: Any, arguments: Any) -> Json:
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments)
    function = {
        "name": name,
        "arguments": arguments,
    }
    return {
        "id": call_id,
        "type": "function",
        "function": function,
    }


def plain_items(value: Any) -> list[Any]:
    """Its items, of SDKs' objects what they dump."""
    if isinstance(value, str):
        return [{"type": "text", "text": value}]
    return list(_plain(value)) if isinstance(value, list | tuple) else []


def _plain(items: Any) -> Iterator[Any]:
    for each in items:
        dump = getattr(each, "model_dump", None)
        yield dump() if callable(dump) else each


def base64_of(data: Any) -> Any:
    if isinstance(data, bytes):
        return base64.b64encode(data).decode()
    return data.replace("-", "+").replace("_", "/") if isinstance(data, str) else data
