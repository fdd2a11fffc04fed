"""What a file of requests holds, one after the other, whatever its form.

JSON lines, a JSON array, JSON values over several lines, CSV or Parquet; in any Unicode encoding,
compressed or not. A file is of one form, told by its beginning; its name decides for CSV only.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import IO, Any, NamedTuple, cast

from .contract.errors import InvalidRequest
from .reading.reading import Unreadable
from .reading.text import decoded
from .tables import parquet_rows

MAX_LINE = 20_000_000
"""Characters: a request is at most 1 MB, and its escapes may take six times as much."""
MAX_WHOLE_BYTES = 500_000_000
"""Of a file that can only be read as a whole."""
TABLES = (".csv", ".tsv", ".tab")
_PACKED: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_OTHERS = {
    b"PK\x03\x04": "a zip archive or a workbook. Fix: unpack it, or save it as CSV",
    b"\x28\xb5\x2f\xfd": "packed with zstd. Fix: unpack it",
    b"Obj\x01": "an Avro file. Fix: convert it to Parquet",
    b"ARROW1": "an Arrow file. Fix: convert it to Parquet",
    b"SQLite": "a database. Fix: write its rows as CSV",
}
_DELIMITERS = ",;\t|"
_AROUND = "\ufeff \t\r\n\0\x1a"
"""What is no part of a line: marks, blanks, and what broken writers and DOS put at the end."""
_SEPARATOR = re.compile("sep=(.)\r?\n")
"""Excel's first line, which says what separates cells."""


class Row(NamedTuple):
    """One request as it was given."""

    place: str
    """Where it is: "line 3"."""
    text: str
    """On one line, as it can be given again."""
    fields: dict[str, Any] | None
    wrong: str = ""
    """Why there are no fields."""


class Rows:
    """All rows of one file, any number of times."""

    def __init__(self, file: IO[bytes], name: str, is_table: bool) -> None:
        """`is_table`: what is no JSON is CSV. Raises `InvalidRequest` for what is none of these."""
        self._name = name
        self._file = _unpacked(file)
        self.columns: tuple[str, ...] = ()
        """Of a table, once its first row was read."""
        self.noticed: list[str] = []
        """What was guessed of its encoding."""
        head = self._head(64)
        for magic, reason in _OTHERS.items():
            if head.startswith(magic):
                raise InvalidRequest(f"{name}: is {reason}")
        self._read = self._form(head, is_table)

    def __iter__(self) -> Iterator[Row]:
        self._file.seek(0)
        try:
            yield from self._read()
        except UnicodeError:
            raise InvalidRequest(
                f"{self._name}: its encoding is broken. Fix: save as UTF-8"
            ) from None

    def _form(self, head: bytes, is_table: bool) -> Callable[[], Iterator[Row]]:
        if head.startswith(b"PAR1"):
            return self._parquet
        name = PurePath(self._name)
        if name.suffix.lower() in (".gz", ".bz2", ".xz"):
            name = name.with_suffix("")
        if name.suffix.lower() in TABLES:
            return self._table
        self._file.seek(0)
        text = self._text()
        first = text.readline(MAX_LINE)
        while first.isspace():
            first = text.readline(MAX_LINE)
        begins = first.lstrip("\ufeff \t\r\n")[:1]
        spans = False
        if begins in ("{", "["):
            spans = _goes_on(first, text)
        text.detach()
        if spans or (begins == "[" and self._is_one_line()):
            return self._values
        if is_table and begins not in ("{", "["):
            return self._table
        return self._lines

    def _lines(self) -> Iterator[Row]:
        text = self._text()
        number = 0
        while line := text.readline(MAX_LINE):
            number += 1
            place = f"line {number}"
            if len(line) == MAX_LINE and not line.endswith("\n"):
                while line and not line.endswith("\n"):
                    line = text.readline(MAX_LINE)
                yield Row(place, "", None, f"has more than {MAX_LINE:,} characters")
                continue
            line = line.strip(_AROUND)
            if line:
                yield _json_row(place, line)
        text.detach()

    def _values(self) -> Iterator[Row]:
        """An array's elements, or values one after the other."""
        whole = self._whole_text()
        decoder = json.JSONDecoder()
        found: list[Any] = []
        at = _next(whole, 0)
        while at < len(whole):
            try:
                value, at = decoder.raw_decode(whole, at)
            except (ValueError, RecursionError) as error:
                reason = _reason(error)
                raise InvalidRequest(
                    f"{self._name}: begins as JSON over several lines and is none: {reason}. "
                    "Fix: mend it, or write one object a line"
                ) from None
            found += value if isinstance(value, list) else [value]
            at = _next(whole, at)
        for number, value in enumerate(found, start=1):
            yield _row(f"request {number}", json.dumps(value), value)

    def _table(self) -> Iterator[Row]:
        csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
        whole = self._whole_text()
        tabs = self._name.lower().endswith((".tsv", ".tab"))
        delimiter = "\t" if tabs else _delimiter(whole)
        if said := _SEPARATOR.match(whole):
            whole, delimiter = whole[said.end() :], said[1]
        lines = csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter, strict=True)
        number = 0
        try:
            self.columns = self._checked_columns(next(lines, []))
            for cells in lines:
                if any(cells):
                    number += 1
                    yield self._cells(f"row {number}", cells)
        except csv.Error as error:
            raise InvalidRequest(
                f"{self._name}: row {number + 1}: {error} (line {lines.line_num:,}). "
                "Fix: mend its quotes"
            ) from None

    def _cells(self, place: str, cells: list[str]) -> Row:
        fields = dict(zip(self.columns, cells, strict=False))
        text = json.dumps(fields)
        if len(cells) != len(self.columns):
            wrong = f"has {len(cells)} cells, the header has {len(self.columns)}"
            return Row(place, text, None, wrong)
        return Row(place, text, fields)

    def _parquet(self) -> Iterator[Row]:
        for number, fields in enumerate(parquet_rows(self._file, self._name), start=1):
            self.columns = tuple(fields)
            yield Row(f"row {number}", json.dumps(fields, default=str), fields)

    def _checked_columns(self, names: list[str]) -> tuple[str, ...]:
        columns = tuple(name.strip() for name in names)
        twice = {name for name in columns if columns.count(name) > 1}
        if twice:
            raise InvalidRequest(f"{self._name}: two columns are called {min(twice)!r}")
        return columns

    def _is_one_line(self) -> bool:
        """Whether nothing comes after the first line that is not blank."""
        self._file.seek(0)
        text = self._text()
        found = 0
        while found < 2 and (line := text.readline(MAX_LINE)):
            found += not line.isspace()
        text.detach()
        return found == 1

    def _head(self, size: int) -> bytes:
        self._file.seek(0)
        return self._file.read(size)

    def _text(self) -> io.TextIOWrapper:
        """All of it; bytes that are no UTF-8 become signs that no request may have."""
        encoding = json.detect_encoding(self._head(4))
        if encoding == "utf-8":
            encoding = "utf-8-sig"
        self._file.seek(0)
        return io.TextIOWrapper(
            cast(Any, self._file), encoding, errors="surrogateescape", newline=None
        )

    def _whole_text(self) -> str:
        data = self._head(MAX_WHOLE_BYTES + 1)
        if len(data) > MAX_WHOLE_BYTES:
            raise InvalidRequest(
                f"{self._name}: more than {MAX_WHOLE_BYTES:,} bytes, and not one request a line. "
                "Fix: write it as JSON lines"
            )
        try:
            text, self.noticed = decoded(data)
        except Unreadable as error:
            raise InvalidRequest(f"{self._name}: {error}") from None
        return text.removeprefix("\ufeff")


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    head = file.read(6)
    file.seek(0)
    for magic, opened in _PACKED.items():
        if head.startswith(magic):
            return cast(IO[bytes], opened(file))
    return file


