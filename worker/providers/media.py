"""Files and sounds of a request: what they are, and how many tokens they are at most. Pure."""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator

from producer.contract.content import AudioPart, File, FilePart, ImagePart
from producer.contract.requests import CompletionRequest

from ..model_catalog import Model
from .turns import all_parts, word_of

PAGE_TEXT = 3_000
"""Tokens of one page's text, beside its picture (Anthropic's guide "PDF support")."""
MOST_PAGES = 100
"""Of a file that is not here to be counted: Anthropic's limit for windows of 200,000."""
BYTES_OF_A_PAGE = 3_000
"""At least, in a PDF whose pages cannot be found."""
SOUND = 160
"""Tokens of a second of sound, as tokens of text by their price: OpenAI counts 10 of them, 16 times
as dear (gpt-audio); Google counts 32, at most 3.4 times as dear.
"""
BYTES_OF_A_SECOND = 1_000
"""At least: MP3's lowest rate, 8 kbit/s."""
_PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_STREAM = re.compile(rb"/ObjStm.{0,400}?stream\r?\n", re.DOTALL)
_MOST_INFLATED = 20_000_000


def is_text(file: File) -> bool:
    return file.media_type.startswith("text/") or file.media_type == "application/json"


def text_in(file: File) -> str:
    return base64.b64decode(file.base64).decode("utf-8", "replace")


def unperceived(facts: Model, request: CompletionRequest) -> str:
    """What of the messages the model is known not to take, "" if there is nothing."""
    for message, part in all_parts(request.messages):
        if isinstance(part, AudioPart) and facts.hears is False:
            return "a sound (this model does not hear)"
        if isinstance(part, ImagePart) and facts.sees is False:
            return "an image (this model does not see)"
        if isinstance(part, FilePart) and facts.pdfs is False and not is_text(part.file):
            return "a PDF (this model does not read it)"
        if message.role == "tool" and word_of(part) is None and facts.result_images is False:
            return "anything but text in a tool's result (this model takes text)"
    return ""


def tokens_of_media(request: CompletionRequest, image: int) -> int:
    """At most, if a picture has `image`: of pages and seconds."""
    return sum(_tokens(request, image))


def _tokens(request: CompletionRequest, image: int) -> Iterator[int]:
    for _, part in all_parts(request.messages):
        if isinstance(part, AudioPart):
            size = len(part.input_audio.data) * 3 // 4
            yield SOUND * (1 + size // BYTES_OF_A_SECOND)
        elif isinstance(part, FilePart) and is_text(part.file) and part.file.file_data:
            yield len(part.file.base64) * 3 // 4
        elif isinstance(part, FilePart):
            yield (image + PAGE_TEXT) * _pages(part.file.base64)


_COUNTED: dict[bytes, int] = {}
"""Hash of a file -> its pages. They are asked for at every link."""
_MOST_COUNTED = 1_000


def _pages(data: str) -> int:
    if not data:
        return MOST_PAGES
    name = hashlib.sha256(data.encode("utf-8", "replace")).digest()
    if name not in _COUNTED:
        if len(_COUNTED) >= _MOST_COUNTED:
            _COUNTED.clear()
        _COUNTED[name] = _counted(data)
    return _COUNTED.get(name, MOST_PAGES)


def _counted(data: str) -> int:
    """Of a PDF: as many as say that they are one, also in packed objects."""
    try:
        pdf = base64.b64decode(data)
    except ValueError:
        return MOST_PAGES
    found = len(_PAGE.findall(pdf))
    left = _MOST_INFLATED
    for packed in _STREAM.finditer(pdf):
        inflated = _inflated(pdf[packed.end() :][:_MOST_INFLATED], left)
        left -= len(inflated)
        found += len(_PAGE.findall(inflated))
        if left <= 0:
            break
    return found or 1 + len(pdf) // BYTES_OF_A_PAGE


def _inflated(data: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, max(most, 1))
    except zlib.error:
        return b""
