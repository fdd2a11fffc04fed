"""Tables: Parquet files, and the data frames of pandas, polars and others (the extra `tables`).

All of them speak Arrow, so that one library reads and writes them.
"""

from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

from .contract.errors import InvalidRequest
from .extras import needs

if TYPE_CHECKING:
    from pyarrow import Table as Table

ROWS = 1_000
"""Read at a time."""


def parquet_rows(file: IO[bytes], name: str) -> Iterator[dict[str, Any]]:
    """Each row of a Parquet file, by its columns' names."""
    arrow = _arrow(f"{name}: Parquet")
    from pyarrow import parquet

    try:
        for batch in parquet.ParquetFile(file).iter_batches(ROWS):
            yield from batch.to_pylist()
    except arrow.ArrowException as error:
        raise InvalidRequest(f"{name}: damaged Parquet ({type(error).__name__})") from None


def check_installed(what: str) -> None:
    """Raises `InvalidRequest` that says what needs the extra, unless it is installed."""
    _arrow(what)


def is_frame(value: Any) -> bool:
    """Whether it is a data frame: pandas', polars' or another that gives itself out as Arrow."""
    return hasattr(value, "__arrow_c_stream__") and hasattr(value, "columns")


def frame_rows(frame: Any) -> Iterator[dict[str, Any]]:
    """Each row of a data frame, by its columns' names; what is missing is None."""
    arrow = _arrow("a data frame")
    try:
        for batch in arrow.RecordBatchReader.from_stream(frame):
            yield from batch.to_pylist()
    except arrow.ArrowException as error:
        raise InvalidRequest(
            f"a column holds values of several kinds ({type(error).__name__}). "
            "Fix: make each column one of texts, numbers or lists"
        ) from None


def table(rows: Iterable[dict[str, Any]], columns: dict[str, str]) -> "Table":
    """Rows as an Arrow table; `columns`: name -> Arrow's name of its type."""
    arrow = _arrow("a table")
    fields = [(name, arrow.type_for_alias(kind)) for name, kind in columns.items()]
    return arrow.Table.from_pylist(list(rows), arrow.schema(fields))


def write_parquet(file: IO[bytes], rows: Iterable[dict[str, Any]], columns: dict[str, str]) -> None:
    """Rows as a Parquet file."""
    from pyarrow import parquet

    parquet.write_table(table(rows, columns), file)


def _arrow(what: str) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise InvalidRequest(needs(what, "tables")) from None
    return pyarrow
