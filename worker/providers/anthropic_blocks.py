"""Our messages as blocks of Anthropic's Messages API. Pure."""

import re
from collections.abc import Iterator
from typing import Any

from producer.contract.content import AudioPart, FilePart, ImagePart, Part
from producer.contract.messages import Message, ToolCall

from .anthropic_answers import API
from .given_back import Back, given_back
from .media import is_text, text_in
from .pairing import arguments
from .turns import SYSTEM_ROLES, Piece, all_parts, image_urls, parts_of, system_text, word_of

IMAGE = re.compile(r"data:(image/(?:jpeg|png|gif|webp));base64,(.+)", re.DOTALL)
MOST_MARKS = 4
"""Of caching in a request: the API refuses more."""


def unsupported(messages: tuple[Message, ...]) -> str:
    """What of the messages the API cannot express, "" if there is nothing."""
    for url in image_urls(messages):
        if url.startswith("data:") and not IMAGE.match(url):
            return "an image that is neither jpeg, png, gif nor webp"
    for _, part in all_parts(messages):
        if isinstance(part, AudioPart):
            return "a sound"
        if isinstance(part, FilePart) and not _document(part):
            return "a file that is neither PDF nor text, nor its own"
    marks = count_marks(messages)
    if marks > MOST_MARKS:
        return f"{marks} marks of cache_control (at most {MOST_MARKS})"
    return _wrong_order(messages)


def _wrong_order(messages: tuple[Message, ...]) -> str:
    """Marks for an hour come first in the prompt ("Prompt caching", mixing different TTLs)."""
    ordered = sorted(messages, key=lambda message: message.role not in SYSTEM_ROLES)
    marks = (_mark(part) for _, part in all_parts(ordered))
    lives = [mark["cache_control"].get("ttl", "5m") for mark in marks if mark]
    if "5m" in lives and "1h" in lives[lives.index("5m") :]:
        return "a cache_control of 1h behind one of 5m"
    return ""


def count_marks(messages: tuple[Message, ...]) -> int:
    """How many of its parts are marked for the cache."""
    return sum(_mark(part) is not None for _, part in all_parts(messages))


def system_of(messages: tuple[Message, ...]) -> str | list[Piece]:
    """The system prompt: a text, or blocks where a part is marked for the cache."""
    texts = [message for message in messages if message.role in SYSTEM_ROLES]
    parts = [part for message in texts for part in parts_of(message)]
    if not any(_mark(part) for part in parts):
        return system_text(messages)
    return [block for part in parts for block in _block(part)]


def blocks_of(message: Message, model: str) -> list[Piece]:
    """A message's blocks; none of blank texts, which would be a 400. With its thoughts, if it is
    this model's.
    """
    if message.role == "tool":
        return [_tool_result(message)]
    if backs := given_back(message, API, model):
        return [block for back in backs for block in _given_back(back)]
    blocks = [block for part in parts_of(message) for block in _block(part)]
    return [*blocks, *(tool_use(call) for call in message.tool_calls or ())]


def _given_back(back: Back) -> Iterator[Piece]:
    if back.thought is not None:
        yield {"type": "thinking", "thinking": back.thought, "signature": back.seal}
    elif back.seal:
        yield {"type": "redacted_thinking", "data": back.seal}
    if back.text.strip():
        yield text_block(back.text)
    if back.call:
        yield tool_use(back.call)


def text_block(text: str) -> Piece:
    return {"type": "text", "text": text}


def tool_use(call: ToolCall) -> Piece:
    return {
        "type": "tool_use",
        "id": call.id,
        "name": call.function.name,
        "input": arguments(call.function.arguments),
    }


def _tool_result(message: Message) -> Piece:
    """Its content is a text, if it is nothing else; the mark of a part is that of the result."""
    result: Piece = {"type": "tool_result", "tool_use_id": message.tool_call_id}
    parts = parts_of(message)
    if all(word_of(part) is not None for part in parts):
        result["content"] = "\n\n".join(word_of(part) or "" for part in parts)
    else:
        result["content"] = [block for part in parts for block in _block(part, marked=False)]
    if message.is_error:
        result["is_error"] = True
    return result | next((mark for part in parts if (mark := _mark(part))), {})


def _block(part: Part, marked: bool = True) -> Iterator[Piece]:
    """One block, or none for a blank text."""
    block = _translated(part)
    if block and marked:
        block |= _mark(part) or {}
    if block:
        yield block


def _translated(part: Part) -> Piece | None:
    if isinstance(part, ImagePart):
        return {"type": "image", "source": _source(part.image_url.url)}
    if isinstance(part, FilePart):
        return _document(part)
    word = word_of(part) or ""
    return text_block(word) if word.strip() else None


def _document(part: FilePart) -> Piece | None:
    file = part.file
    source: Piece
    if file.file_id:
        if not file.file_id.startswith("file_"):
            return None
        source = {"type": "file", "file_id": file.file_id}
    elif file.media_type == "application/pdf" and file.file_url:
        source = {"type": "url", "url": file.file_url}
    elif file.media_type == "application/pdf":
        source = {"type": "base64", "media_type": file.media_type, "data": file.base64}
    elif is_text(file) and file.file_data:
        source = {"type": "text", "media_type": "text/plain", "data": text_in(file)}
    else:
        return None
    document: Piece = {"type": "document", "source": source}
    if file.filename:
        document["title"] = file.filename
    return document


def _source(url: str) -> Piece:
    if found := IMAGE.match(url):
        media_type, data = found.groups()
        return {"type": "base64", "media_type": media_type, "data": data}
    return {"type": "url", "url": url}


def _mark(part: Part) -> dict[str, Any] | None:
    control = getattr(part, "cache_control", None)
    return control and {"cache_control": control.model_dump(exclude_none=True)}
