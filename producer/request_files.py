"""Files of requests as people have them: compressed, with a byte-order mark, as an array, piped.

Read once as a whole before anything is submitted: its form, its ids and its wrong lines are known
before anything is paid.
"""

import hashlib
import lzma
import re
import shutil
import sys
import tempfile
import weakref
import zlib
from collections.abc import Container, Iterator
from pathlib import Path
from typing import IO, Any

from .batch_files import is_openai, request, wrong_id
from .contract.errors import InvalidRequest, JobError
from .contract.submission import Submission
from .current import current_settings
from .prompts import Prompt
from .request_rows import Row, Rows

STDIN = "-"
NAMED = 10
"""Wrong lines that are named."""


class RequestFile:
    """The requests of one file; `-` and pipes are read once and kept on disk."""

    def __init__(self, path: str, prompt: str = "") -> None:
        """`prompt`: what is asked about each row of a table, "Classify: {text}".

        Raises `InvalidRequest` for what is no file of requests, `OSError` of the system.
        """
        self.name = "stdin" if path == STDIN else Path(path).name
        self._prompt = Prompt(prompt) if prompt else None
        file = _readable_twice(path)
        weakref.finalize(self, file.close)
        self.wrong: dict[int, str] = {}
        """Number of a request, from 0 -> where it is and what is wrong with it."""
        self.count = 0
        """Of its requests, the wrong ones included."""
        self.is_openai = False
        digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass"))
        try:
            self._rows = Rows(file, self.name, is_table=bool(prompt))
            for row in self._rows:
                digest.update(row.text.encode("utf-8", "surrogatepass") + b"\n")
                self.is_openai = self.is_openai or is_openai(row.fields)
            self._check_columns()
            self._check()
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            raise InvalidRequest(f"{self.name}: damaged: it cannot be unpacked") from None
        self.fingerprint = digest.hexdigest()
        """Of all requests and what is asked."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """For `Batch.submit`: wrong ones are items that fail and say why."""
        for number, row in enumerate(self._rows):
            name = self._name_of(row)
            if number in self.wrong:
                yield {"wrong": InvalidRequest(self.wrong[number]), "name": name}
            else:
                yield self._request(row)

    def lines(self, numbers: Container[int]) -> Iterator[str]:
        """Those requests as they were given, to be mended and given again."""
        for number, row in enumerate(self._rows):
            if number in numbers:
                yield row.text

    @property
    def noticed(self) -> list[str]:
        """What was guessed of its encoding."""
        return [f"{self.name}: {each}" for each in self._rows.noticed]

    @property
    def slug(self) -> str:
        """Its name as the beginning of an id."""
        return re.sub(r"[^A-Za-z0-9._]+", "-", Path(self.name).stem).strip("-.")[:32] or "requests"

    def _check(self) -> None:
        """Sets `wrong`. Raises `InvalidRequest` for ids that OpenAI would refuse, and if there is
        no request at all.
        """
        seen: dict[str, str] = {}
        ids: list[str] = []
        for number, row in enumerate(self._rows):
            self.count += 1
            if self.is_openai and row.fields is not None:
                ids += wrong_id(row.place, row.fields.get("custom_id"), seen)
            if reason := self._reason(row):
                self.wrong[number] = f"{row.place}: {reason}"
        if not self.count:
            raise InvalidRequest(
                f"{self.name}: holds no requests. Fix: one JSON object a line, or a row"
            )
        if ids:
            more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
            raise InvalidRequest(f"{self.name}: {'; '.join(ids[:NAMED])}{more}")
        if len(self.wrong) == self.count:
            raise InvalidRequest(f"{self.name}: {self.wrong[0]}, nor is any other a request")

    def _reason(self, row: Row) -> str:
        """What is wrong with it; "" if it can be submitted."""
        if row.fields is None:
            return row.wrong
        try:
            fields = self._request(row)
            name = fields.pop("name", "")
            fields.setdefault("user_id", "-")
            most = current_settings().max_request_bytes
            Submission.from_call("-", (), fields, {}, "-", name, most)
        except JobError as error:
            return error.message
        return ""

    def _request(self, row: Row) -> dict[str, Any]:
        """The arguments of `complete`. Raises `InvalidRequest`."""
        fields = row.fields or {}
        if self._prompt:
            return self._prompt.request(fields)
        if self.is_openai:
            return request(fields)
        if self._rows.columns:
            return {name: value for name, value in fields.items() if value is not None}
        return dict(fields)

    def _name_of(self, row: Row) -> Any:
        fields = row.fields or {}
        if self._prompt:
            return self._prompt.name(fields)
        if self.is_openai:
            return fields.get("custom_id", "")
        return fields.get("name", "")

    def _check_columns(self) -> None:
        """Raises `InvalidRequest` unless it is known what to ask about the rows of a table."""
        columns = self._rows.columns
        if not columns:
            return
        if self._prompt:
            self._prompt.check(columns)
        elif "messages" not in columns:
            raise InvalidRequest(
                f"{self.name}: a table, and what to ask about its rows is not said. "
                f"Fix: --prompt 'Classify: {{{columns[0]}}}'"
            )


def _readable_twice(path: str) -> IO[bytes]:
    """The file itself, or for a pipe a copy of all that came through it."""
    file: IO[bytes]
    if path != STDIN:
        file = open(path, "rb")  # noqa: SIM115 -- closed with the object
    elif sys.stdin is None:
        raise InvalidRequest("stdin: closed. Fix: pipe the requests into it, or name a file")
    else:
        file = sys.stdin.buffer
    if file.seekable():
        return file
    kept = tempfile.TemporaryFile()  # noqa: SIM115 -- the same
    with file:
        shutil.copyfileobj(file, kept)
    return kept
