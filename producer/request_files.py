"""Files of requests as people have them: compressed, with a byte-order mark, as an array, piped.

Read once as a whole before anything is submitted: its form, its ids and its wrong lines are known
before anything is paid.
"""

import codecs
import gzip
import hashlib
import io
import json
import re
import shutil
import sys
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from .batch_files import is_openai
from .contract.errors import InvalidRequest

STDIN = "-"
MAX_LINE = 20_000_000
"""Characters: a request is at most 1 MB, and its escapes may take six times as much."""
MAX_ARRAY_BYTES = 500_000_000
NAMED = 10
"""Wrong lines that are named."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class RequestFile:
    """The requests of one file; `-` and pipes are read once and kept on disk."""

    def __init__(self, path: str) -> None:
        """Raises `InvalidRequest` for what is no file of requests, `OSError` of the system."""
        self.name = "stdin" if path == STDIN else Path(path).name
        file = _readable_twice(path)
        weakref.finalize(self, file.close)
        self._bytes = _unpacked(file)
        try:
            self._scan()
        except (OSError, EOFError, zlib.error):
            raise InvalidRequest(f"{self.name}: damaged: it cannot be unpacked") from None

    def __iter__(self) -> Iterator[str]:
        """Its lines; one that is no UTF-8 has signs that no request may have."""
        self._bytes.seek(0)
        head = self._bytes.read(4)
        self._bytes.seek(0)
        encoding = "utf-8-sig"
        if head.startswith(_UTF16):
            encoding = "utf-16"
        text = io.TextIOWrapper(
            cast(Any, self._bytes), encoding, errors="surrogateescape", newline="\n"
        )
        try:
            yield from _elements(text) if _is_array(text) else _lines(text)
        except UnicodeError:
            raise InvalidRequest(
                f"{self.name}: no {encoding.upper()}. Fix: save as UTF-8"
            ) from None
        finally:
            text.detach()

    def _scan(self) -> None:
        """Sets `fingerprint`, `is_openai` and `wrong`."""
        digest = hashlib.sha256()
        seen: dict[str, int] = {}
        self.wrong: list[str] = []
        """What is wrong with lines that are no requests, each with its number."""
        ids: list[str] = []
        is_first = True
        self.is_openai = False
        for number, line in enumerate(self, start=1):
            digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
            if not line.strip():
                continue
            fields = _parsed(line)
            if fields is None:
                self.wrong.append(f"line {number}: no JSON object")
                continue
            self.is_openai = self.is_openai or is_openai(line)
            if "body" in fields or "custom_id" in fields:
                ids += _wrong_id(number, fields.get("custom_id"), seen)
            is_first = False
        if is_first and not self.wrong:
            raise InvalidRequest(f"{self.name}: holds no requests. Fix: one JSON object a line")
        if self.is_openai and ids:
            more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
            raise InvalidRequest(f"{self.name}: {'; '.join(ids[:NAMED])}{more}")
        if is_first:
            raise InvalidRequest(f"{self.name}: {self.wrong[0]}, nor is any other line one")
        self.fingerprint = digest.hexdigest()

    @property
    def slug(self) -> str:
        """Its name as the beginning of an id."""
        return re.sub(r"[^A-Za-z0-9._]+", "-", Path(self.name).stem).strip("-.")[:32] or "requests"


def _readable_twice(path: str) -> IO[bytes]:
    """The file itself, or for a pipe a copy of all that came through it."""
    file: IO[bytes] = sys.stdin.buffer
    if path != STDIN:
        file = open(path, "rb")  # noqa: SIM115 -- closed with the object
    if file.seekable():
        return file
    kept = tempfile.TemporaryFile()  # noqa: SIM115 -- the same
    with file:
        shutil.copyfileobj(file, kept)
    return kept


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    is_gzip = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if is_gzip:
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    return file


def _is_array(text: io.TextIOWrapper) -> bool:
    """Whether the file as a whole is one, not only its first line."""
    first = text.readline(MAX_LINE)
    while first and not first.strip():
        first = text.readline(MAX_LINE)
    text.seek(0)
    if not first.lstrip().startswith("["):
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return '"' in first


def _elements(text: io.TextIOWrapper) -> Iterator[str]:
    """Each element of an array as a line."""
    whole = text.read(MAX_ARRAY_BYTES)
    try:
        elements = json.loads(whole)
    except (ValueError, RecursionError):
        raise InvalidRequest("begins as a JSON array and is none. Fix: one object a line") from None
    for element in elements:
        yield json.dumps(element)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(MAX_LINE):
        yield line


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    return fields


def _wrong_id(number: int, custom_id: Any, seen: dict[str, int]) -> list[str]:
    """What OpenAI would refuse about it."""
    if not isinstance(custom_id, str) or not custom_id:
        return [f"line {number}: needs a custom_id that is a text"]
    before = seen.setdefault(custom_id, number)
    if before != number:
        return [f"line {number}: its custom_id is that of line {before}, too"]
    return []
