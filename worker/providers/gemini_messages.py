"""Our messages, tools and options in the shape of Gemini's generateContent. Pure.

Both of Google's SDKs take these dicts.
"""

import base64
import re
from typing import Any

from producer.contract.messages import ImagePart, Message, TextPart, ToolCall
from producer.contract.requests import CompletionRequest, FunctionTool

from .turns import (
    CONTINUE,
    Part,
    arguments,
    image_urls,
    merged_turns,
    system_text,
    text_of,
)

_DATA = re.compile(r"data:(image/[\w.+-]+);base64,(.+)", re.DOTALL)


def unsupported(request: CompletionRequest) -> str:
    """The part of the request that the API cannot express, "" if there is none."""
    if all(_DATA.match(url) for url in image_urls(request)):
        return ""
    return "an image by URL"


def conversation(request: CompletionRequest) -> tuple[str, list[Any]]:
    """(system instruction, contents).

    System messages are joined, turns of one role merged, and blank texts dropped (each would be a
    400). The last turn is the user's.
    """
    functions = {
        call.id: call.function.name
        for message in request.messages
        for call in message.tool_calls or ()
    }
    turns = merged_turns(request, "model", lambda message: _parts(message, functions))
    if not turns or turns[-1][0] == "model":
        turns.append(("user", [{"text": CONTINUE}]))
    contents = [{"role": role, "parts": parts} for role, parts in turns]
    return system_text(request.messages), contents


def options(request: CompletionRequest) -> dict[str, Any]:
    """What the request demands of the answer: stop, tools, structured output."""
    config: dict[str, Any] = {}
    if request.stop:
        config["stop_sequences"] = list(request.stop)
    if request.tools:
        declarations = [_declaration(tool.function) for tool in request.tools]
        config["tools"] = [{"function_declarations": declarations}]
    wanted = request.response_format
    if wanted and wanted.type != "text":
        config["response_mime_type"] = "application/json"
        if wanted.json_schema:
            config["response_json_schema"] = wanted.json_schema.schema_
    return config


def _declaration(function: FunctionTool) -> dict[str, Any]:
    declaration = {
        "name": function.name,
        "description": function.description,
        "parameters_json_schema": function.parameters,
    }
    return {name: value for name, value in declaration.items() if value is not None}


def _parts(message: Message, functions: dict[str, str]) -> list[Part]:
    if message.role == "tool":
        return [_function_response(message, functions)]
    if isinstance(message.content, str):
        parts = _text(message.content)
    else:
        parts = [each for part in message.content or () for each in _part(part)]
    parts += [_function_call(call) for call in message.tool_calls or ()]
    return parts


def _function_response(message: Message, functions: dict[str, str]) -> Part:
    """Gemini pairs a result with its call by the function's name."""
    called = functions.get(message.tool_call_id or "")
    response = {
        "name": called or message.name or "unknown",
        "response": {"result": text_of(message)},
    }
    return {"function_response": response}


def _function_call(call: ToolCall) -> Part:
    function = call.function
    args = arguments(function.arguments)
    return {"function_call": {"name": function.name, "args": args}}


def _part(part: TextPart | ImagePart) -> list[Part]:
    if isinstance(part, TextPart):
        return _text(part.text)
    found = _DATA.match(part.image_url.url)
    if found is None:
        return []
    mime_type, data = found.groups()
    image = {"mime_type": mime_type, "data": base64.b64decode(data)}
    return [{"inline_data": image}]


def _text(text: str) -> list[Part]:
    """One part, or none for a blank text."""
    if not text.strip():
        return []
    return [{"text": text}]
