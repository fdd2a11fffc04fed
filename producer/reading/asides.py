"""What an Office file says beside its text: headers, footers, comments, speakers' notes."""

import html
import re
from collections.abc import Iterator
from zipfile import ZipFile

from .office_parts import content
from .reading import Reading

_PARTS = (
    (re.compile(r"word/header\d*\.xml"), "Header"),
    (re.compile(r"word/footer\d*\.xml"), "Footer"),
    (re.compile(r"(word|ppt/comments|xl)/(modernComment\w*|comments?\w*)\.xml"), "Comment"),
    (re.compile(r"ppt/notesSlides/notesSlide\d+\.xml"), "Speaker's notes"),
)
_PARAGRAPH = re.compile(r"</(?:w:p|a:p|comment|p:text)>")
_TEXT = re.compile(r"<(?:w:t|a:t|t|p:text)(?:\s[^<>]*)?>([^<>]*)<")
_MAIN = re.compile(r"word/document\.xml|ppt/slides/slide\d+\.xml|xl/sharedStrings\.xml")


def add(archive: ZipFile, reading: Reading) -> None:
    """Put behind the text what it does not have yet."""
    for name in sorted(archive.namelist()):
        for pattern, label in _PARTS:
            if pattern.fullmatch(name):
                _add_part(archive, name, label, reading)


def texts(archive: ZipFile) -> str:
    """The paragraphs of all main parts, without their form: of a file that is damaged."""
    names = sorted(filter(_MAIN.fullmatch, archive.namelist()), key=lambda name: (len(name), name))
    return "\n\n".join(text for name in names for text in _paragraphs(content(archive, name)))


def _add_part(archive: ZipFile, name: str, label: str, reading: Reading) -> None:
    for text in _paragraphs(content(archive, name)):
        if text not in reading.text:
            reading.text += f"\n\n[{label}: {text}]"


def _paragraphs(part: bytes) -> Iterator[str]:
    """Also of a part that is cut."""
    for paragraph in _PARAGRAPH.split(part.decode("utf-8", "replace")):
        if text := html.unescape("".join(_TEXT.findall(paragraph))).strip():
            yield text
