"""The last run of an exam, JSON lines beside its suite, and what changed since then."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Literal, NamedTuple

from .runs import Result, Run

Change = Literal["broke", "mended", "new", "answer", ""]
"""answer: it passes or fails as before, by another answer."""


class LastRun(NamedTuple):
    """Name of an input -> how it did. Empty: there was none."""

    results: dict[str, Result]

    @classmethod
    def read(cls, path: Path) -> "LastRun":
        """Of no file, or one of another kind, nothing is known."""
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
            found = [_result(line) for line in lines if line]
        except (OSError, ValueError, TypeError):
            found = []
        return cls({each.name: each for each in found})

    def change(self, now: Result) -> Change:
        before = self.results.get(now.name)
        if before is None:
            return "new" if self.results else ""
        if before.passed != now.passed:
            return "mended" if now.passed else "broke"
        return "" if before.answer == now.answer else "answer"

    def gone(self, run: Run) -> list[str]:
        """Inputs that are no part of the suite any more."""
        return sorted(self.results.keys() - {each.name for each in run.results})


def lines_of(run: Run) -> Iterator[str]:
    """The file's lines."""
    for each in run.results:
        yield json.dumps(asdict(each), ensure_ascii=False) + "\n"


def _result(line: str) -> Result:
    fields = json.loads(line)
    return Result(**fields | {"wrong": tuple(fields["wrong"])})
