"""Our messages as parts of Gemini's contents. Pure."""

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

from producer.contract.content import ImagePart, Part
from producer.contract.messages import Message, ToolCall

from .gemini_answers import API
from .given_back import Back, given_back
from .pairing import arguments
from .turns import Piece, image_urls, parts_of, text_of, word_of

_IMAGE = re.compile(r"data:(image/[\w.+-]+);base64,(.+)", re.DOTALL)


class Features(NamedTuple):
    """What the API in use knows."""

    ids: bool = True
    """Ids of calls; without them a result belongs to the call that stands where it does."""
    seals: bool = True
    """Signatures of thoughts."""


ALL = Features()
FOREIGN = b"skip_thought_signature_validator"
"""Stands for the signature of a call that another model made, which Gemini 3 would refuse without
(ai.google.dev/gemini-api/docs/thought-signatures, FAQ).
"""
_UNSEALED = ("gemini-1", "gemini-2")
"""How models begin that take calls without a signature."""


def unsupported(messages: tuple[Message, ...]) -> str:
    """What of the messages the API cannot express, "" if there is nothing."""
    if not all(_IMAGE.match(url) for url in image_urls(messages)):
        return "an image by URL"
    for message in messages:
        if message.role == "tool" and any(word_of(part) is None for part in message.parts):
            return "anything but text in a tool's result"
    return ""


def parts_of_turn(
    message: Message, functions: dict[str, str], features: Features, model: str
) -> list[Piece]:
    """A message's parts; none of blank texts, which would be a 400. With the signatures of its
    thoughts, if it is this model's.

    `functions`: id of each call -> its function's name.
    """
    if message.role == "tool":
        return [_function_response(message, functions, features)]
    if features.seals and (backs := given_back(message, API, model)):
        return [each for back in backs for each in _given_back(back, features)]
    parts = [each for part in parts_of(message) for each in _translated(part)]
    calls = [_function_call(call, features) for call in message.tool_calls or ()]
    if calls and features.seals and not model.startswith(_UNSEALED):
        calls[0]["thought_signature"] = FOREIGN
    return parts + calls


def _given_back(back: Back, features: Features) -> Iterator[Piece]:
    seal = _bytes(back.seal)
    sealed: Piece = {"thought_signature": seal} if seal else {}
    if back.call:
        yield _function_call(back.call, features) | sealed
    elif back.text.strip() or seal:
        yield {"text": back.text} | sealed


def _bytes(seal: str) -> bytes:
    """Of base64 in either alphabet; none of anything else, which someone has changed."""
    try:
        return base64.b64decode(seal.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return b""


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
