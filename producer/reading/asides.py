"""What an Office file says beside its text: headers, footers, comments, speakers' notes."""

import html
import re
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from .reading import Reading

_PARTS = (
    (re.compile(r"word/header\d*\.xml"), "Header"),
    (re.compile(r"word/footer\d*\.xml"), "Footer"),
    (re.compile(r"(word|ppt/comments|xl)/(modernComment\w*|comments?\w*)\.xml"), "Comment"),
    (re.compile(r"ppt/notesSlides/notesSlide\d+\.xml"), "Speaker's notes"),
)
_PARAGRAPH = re.compile(r"</(?:w:p|a:p|comment|p:text)>")
_TEXT = re.compile(r"<(?:w:t|a:t|t|p:text)(?:\s[^<>]*)?>([^<>]*)<")
MAX_BYTES = 20_000_000
"""Of one part, unpacked."""


def add(data: bytes, reading: Reading) -> None:
    """Put behind the text what it does not have yet."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            for name in sorted(archive.namelist()):
                for pattern, label in _PARTS:
                    if pattern.fullmatch(name):
                        _add_part(archive, name, label, reading)
    except (BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError):
        reading.left_out.append("comments, headers and notes cannot be read")


def _add_part(archive: ZipFile, name: str, label: str, reading: Reading) -> None:
    with archive.open(name) as file:
        xml = file.read(MAX_BYTES + 1)
    if len(xml) > MAX_BYTES:
        reading.left_out.append(f"{name}: too large")
        return
    for paragraph in _PARAGRAPH.split(xml.decode("utf-8", "replace")):
        text = html.unescape("".join(_TEXT.findall(paragraph))).strip()
        if text and text not in reading.text:
            reading.text += f"\n\n[{label}: {text}]"
