"""Our messages, tools and response format in the shape of OpenAI's Responses API. Pure."""

from collections.abc import Iterable
from typing import Any

from producer.contract.content import AudioPart, FilePart, ImagePart, Part, RefusalPart
from producer.contract.messages import Message, ToolCall
from producer.contract.requests import CompletionRequest
from producer.contract.tools import Tool

from .given_back import given_back, sealed_list
from .openai_messages import NO_PARAMETERS, file_of, is_openais
from .pairing import arguments_text, paired
from .responses_answers import API
from .turns import SYSTEM_ROLES, Piece, all_parts, named, parts_of, text_of

LEAST_OUTPUT = 16
"""Tokens; the API refuses a lower `max_output_tokens` (integer_below_min_value)."""


def unsupported(messages: Iterable[Message]) -> str:
    """What of the messages the API cannot express, "" if there is nothing."""
    for _, part in all_parts(messages):
        if isinstance(part, AudioPart):
            return "a sound"
        if isinstance(part, FilePart) and not is_openais(part.file):
            return "a file of another provider"
    return ""


def input_of(request: CompletionRequest, model: str) -> dict[str, Any]:
    """`instructions`, of the system's messages at the beginning, and `input`, of all others.

    Without any other they are the input, which the API insists on.
    """
    messages = list(paired(request.messages))
    number = 0
    while number < len(messages) and messages[number].role in SYSTEM_ROLES:
        number += 1
    if number == len(messages):
        return {"input": _items(messages, model)}
    told: dict[str, Any] = {"input": _items(messages[number:], model)}
    leading = map(text_of, messages[:number])
    if instructions := "\n\n".join(text for text in leading if text.strip()):
        told["instructions"] = instructions
    return told


def tools(request: CompletionRequest) -> list[dict[str, Any]]:
    """Function tools. The API's own default for `strict` is true, ours and chat's is false."""
    return [_tool(tool) for tool in request.tools]


def text_format(request: CompletionRequest) -> dict[str, Any] | None:
    """`text.format`; None if nothing is asked."""
    wanted = request.response_format
    if wanted is None or wanted.type == "text":
        return None
    if wanted.json_schema is None:
        return {"type": wanted.type}
    fields = wanted.json_schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"type": wanted.type, **fields}


def _tool(tool: Tool) -> dict[str, Any]:
    function = tool.function
    translated: dict[str, Any] = {
        "type": "function",
        "name": function.name,
        "parameters": NO_PARAMETERS | function.arguments,
        "strict": bool(function.strict),
    }
    if function.description:
        translated["description"] = function.description
    return translated


def _items(messages: Iterable[Message], model: str) -> list[Piece]:
    return [item for message in messages for item in _given_back(message, model)]


def _given_back(message: Message, model: str) -> list[Piece]:
    """With its encrypted thoughts in their places, if it is this model's."""
    items: list[Piece] = []
    for back in given_back(message, API, model):
        items += sealed_list(back.seal)
        if back.text:
            items.append({"type": "message", "role": message.role, "content": back.text})
        if back.call:
            items.append(_call(back.call))
    return items or _items_of(named(message))


def _items_of(message: Message) -> list[Piece]:
    """One message may be several items: the assistant's words, and each of its calls."""
    if message.role == "tool":
        return [_result(message)]
    items: list[Piece] = []
    content: str | list[Piece]
    if isinstance(message.content, str) and not message.refusal:
        content = message.content
    else:
        content = [_part(part, message.role) for part in parts_of(message)]
    if content or not message.tool_calls:
        items.append({"type": "message", "role": message.role, "content": content or ""})
    return items + [_call(call) for call in message.tool_calls or ()]


def _result(message: Message) -> Piece:
    output: str | list[Piece] = ""
    if isinstance(message.content, str):
        output = f"Error: {message.content}" if message.is_error else message.content
    elif message.content:
        output = [_part(part, message.role) for part in message.parts]
        if message.is_error:
            output.insert(0, {"type": "input_text", "text": "Error:"})
    elif message.is_error:
        output = "Error"
    return {"type": "function_call_output", "call_id": message.tool_call_id, "output": output}


def _part(part: Part, role: str) -> Piece:
    if isinstance(part, RefusalPart):
        return {"type": "refusal", "refusal": part.refusal}
    piece: Piece
    if isinstance(part, FilePart):
        piece = {"type": "input_file", **file_of(part.file)}
    elif isinstance(part, AudioPart):
        raise AssertionError("a sound is unsupported")
    elif isinstance(part, ImagePart):
        image = part.image_url
        piece = {
            "type": "input_image",
            "image_url": image.url,
            "detail": image.detail or "auto",
        }
    else:
        kind = "output_text" if role == "assistant" else "input_text"
        piece = {"type": kind, "text": part.text}
    if part.prompt_cache_breakpoint and role != "assistant":
        piece["prompt_cache_breakpoint"] = part.prompt_cache_breakpoint.model_dump(mode="json")
    return piece


def _call(call: ToolCall) -> Piece:
    return {
        "type": "function_call",
        "call_id": call.id,
        "name": call.function.name,
        "arguments": arguments_text(call.function.arguments),
    }
