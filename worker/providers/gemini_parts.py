"""Our messages as parts of Gemini's contents. Pure."""

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

from producer.contract.content import (
    MEDIA_TYPES,
    AudioPart,
    File,
    FilePart,
    ImagePart,
    Part,
)
from producer.contract.messages import Message, ToolCall

from .gemini_answers import API
from .given_back import Back, given_back
from .media import is_text
from .pairing import arguments
from .turns import Piece, all_parts, parts_of, text_of, word_of

_IMAGE = re.compile(r"data:(image/[\w.+-]+);base64,(.+)", re.DOTALL)


_FILES = "https://generativelanguage.googleapis.com/v1beta/"


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
    for _, part in all_parts(messages):
        if isinstance(part, ImagePart) and not _image(part.image_url.url):
            return "an image by URL whose type its name does not tell"
        if isinstance(part, FilePart) and not _file(part.file):
            return "a file that is neither PDF nor text, nor its own"
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
    shown = [part for part in message.parts if word_of(part) is None]
    if shown:
        response["parts"] = [each for part in shown for each in _translated(part)]
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
    media = None
    if isinstance(part, ImagePart):
        media = _image(part.image_url.url)
    elif isinstance(part, FilePart):
        media = _file(part.file)
    elif isinstance(part, AudioPart):
        sound = part.input_audio
        media = _inline(f"audio/{sound.format}", sound.data)
    if media:
        yield media
    word = word_of(part) or ""
    if word.strip():
        yield {"text": word}


def _image(url: str) -> Piece | None:
    """Google reads an https address itself, and must be told what is there."""
    if found := _IMAGE.match(url):
        return _inline(*found.groups())
    name = url.partition("?")[0]
    kind = MEDIA_TYPES.get(name.rpartition(".")[2].lower(), "")
    if url[:8].lower() == "https://" and kind.startswith("image/"):
        return {"file_data": {"mime_type": kind, "file_uri": url}}
    return None


def _file(file: File) -> Piece | None:
    if file.file_id:
        if file.file_id.startswith("files/"):
            return {"file_data": {"file_uri": f"{_FILES}{file.file_id}"}}
        if file.file_id.startswith(_FILES):
            return {"file_data": {"file_uri": file.file_id}}
        return None
    if file.media_type != "application/pdf" and not is_text(file):
        return None
    if file.file_url:
        return {"file_data": {"mime_type": file.media_type, "file_uri": file.file_url}}
    return _inline(file.media_type, file.base64)


def _inline(mime_type: str, data: str) -> Piece:
    return {"inline_data": {"mime_type": mime_type, "data": base64.b64decode(data)}}
