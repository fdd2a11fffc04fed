"""Where `completions summarize` writes: one file, or a folder with a file for each."""

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import click

from ..batch_items import Item
from ..contract.completions import Completion
from ..documents import Document
from ..reading.found import OUTPUT_MARK
from ..tables import table, write_parquet
from .out import check_file, check_folder, csv_lines, json_line, os_errors_as_messages

PARQUET = ".parquet"
COLUMNS = {
    "document": "string",
    "state": "string",
    "pages": "int64",
    "characters": "int64",
    "left_out": "string",
    "summary": "string",
    "model": "string",
    "cost_usd": "float64",
    "cost_basis": "string",
    "maybe_billed_usd": "float64",
    "cached": "bool",
    "error": "string",
}
"""Name -> Arrow's type."""


class Summaries:
    """The summaries of a run. `out` None: standard output."""

    def __init__(self, out: Path | None) -> None:
        self._out = out
        self._written: set[str] = set()
        self._form = ""
        if out is not None:
            self._form = _form(out)

    def check(self) -> None:
        """Raises `click.ClickException` unless they can be written there, and `InvalidRequest` if
        an extra is missing.
        """
        if self._out is None:
            return
        if self._form == PARQUET:
            table([], COLUMNS)  # raises if the extra is missing
        if self._form:
            check_file(self._out)
            return
        check_folder(self._out)
        with os_errors_as_messages(self._out):
            (self._out / OUTPUT_MARK).write_text("Written by completions summarize.\n", "utf-8")

    def add(self, item: Item) -> None:
        """One that has ended."""
        answer = item.outcome
        if not isinstance(answer, Completion):
            click.echo(f"{item.name}: {answer or item.state}", err=True)
        elif self._out is None:
            click.echo(f"# {item.name}\n\n{answer.text}\n")
        elif not self._form:
            name = _file_name(item.name)
            self._written.add(name)
            with os_errors_as_messages(self._out):
                (self._out / name).write_text(f"{answer.text}\n", "utf-8", "replace")

    def finish(
        self, items: Iterable[Item], read: dict[str, Document], characters: dict[str, int]
    ) -> None:
        """All of them into one file, in the order of the documents; or tell what is stale."""
        if self._out is None:
            return
        if not self._form:
            self._tell_stale(self._out)
            return
        rows = (_row(item, read.get(item.name), characters.get(item.name, 0)) for item in items)
        part = self._out.with_name(f".{self._out.name}.part")
        with os_errors_as_messages(self._out):
            with part.open("wb") as file:
                _write(self._form, file, rows)
            part.replace(self._out)

    def _tell_stale(self, folder: Path) -> None:
        stale = sorted({path.name for path in folder.glob("*.md")} - self._written)
        if stale:
            click.echo(
                f"{len(stale):,} files in {folder} are of no document of this run: "
                f"{', '.join(stale[:5])}{' ...' if len(stale) > 5 else ''}",
                err=True,
            )


Row = dict[str, object]


def _lines(rows: Iterable[Row]) -> Iterable[str]:
    for row in rows:
        yield json_line(row)


def _markdown(rows: Iterable[Row]) -> Iterable[str]:
    for row in rows:
        yield f"# {row['document']}\n\n{row.get('summary') or row.get('error')}\n\n"


def _table(rows: Iterable[Row]) -> Iterable[str]:
    return csv_lines(COLUMNS, map(_flat, rows))


def _flat(row: Row) -> Row:
    """With one value in each cell."""
    left_out = "; ".join(row["left_out"])  # type: ignore[arg-type]
    return row | {"left_out": left_out}


def _write(form: str, file: IO[bytes], rows: Iterable[Row]) -> None:
    if form == PARQUET:
        write_parquet(file, map(_flat, rows), COLUMNS)
        return
    for text in _FORMS[form](rows):
        file.write(text.encode("utf-8", "replace"))


_FORMS: dict[str, Callable[[Iterable[Row]], Iterable[str]]] = {
    ".jsonl": _lines,
    ".md": _markdown,
    ".csv": _table,
}


def _form(out: Path) -> str:
    """The ending of a file's name that is known; "" for a folder."""
    ending = out.suffix.lower()
    if out.is_dir() or not ending:
        return ""
    if ending not in (*_FORMS, PARQUET):
        raise click.ClickException(
            f"--out {out}: {ending} is not written. Fix: .jsonl, .csv, .md or .parquet, or a "
            "folder, which has no ending or exists"
        )
    return ending


def _row(item: Item, document: Document | None, characters: int) -> Row:
    row: Row = {"document": item.name, "state": item.state}
    if document is not None:
        row |= {"pages": document.pages, "characters": characters}
    row["left_out"] = list(document.left_out) if document else []
    answer = item.outcome
    if not isinstance(answer, Completion):
        return row | {"error": str(answer or "not ended")}
    return row | {
        "summary": answer.text,
        "model": answer.model,
        "cost_usd": answer.cost_usd,
        "cost_basis": answer.cost_basis,
        "maybe_billed_usd": answer.maybe_billed_usd,
        "cached": answer.cached,
    }


def _file_name(document: str) -> str:
    """Follows from the document's name, so that another run writes the same file."""
    name = re.sub(r"[^\w.-]+", "_", document).lstrip(".")[-80:]
    if name != document:
        name += f"-{hashlib.sha256(document.encode()).hexdigest()[:6]}"
    return f"{name}.md"
