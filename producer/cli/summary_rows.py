"""Rows of summaries, and the forms of a file that they are written in and read from again."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, NamedTuple

from ..batch_items import Item
from ..contract.cells import plain_cell
from ..contract.completions import Completion
from ..documents import Document
from ..tables import parquet_rows, write_parquet
from .out import csv_lines, json_line

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
STALE = "stale"
"""The state of a row that an earlier run wrote, and whose document this one does not have."""
Row = dict[str, Any]
_DASHES = "-\\u002d"
"""Two of them, as JSON may write them and a comment may hold them."""
_MARK = "<!-- document: "
"""Before each summary in Markdown: readers do not show it, and the next run finds it."""


class Form(NamedTuple):
    """How rows are written, and read from what was written."""

    write: Callable[[IO[bytes], Iterable[Row]], None]
    read: Callable[[IO[bytes]], Iterator[Row]]
    """Raises `ValueError`, `KeyError` or `InvalidRequest` for a file that is none of these."""


def row_of(item: Item, document: Document | None, characters: int) -> Row:
    """`document`: what was read of it, if this process has."""
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


def is_row(value: Any) -> bool:
    """Whether it is one that `summarize` wrote."""
    return isinstance(value, dict) and isinstance(value.get("document"), str) and "state" in value


def _write_lines(file: IO[bytes], rows: Iterable[Row]) -> None:
    for row in rows:
        _put(file, json_line(row))


def _read_lines(file: IO[bytes]) -> Iterator[Row]:
    return map(json.loads, file)


def _write_table(file: IO[bytes], rows: Iterable[Row]) -> None:
    for line in csv_lines(COLUMNS, map(_flat, rows)):
        _put(file, line)


def _read_table(file: IO[bytes]) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    text = io.StringIO(file.read().decode("utf-8-sig"), newline="")
    found = csv.DictReader(text, strict=True)
    if found.fieldnames and not set(found.fieldnames) >= {"document", "state"}:
        raise ValueError("no summaries")
    for row in found:
        yield {name: plain_cell(value) for name, value in row.items()}


def _write_parquet(file: IO[bytes], rows: Iterable[Row]) -> None:
    write_parquet(file, map(_flat, rows), COLUMNS)


def _read_parquet(file: IO[bytes]) -> Iterator[Row]:
    return parquet_rows(file, "--out")


def _write_markdown(file: IO[bytes], rows: Iterable[Row]) -> None:
    for row in rows:
        mark = {"document": row["document"], "state": row["state"]}
        stale = " (stale)" if row["state"] == STALE else ""
        text = str(row.get("summary") or row.get("error")).replace(
            _MARK, _MARK.replace("<", "&lt;")
        )
        _put(file, f"{_MARK}{json.dumps(mark).replace('--', _DASHES)} -->\n")
        _put(file, f"# {row['document']}{stale}\n\n{text}\n\n")


def _read_markdown(file: IO[bytes]) -> Iterator[Row]:
    before, *found = file.read().decode().split(_MARK)
    if before:
        raise ValueError("no summaries")
    for each in found:
        mark, _, text = each.partition(" -->\n")
        _, _, summary = text.partition("\n\n")
        yield json.loads(mark) | {"summary": summary.removesuffix("\n\n")}


def _flat(row: Row) -> Row:
    """With one value in each cell."""
    left_out = row["left_out"]
    return row | {"left_out": "; ".join(left_out) if isinstance(left_out, list) else left_out}


def _put(file: IO[bytes], text: str) -> None:
    file.write(text.encode("utf-8", "replace"))


FORMS = {
    ".jsonl": Form(_write_lines, _read_lines),
    ".csv": Form(_write_table, _read_table),
    ".md": Form(_write_markdown, _read_markdown),
    ".parquet": Form(_write_parquet, _read_parquet),
}
