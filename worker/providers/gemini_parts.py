"""Our messages as parts of Gemini's contents. Pure."""

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

from producer.contract.content import ImagePart, Part
from producer.contract.messages import Message, ToolCall

from .pairing import arguments
from .turns import Piece, image_urls, parts_of, text_of, word_of

_IMAGE = re.compile(r"data:(image/[\w.+-]+);base64,(.+)", re.DOTALL)


class Features(NamedTuple):
    """What the API in use knows."""

    ids: bool = True
    """Ids of calls; without them a result belongs to the call that stands where it does."""


ALL = Features()


def unsupported(messages: tuple[Message, ...]) -> str:
    """What of the messages the API cannot express, "" if there is nothing."""
    if not all(_IMAGE.match(url) for url in image_urls(messages)):
        return "an image by URL"
    for message in messages:
        if message.role == "tool" and any(word_of(part) is None for part in message.parts):
            return "anything but text in a tool's result"
    return ""


def parts_of_turn(message: Message, functions: dict[str, str], features: Features) -> list[Piece]:
    """A message's parts; none of blank texts, which would be a 400.

    `functions`: id of each call -> its function's name.
    """
    if message.role == "tool":
        return [_function_response(message, functions, features)]
    parts = [each for part in parts_of(message) for each in _translated(part)]
    return [*parts, *(_function_call(call, features) for call in message.tool_calls or ())]


def _function_response(message: Message, functions: dict[str, str], features: Features) -> Piece:
    called = functions.get(message.tool_call_id or "")
    said = {"error" if message.is_error else "result": text_of(message)}
    response: Piece = {"name": called or message.name or "unknown", "response": said}
    if features.ids:
        response["id"] = message.tool_call_id
    return {"function_response": response}


def _function_call(call: ToolCall, features: Features) -> Piece:
    function = call.function
    called: Piece = {"name": function.name, "args": arguments(function.arguments)}
    if features.ids:
        called["id"] = call.id
    return {"function_call": called}


def _translated(part: Part) -> Iterator[Piece]:
    """One part, or none for a blank text."""
    if isinstance(part, ImagePart):
        if found := _IMAGE.match(part.image_url.url):
            mime_type, data = found.groups()
            yield {"inline_data": {"mime_type": mime_type, "data": base64.b64decode(data)}}
        return
    word = word_of(part) or ""
    if word.strip():
        yield {"text": word}
