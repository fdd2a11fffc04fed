"""Where `completions batch` writes results, and the lines that failed."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import click

from ..batch_items import Item
from ..batch_output import COLUMNS, is_answer, openai, plain, row
from ..request_files import STDIN, RequestFile
from ..tables import write_parquet
from .out import (
    check_file,
    check_parquet,
    csv_lines,
    is_stream,
    json_line,
    os_errors_as_messages,
    replaced,
)

OPENAI = "openai"
JSONL = "jsonl"
_LINES = ("", ".jsonl", ".ndjson")
PARQUET = ".parquet"
_TABLES = (".csv", PARQUET)


class Results:
    """The results of a batch; `out` None or "-": JSON lines on standard output."""

    def __init__(self, out: Path | None) -> None:
        """Raises `click.ClickException` for an ending that is not written."""
        self.is_asked_for = out is not None
        """Whether anybody said where they go."""
        if str(out) == STDIN:
            out = None
        self.out = out
        self.place = out or "standard output"
        self._ending = out.suffix.lower() if out else ""
        if self._ending not in (*_LINES, *_TABLES):
            raise click.ClickException(
                f"--out {out}: {self._ending} is not written. Fix: .jsonl, .csv or .parquet"
            )
        if out and self._ending == PARQUET:
            check_parquet(out)

    def check(self) -> None:
        """Raises `click.ClickException` unless they can be written there."""
        if self.out:
            check_file(self.out)

    def write(self, items: Iterable[Item], form: str) -> None:
        """Those that have ended. `form`: of JSON lines. A file is always complete: it is written
        beside `out` first.
        """
        ended = (item for item in items if item.outcome is not None)
        if self.out is None:
            for line in _lines(ended, form):
                click.echo(line, nl=False)
            return
        with replaced(self.out) as file:
            self._fill(file, ended, form)

    def _fill(self, file: IO[bytes], items: Iterator[Item], form: str) -> None:
        if self._ending == PARQUET:
            write_parquet(file, map(row, items), COLUMNS)
            return
        texts = _lines(items, form)
        if self._ending == ".csv":
            texts = csv_lines(COLUMNS, map(row, items))
        for text in texts:
            file.write(text.encode())


class FailedLines:
    """The requests that failed, as they were given: to be mended and run again."""

    def __init__(self, asked: RequestFile, path: Path | None) -> None:
        self._asked = asked
        self.path = path

    @classmethod
    def beside(cls, asked: RequestFile, out: Path | None) -> "FailedLines":
        """results.errors.jsonl beside results.jsonl; nowhere without `out`, or beside a pipe."""
        if out is None or is_stream(out):
            return cls(asked, None)
        return cls(asked, out.with_name(f"{out.stem}.errors.jsonl"))

    def write(self, items: Iterable[Item]) -> int:
        """How many there are. Without any, there is no file."""
        if self.path is None:
            return 0
        failed = set(self._asked.wrong)
        failed |= {item.index for item in items if _has_failed(item)}
        with os_errors_as_messages(self.path):
            if not failed:
                self.path.unlink(missing_ok=True)
                return 0
            with self.path.open("w", encoding="utf-8", errors="surrogateescape") as file:
                file.writelines(f"{line}\n" for line in self._asked.lines(failed))
        return len(failed)


def refuse_same_file(paths: Iterable[Path | None], asked: str) -> None:
    """Raises `click.ClickException` if one of `paths` is the file of requests, also by a link."""
    for path in paths:
        if path and path.exists() and os.path.samestat(path.stat(), _status(asked)):
            raise click.ClickException(f"--out: {path} is the file of requests. Fix: name another")


def _status(asked: str) -> os.stat_result:
    if asked == STDIN:
        return os.fstat(0)
    return os.stat(asked)


def _has_failed(item: Item) -> bool:
    return item.outcome is not None and not is_answer(item)


def _lines(items: Iterable[Item], form: str) -> Iterator[str]:
    convert: Callable[[Item], dict[str, Any]] = openai if form == OPENAI else plain
    for item in items:
        yield json_line(convert(item))


def wrong_lines(asked: RequestFile, most: int) -> Iterator[str]:
    """What is wrong with the file's lines, in as many lines at most, and what was guessed."""
    yield from asked.noticed
    yield from list(asked.wrong.values())[:most]
    if len(asked.wrong) > most:
        yield f"and {len(asked.wrong) - most:,} more such requests"
