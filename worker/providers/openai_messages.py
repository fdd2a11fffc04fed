"""Our messages as OpenAI's chat completions, in the dialect of the server. Pure."""

import re
from typing import Any

from producer.contract.content import (
    MEDIA_TYPES,
    AudioPart,
    File,
    FilePart,
    Part,
    RefusalPart,
)
from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest

from .dialects import Dialect
from .given_back import kept_of, sealed_list
from .pairing import USABLE, arguments_text, paired
from .turns import Piece, all_parts, named, parts_of, word_of

SHORT_ID = re.compile(r"[A-Za-z0-9]{9}")
NO_PARAMETERS = {"type": "object", "properties": {}}
"""What the schema of a function has at least: the API refuses one without properties."""
MARKS = ("cache_control", "prompt_cache_breakpoint")


def unsupported(messages: tuple[Message, ...]) -> str:
    """What of the messages the API cannot express, "" if there is nothing."""
    for message in messages:
        if message.role == "tool" and any(word_of(part) is None for part in message.parts):
            return "anything but text in a tool's result"
    for _, part in all_parts(messages):
        if isinstance(part, FilePart) and part.file.file_url:
            return "a file by URL"
        if isinstance(part, FilePart) and not is_openais(part.file):
            return "a file of another provider"
        if isinstance(part, AudioPart) and part.input_audio.format not in ("wav", "mp3"):
            return "a sound that is neither wav nor mp3"
    return ""


def is_openais(file: File) -> bool:
    """Whether its id may be one of OpenAI's or of a server like it."""
    named = file.file_id or ""
    return not named.startswith(("file_", "files/", "https:"))


def file_of(file: File) -> Piece:
    """Its data with its type, and with a name, without which the API refuses it."""
    told = file.model_dump(mode="json", exclude_none=True)
    if file.file_data:
        told["file_data"] = f"data:{file.media_type};base64,{file.base64}"
        ends = (end for end, kind in MEDIA_TYPES.items() if kind == file.media_type)
        told.setdefault("filename", f"file.{next(ends, 'bin')}")
    return told


def messages_of(
    request: CompletionRequest, dialect: Dialect, api: str = "", model: str = ""
) -> list[dict[str, Any]]:
    """Only with what is set: many servers refuse a null.

    `api`: the dialect's name, by which its own thoughts are known.
    """
    usable = SHORT_ID if dialect.short_ids else USABLE
    return [
        _spoken(message, dialect) | _thoughts(message, dialect, api, model)
        for message in paired(request.messages, usable)
    ]


def _spoken(message: Message, dialect: Dialect) -> Piece:
    if not dialect.names:
        message = named(message)
    spoken: Piece = {"role": message.role}
    if message.role == "developer" and not dialect.developer:
        spoken["role"] = "system"
    content = _content(message, dialect)
    if content is not None:
        spoken["content"] = content
    if message.name and dialect.names:
        spoken["name"] = message.name
    if message.refusal and dialect.refusals:
        spoken["refusal"] = message.refusal
    if message.tool_call_id:
        spoken["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        spoken["tool_calls"] = [_call(call.model_dump(mode="json")) for call in message.tool_calls]
    return spoken


def _thoughts(message: Message, dialect: Dialect, api: str, model: str) -> Piece:
    """What the server wants back of its own thoughts, under its name for them."""
    name = dialect.thoughts_back
    if not name:
        return {}
    if not message.kept:
        return message.model_dump(mode="json", include={name})
    kept = kept_of(message, api, model)
    if not kept:
        return {}
    if name == "reasoning_content":
        return {name: "".join(piece.thought or "" for piece in kept.pieces)}
    details = [each for piece in kept.pieces for each in sealed_list(piece.seal)]
    return {name: details} if details else {}


def _call(call: Piece) -> Piece:
    call["function"]["arguments"] = arguments_text(call["function"]["arguments"])
    return call


def _content(message: Message, dialect: Dialect) -> str | list[Piece] | None:
    """None where calls or a refusal are all that was said."""
    content = message.content
    if message.refusal and not dialect.refusals:
        content = parts_of(message) if content else message.refusal
    if isinstance(content, str):
        return f"Error: {content}" if message.is_error else content
    if content:
        return _parts(message, content, dialect)
    if message.is_error:
        return "Error"
    return None if message.tool_calls or message.refusal else ""


def _parts(message: Message, parts: tuple[Part, ...], dialect: Dialect) -> list[Piece]:
    said = [_part(part, dialect) for part in parts]
    if message.is_error:
        said.insert(0, {"type": "text", "text": "Error:"})
    return said


def _part(part: Part, dialect: Dialect) -> Piece:
    if isinstance(part, RefusalPart) and not dialect.refusals:
        return {"type": "text", "text": part.refusal}
    if isinstance(part, FilePart):
        part = part.model_copy(update={"file": File(**file_of(part.file))})
    left_out = set(MARKS)
    if dialect.cache_marks:
        left_out.discard("cache_control")
    if dialect.refusals:
        left_out.discard("prompt_cache_breakpoint")
    return part.model_dump(mode="json", exclude_none=True, exclude=left_out)
