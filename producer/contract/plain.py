"""What a request may hold so that every provider gets what the caller wrote, and nothing less."""

import base64
import binascii
import math
import re
from collections.abc import Sequence
from typing import Any

from .content import (
    AudioPart,
    File,
    FilePart,
    ImagePart,
    Part,
    RefusalPart,
    TextPart,
)
from .hygiene import problem
from .messages import Message

MAX_DIGITS = 300
_IMAGE = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)


def not_plain(value: Any) -> str:
    """Why `value` is not what JSON can say exactly, with the fix; "" if it is.

    JSON would write NaN as null, a date as a text and 1 as the key "1" without a word.
    """
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            if not all(isinstance(key, str) and _is_text(key) for key in part):
                return "holds a key that is no text. Fix: make it one"
            left += part.values()
        elif isinstance(part, list | tuple):
            left += part
        elif not _is_scalar(part):
            return f"holds a {type(part).__name__} that JSON cannot say. Fix: write it as a text"
    return ""


def _is_scalar(value: Any) -> bool:
    if value is None or type(value) is bool:
        return True
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, float):
        return math.isfinite(value)
    return type(value) is int and abs(value) < 10**MAX_DIGITS


def _is_text(value: str) -> bool:
    """Without halves of characters, which UTF-8 cannot write."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def wrong_turn(messages: Sequence[Message]) -> tuple[str, str]:
    """(place, what is wrong there with its fix) of the first text or part that some provider would
    not take as it is; ("", "") if there is none.
    """
    for number, message in enumerate(messages):
        place, reason = changed_at_some_providers(message)
        if reason:
            return f"messages[{number}].{place}", reason
        for place, text in message.texts():
            if reason := problem(text):
                return f"messages[{number}].{place}", reason
    return "", ""


def changed_at_some_providers(message: Message) -> tuple[str, str]:
    """(place, what some provider would drop or refuse there, with the fix); ("", "") if nothing."""
    if reason := not_plain(message.reasoning_details):
        return "reasoning_details", reason
    content = message.content or ()
    if isinstance(content, str):
        says_something = bool(content.strip())
    else:
        for number, part in enumerate(content):
            reason = _misplaced(message.role, part) or _wrong(part)
            if reason:
                return f"content[{number}].{part.type}", reason
        says_something = _says_something(content)
    if message.role == "user" and not says_something:
        return (
            "content",
            "a user message needs a text or an image, and no empty parts. Fix: leave it out",
        )
    return "", ""


def _misplaced(role: str, part: Part) -> str:
    """Why such a part cannot be in such a message, with the fix; "" if it can."""
    if isinstance(part, TextPart | RefusalPart) or role == "user":
        return ""
    if isinstance(part, AudioPart):
        return f"a sound in a {role} message is not taken. Fix: put it into a user message"
    if role == "tool":
        return ""
    what = "an image" if isinstance(part, ImagePart) else "a file"
    return (
        f"{what} in a {role} message is dropped by some providers. "
        "Fix: put it into a user message or a tool's result"
    )


def _wrong(part: Part) -> str:
    """Why a picture, a file or a sound cannot be sent, with the fix; "" if it can."""
    if isinstance(part, ImagePart):
        return _wrong_image(part.image_url.url)
    if isinstance(part, AudioPart):
        return _wrong_data("a sound", part.input_audio.data)
    return _wrong_file(part.file) if isinstance(part, FilePart) else ""


def _wrong_file(file: File) -> str:
    if file.file_url is not None and not file.file_url.lower().startswith("https://"):
        return "a file's address begins with https:. Fix: write one, or send its data"
    if file.file_data is None:
        return ""
    if not file.media_type:
        return "nothing tells what a file is. Fix: data:application/pdf;base64,... or a filename"
    if reason := _wrong_data("a file", file.base64):
        return reason
    if file.media_type.startswith("text/"):
        return problem(base64.b64decode(file.base64).decode("utf-8", "replace"))
    return ""


def _wrong_data(what: str, data: str) -> str:
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return f"{what}'s base64 cannot be decoded. Fix: encode it with base64.b64encode"
    return "" if decoded else f"{what} has no data. Fix: leave it out"


def _says_something(parts: Any) -> bool:
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    return bool(parts) and all(text.strip() for text in texts)


def _wrong_image(url: str) -> str:
    if url[:5].lower() != "data:":
        if url[:8].lower() == "https://" or url[:7].lower() == "http://":
            return ""
        return "an image is an https: URL or data:image/png;base64,... Fix: write one of these"
    beginning = _IMAGE.match(url)
    if not beginning:
        return "an image's data needs data:image/png;base64,... (or another image type)"
    try:
        data = base64.b64decode(url[beginning.end() :], validate=True)
    except (binascii.Error, ValueError):
        return "an image's base64 cannot be decoded. Fix: encode it with base64.b64encode"
    if not data:
        return "an image has no data. Fix: leave it out"
    return ""
