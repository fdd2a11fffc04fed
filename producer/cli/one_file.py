"""All summaries in one file, which is complete whenever it is looked at."""

import json
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from ..contract.errors import InvalidRequest
from .out import check_file, is_stream, replaced
from .summary_rows import FORMS, STALE, Row, is_row

PAUSE_S = 1.0
"""Between two times that the file is written, at least."""
SHARE = 20
"""And so many times as long as writing it took."""


class _Place(NamedTuple):
    """Where a row stands in the file, and where it is kept."""

    is_from_before: bool
    number: int
    start: int


class OneFile:
    """The rows of this run in the order of its documents, and behind them those that an earlier run
    wrote and this one has not written again. They are kept on disk meanwhile.
    """

    def __init__(self, path: Path, ending: str) -> None:
        self._path = path
        self._form = FORMS[ending]
        self._kept = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the object
        weakref.finalize(self, self._kept.close)
        self._places: dict[str, _Place] = {}
        self._is_changed = False
        self._next_s = 0.0

    def check(self) -> None:
        """Read what is there. Raises `click.ClickException` if that is no file of summaries, or if
        it cannot be written.
        """
        check_file(self._path)
        if is_stream(self._path) or not self._path.exists():
            return
        try:
            with self._path.open("rb") as file:
                for index, row in enumerate(self._form.read(file)):
                    if not is_row(row):
                        raise ValueError("no summary")
                    self._keep(row, is_from_before=True, index=index)
        except (ValueError, KeyError, InvalidRequest):
            raise click.ClickException(
                f"--out {self._path}: exists and holds something else than summaries. "
                "Fix: name another, or remove it"
            ) from None

    def add(self, row: Row, index: int) -> None:
        """The row of the document of that number in this run."""
        self._keep(row, is_from_before=False, index=index)
        self._is_changed = True

    def write_if_due(self) -> None:
        """Raises `click.ClickException` if that is not possible."""
        if self._is_changed and time.monotonic() >= self._next_s and not is_stream(self._path):
            self.write()

    def write(self) -> None:
        """Raises like `write_if_due`."""
        began = time.monotonic()
        with replaced(self._path) as file:
            self._form.write(file, self._rows())
        took = time.monotonic() - began
        self._next_s = time.monotonic() + max(PAUSE_S, SHARE * took)
        self._is_changed = False

    def write_if_changed(self) -> None:
        """Raises like `write_if_due`."""
        if self._is_changed:
            self.write()

    def mark_stale(self) -> list[str]:
        """The documents whose rows are an earlier run's. Their state says so from now on."""
        stale = [name for name, place in self._places.items() if place.is_from_before]
        for name in stale:
            place = self._places[name]
            self._keep(self._row(place) | {"state": STALE}, True, place.number)
        self._is_changed = self._is_changed or bool(stale)
        return stale

    def _keep(self, row: Row, is_from_before: bool, index: int) -> None:
        start = self._kept.seek(0, 2)
        self._kept.write(json.dumps(row).encode() + b"\n")
        self._places[row["document"]] = _Place(is_from_before, index, start)

    def _row(self, place: _Place) -> Row:
        self._kept.seek(place.start)
        row: Row = json.loads(self._kept.readline())
        return row

    def _rows(self) -> Iterator[Row]:
        return map(self._row, sorted(self._places.values()))