def _goes_on(first: str, rest: io.TextIOWrapper) -> bool:
    """Whether the JSON value that begins in this line ends in another one, or others follow it."""
    try:
        json.loads(first.strip(_AROUND))
        return False
    except (ValueError, RecursionError):
        beginning = first.lstrip(_AROUND)
    if beginning.startswith("["):
        return True
    try:
        _, end = json.JSONDecoder().raw_decode(beginning + rest.read(MAX_LINE))
    except (ValueError, RecursionError):
        return False
    return end > len(beginning) or beginning[end:].lstrip(_AROUND).startswith("{")


def _next(text: str, at: int) -> int:
    """Where the next value begins, past spaces."""
    while at < len(text) and text[at] in " \t\r\n\x1e":
        at += 1
    return at


def _json_row(place: str, line: str) -> Row:
    if any("\udc80" <= sign <= "\udcff" for sign in line) and not line.isascii():
        return Row(place, line, None, "no UTF-8. Fix: save the file as UTF-8")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Row(place, line, None, f"not JSON ({_reason(error)})")
    return _row(place, line, value)


def _row(place: str, text: str, value: Any) -> Row:
    if isinstance(value, dict):
        return Row(place, text, value)
    return Row(place, text, None, "not a JSON object")


def _reason(error: Exception) -> str:
    """Without what it quotes."""
    if isinstance(error, json.JSONDecodeError):
        where = f"column {error.colno}"
        if error.lineno > 1:
            where = f"line {error.lineno:,}, {where}"
        return f"{error.msg.removesuffix(' at')} at {where}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"


def _delimiter(text: str) -> str:
    """What separates the names in the first line."""
    header = text.lstrip("\r\n").partition("\n")[0]
    return max(_DELIMITERS, key=header.count)
