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
    (re.compile(r"(word|ppt|xl)/(comments/|threadedComments/)?\w*[cC]omments?\w*\.xml"), "Comment"),
    (re.compile(r"ppt/notesSlides/notesSlide\d+\.xml"), "Speaker's notes"),
)
_PARAGRAPH = re.compile(r"</(?:w:p|a:p|comment|p:text|threadedComment)>")
_TEXT = re.compile(r"<(?:w:t|a:t|t|p:text|text)(?:\s[^<>]*)?>([^<>]*)(?=<)")
_ON_PAPER = re.compile(r"<(?:odd|even|first)(Header|Footer)>([^<>]+)<")
_CODE = re.compile(r'&(?:"[^"]*"|[0-9]+|K[0-9A-F]{6}|[A-Z])')
"""Of a sheet's header: places, fonts, sizes, numbers of pages (ECMA-376, part 1, 18.3.1.46)."""
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_MAIN = re.compile(r"word/document\.xml|ppt/slides/slide\d+\.xml|xl/sharedStrings\.xml")


def add(archive: ZipFile, reading: Reading) -> None:
    """Put them behind the text, each once."""
    for name in sorted(archive.namelist()):
        for pattern, label in _PARTS:
            if pattern.fullmatch(name):
                for text in _paragraphs(content(archive, name)):
                    put(text, label, reading)
        if _SHEET.fullmatch(name):
            _add_paper(content(archive, name).decode("utf-8", "replace"), reading)


def put(text: str, label: str, reading: Reading) -> None:
    """Behind the text, unless it is there."""
    aside = f"\n\n[{label}: {text}]"
    if aside not in reading.text:
        reading.text += aside


def texts(archive: ZipFile) -> str:
    """The paragraphs of all main parts, without their form: of a file that is damaged."""
    names = sorted(filter(_MAIN.fullmatch, archive.namelist()), key=lambda name: (len(name), name))
    return "\n\n".join(text for name in names for text in _paragraphs(content(archive, name)))


def _add_paper(sheet: str, reading: Reading) -> None:
    """What stands on each printed page of a sheet."""
    for label, coded in _ON_PAPER.findall(sheet):
        if text := " ".join(_CODE.sub(" ", html.unescape(coded)).split()):
            put(text, label, reading)


def _paragraphs(part: bytes) -> Iterator[str]:
    """Also of a part that is cut."""
    for paragraph in _PARAGRAPH.split(part.decode("utf-8", "replace")):
        if text := html.unescape("".join(_TEXT.findall(paragraph))).strip():
            yield text
