"""`--out`: where results are written.

Checked before anything is paid for, so that a batch does not end without a place for its results.
"""

import csv
import errno
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import click

from ..contract.cells import safe_cell
from ..contract.errors import InvalidRequest
from ..tables import check_installed

_FULL = (errno.ENOSPC, errno.EDQUOT)
_LINE_ENDS = re.compile("[\x85\u2028\u2029\ud800-\udfff]")
"""What some readers of lines take for the end of one, and halves of characters."""


class Out(click.Path):
    """A path; "-" is standard output, as without the option."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """None for standard output."""
        return None if value == "-" else super().convert(value, param, ctx)


def json_line(value: dict[str, Any]) -> str:
    """As one line for every reader."""
    text = json.dumps(value, ensure_ascii=False)
    return _LINE_ENDS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text) + "\n"


def csv_lines(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """With a byte-order mark, as spreadsheets want it."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(columns))
    writer.writeheader()
    yield "\ufeff" + buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow({name: safe_cell(value) for name, value in row.items()})
        yield buffer.getvalue()


def check_file(file: Path) -> None:
    """Raises `click.ClickException` unless `file` can be written."""
    if is_stream(file):
        return
    with os_errors_as_messages(file):
        part = _part(file)
        part.open("a").close()
        part.unlink()


def is_stream(file: Path) -> bool:
    """Whether it is there and is a pipe or a device, which is written once and not asked before."""
    return file.exists() and not file.is_file()


@contextmanager
def replaced(file: Path) -> Iterator[IO[bytes]]:
    """What is written inside the block becomes `file` at its end, or nothing does.

    Raises `click.ClickException` for what the system says. Where a link leads is written to.
    """
    with os_errors_as_messages(file):
        if is_stream(file):
            with file.open("wb") as stream:
                yield stream
            return
        part = _part(file)
        try:
            with part.open("wb") as opened:
                yield opened
            part.replace(file.resolve())
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def check_parquet(file: Path) -> None:
    """Raises `click.ClickException` unless what writes Parquet is installed."""
    try:
        check_installed(f"--out {file}: Parquet")
    except InvalidRequest as error:
        raise click.ClickException(str(error)) from None


def check_folder(folder: Path) -> None:
    """Makes `folder`. Raises `click.ClickException` unless files can be written into it."""
    with os_errors_as_messages(folder):
        folder.mkdir(parents=True, exist_ok=True)
    check_file(folder / ".completions")


def _part(file: Path) -> Path:
    """Where it is written first: in the folder in which it is, or will be."""
    whole = file.resolve()
    return whole.with_name(f".{whole.name[-60:]}.part")


@contextmanager
def os_errors_as_messages(path: Path) -> Iterator[None]:
    """What the system says about `path`."""
    try:
        yield
    except OSError as error:
        fix = "make room" if error.errno in _FULL else "name another"
        raise click.ClickException(
            f"--out {path} cannot be written: {error.strerror}. Fix: {fix}"
        ) from None
