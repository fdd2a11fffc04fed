"""Our messages, tools and options in the shape of Gemini's generateContent. Pure; the SDK takes
these dicts.
"""

import base64
import re
from typing import Any

from producer.contract.messages import ImagePart, Message, TextPart
from producer.contract.requests import CompletionRequest

from .turns import GO_ON, Part, arguments, image_urls, merged, plain, system

_DATA = re.compile(r"data:(image/[\w.+-]+);base64,(.+)", re.DOTALL)


def unsupported(request: CompletionRequest) -> str:
    """What of the request the API has no word for, "" if nothing."""
    return "an image by URL" if any(not _DATA.match(url) for url in image_urls(request)) else ""


def conversation(request: CompletionRequest) -> tuple[str, list[dict[str, Any]]]:
    """(system instruction, contents). Systems are joined, turns of one role merged, blank texts
    dropped (each would be a 400); the last turn is the user's.
    """
    names = {
        call.id: call.function.name
        for message in request.messages
        for call in message.tool_calls or ()
    }
    turns = merged(request, "model", lambda message: _parts(message, names))
    if not turns or turns[-1][0] == "model":
        turns.append(("user", [GO_ON]))
    return system(request.messages), [{"role": role, "parts": parts} for role, parts in turns]


def options(request: CompletionRequest) -> dict[str, Any]:
    """What the request asks of the answer: stop, tools, structured output."""
    config: dict[str, Any] = {}
    if request.stop:
        config["stop_sequences"] = list(request.stop)
    if request.tools:
        config["tools"] = [
            {"function_declarations": [_declaration(tool.function) for tool in request.tools]}
        ]
    if request.response_format and request.response_format.type != "text":
        config["response_mime_type"] = "application/json"
        if request.response_format.json_schema:
            config["response_json_schema"] = request.response_format.json_schema.schema_
    return config


def _declaration(function: Any) -> dict[str, Any]:
    declaration = {
        "name": function.name,
        "description": function.description,
        "parameters_json_schema": function.parameters,
    }
    return {name: value for name, value in declaration.items() if value is not None}


def _parts(message: Message, names: dict[str, str]) -> list[Part]:
    if message.role == "tool":
        # Gemini pairs a result with its call by the function's name.
        name = names.get(message.tool_call_id or "") or message.name or "unknown"
        return [{"function_response": {"name": name, "response": {"result": plain(message)}}}]
    if isinstance(message.content, str):
        parts = _text(message.content)
    else:
        parts = [each for part in message.content or () for each in _part(part)]
    for call in message.tool_calls or ():
        parts.append(
            {
                "function_call": {
                    "name": call.function.name,
                    "args": arguments(call.function.arguments),
                }
            }
        )
    return parts


def _part(part: TextPart | ImagePart) -> list[Part]:
    if isinstance(part, TextPart):
        return _text(part.text)
    found = _DATA.match(part.image_url.url)
    return (
        [{"inline_data": {"mime_type": found[1], "data": base64.b64decode(found[2])}}]
        if found
        else []
    )


def _text(text: str) -> list[Part]:
    return [{"text": text}] if text.strip() else []
