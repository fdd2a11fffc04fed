"""A text cut into parts that can be understood alone.

On natural boundaries (paragraphs before lines before sentences before words), with some overlap. A
part that begins inside a table begins with the table's header, one inside a line of JSON with the
line's keys, one of a file with the file's name. Nothing here learns: the same text and size give
the same parts, so that those which were answered before are found in the cache.
"""

import csv
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from semantic_text_splitter import TextSplitter

HEAD_SHARE = 4
"""A part's head is at most this fraction of it."""
SAMPLE_ROWS = 20
PREAMBLE_ROWS = 10
"""Lines at most before the header of a table: a title, a date."""
MAX_COLUMN_NAME = 80
MAX_PROBED = 100_000
"""Characters in which the form of a table is looked for."""
_DELIMITERS = ",;\t|"
_NAME = re.compile(r"^(?:File|Attachment) [^\n]{1,300}:$", re.MULTILINE)
_RULE = re.compile(r"^ {0,3}\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?$", re.MULTILINE)
_NO_NAME = re.compile(r"^\d|[.!?](?: |$)")
"""A number, a date or a sentence."""
_YEAR = re.compile(r"(?:19|20)\d\d")


class _Span(NamedTuple):
    """A stretch of a text; a part that begins inside it begins with `head`."""

    start: int
    end: int
    head: str


def split(text: str, size: int, overlap: float) -> list[str]:
    """The parts of a text, each of at most `size` characters.

    `overlap`: how much of a part is repeated at the beginning of the next, from 0 to 0.5.
    """
    if len(text) <= size:
        return [text]
    spans = [each for each in _spans(text) if each.end - each.start > size // HEAD_SHARE]
    most = size // HEAD_SHARE
    longest = max((len(each.head) for each in spans), default=0)
    room = max(1, size - min(2 * longest, most))
    splitter = TextSplitter(room, overlap=int(room * overlap))
    parts = []
    for offset, chunk in splitter.chunk_indices(text):
        heads = (each.head for each in spans if each.start < offset < each.end)
        head = "".join(heads)[: size - room]
        parts.append(head + chunk)
    return parts


def _spans(text: str) -> Iterator[_Span]:
    """The whole before what is in it."""
    here = 0
    named = ""
    for name in _NAME.finditer(text):
        yield from _file(text, here, name.start(), named)
        here = name.start()
        named = name[0]
    yield from _file(text, here, len(text), named)


def _file(text: str, start: int, end: int, named: str) -> Iterator[_Span]:
    """`named`: the line at its start that names it."""
    if named:
        yield _Span(start, end, f"{named}\n\n")
    yield from _tables(text, start + len(named), end)


def _tables(text: str, start: int, end: int) -> Iterator[_Span]:
    """The tables in one file's text."""
    if header := _header(text[start : min(end, start + MAX_PROBED)]):
        yield _Span(text.index(header, start), end, f"{header}\n")
        return
    yield from _marked_tables(text, start, end)
    yield from _json_lines(text, start, end)


def _header(text: str) -> str:
    """The line with the names of the columns, if the text is a table with delimiters."""
    lines = [line for line in text.splitlines() if line.strip()][: PREAMBLE_ROWS + SAMPLE_ROWS]
    for number, line in enumerate(lines[:PREAMBLE_ROWS]):
        sample = lines[number : number + SAMPLE_ROWS]
        if any(_is_table(sample, delimiter) for delimiter in _DELIMITERS):
            return line
    return ""


def _is_table(lines: list[str], delimiter: str) -> bool:
    """Whether the first line names the columns of all."""
    if len(lines) < 4 or lines[0].startswith(("|", "{", "[")):
        return False
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return False
    names, *others = ([cell.strip() for cell in row] for row in rows)
    alike = [row for row in others if len(row) == len(names)]
    if len(names) < 2 or len(alike) < 0.9 * len(others) or len(set(names)) < len(names):
        return False
    return all(map(_is_name, names, zip(*alike, strict=True)))


def _is_name(cell: str, below: tuple[str, ...]) -> bool:
    """Whether it may name a column; a year may, if what is below it are no years."""
    if _YEAR.fullmatch(cell):
        return not all(map(_YEAR.fullmatch, below))
    return len(cell) <= MAX_COLUMN_NAME and not _NO_NAME.search(cell)


def _marked_tables(text: str, start: int, end: int) -> Iterator[_Span]:
    """Tables of Markdown, with the heading right above them: a sheet's name."""
    after = start
    for rule in _RULE.finditer(text, start, end):
        if rule.start() < after:
            continue
        top = text.rfind("\n", start, max(start, rule.start() - 1)) + 1 or start
        header = text[top : rule.end()]
        if "|" not in header.partition("\n")[0]:
            continue
        bottom = rule.end()
        while bottom < end and "|" in text[bottom + 1 : _line_end(text, bottom + 1, end)]:
            bottom = _line_end(text, bottom + 1, end)
        after = bottom
        if heading := _heading(text[start:top]):
            yield _Span(text.rindex(heading, start, top), bottom, f"{heading}\n\n")
        yield _Span(top, bottom, f"{header}\n")


def _heading(before: str) -> str:
    last = before[-500:].rstrip().rpartition("\n")[2]
    return last if last.startswith("#") else ""


def _json_lines(text: str, start: int, end: int) -> Iterator[_Span]:
    """Lines of JSON that are longer than a part may come to be, with their keys."""
    here = start
    while here < end:
        stop = _line_end(text, here, end)
        if text[here] == "{":
            keys = _keys(text[here:stop])
            if keys:
                yield _Span(here, stop, f"(goes on; keys: {', '.join(keys)})\n")
        here = stop + 1


def _keys(line: str) -> list[str]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return list(value) if isinstance(value, dict) else []


def _line_end(text: str, start: int, end: int) -> int:
    found = text.find("\n", start, end)
    return end if found < 0 else found
