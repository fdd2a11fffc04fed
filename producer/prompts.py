"""A prompt with places for the columns of a table: "Classify: {text}"."""

import string
from collections.abc import Iterable, Iterator
from typing import Any

from .contract.errors import InvalidRequest
from .contract.identifiers import visible
from .tables import frame_rows, is_frame

_NAMES = ("custom_id", "name", "id")
"""Columns that name an item, the first of them that is there."""


class Prompt:
    """One prompt for all rows of a table."""

    def __init__(self, template: str) -> None:
        """Raises `InvalidRequest` unless its places are names of columns in braces."""
        try:
            parts = list(string.Formatter().parse(template))
        except ValueError as error:
            raise InvalidRequest(
                f"prompt: {error}. Fix: write {{{{ and }}}} for braces that are none of its places"
            ) from None
        self._parts = [(text, name) for text, name, _, _ in parts]
        self.names = [name for _, name in self._parts if name is not None]
        if any(spec or conversion for _, _, spec, conversion in parts) or "" in self.names:
            raise InvalidRequest(
                "prompt: its places are names of columns, as {text}. "
                "Fix: write {{ and }} for braces that are none of its places"
            )
        if not self.names:
            raise InvalidRequest("prompt: has no place for a column. Fix: write one as {text}")

    def check(self, columns: Iterable[str]) -> None:
        """Raises `InvalidRequest` unless all its places are columns."""
        there = list(columns)
        missing = [name for name in self.names if name not in there]
        if missing:
            shown = visible(", ".join(map(str, there)), keep="")[:300]
            raise InvalidRequest(f"prompt: there is no column {missing[0]!r}. There are: {shown}")

    def request(self, row: dict[str, Any]) -> dict[str, Any]:
        """What is asked about a row. Raises `InvalidRequest` if nothing of it is there."""
        self.check(row)
        values = {name: _shown(row.get(name)) for name in self.names}
        if not any(value.strip() for value in values.values()):
            raise InvalidRequest(f"empty: {', '.join(values)}")
        text = "".join(
            before + (values[name] if name is not None else "") for before, name in self._parts
        )
        return {"messages": [{"role": "user", "content": text}], "name": self.name(row)}

    def name(self, row: dict[str, Any]) -> str:
        """What the row itself says that it is called; "" if it does not."""
        return next((_shown(row[name]) for name in _NAMES if name in row), "")


def requests_of(given: Iterable[Any], prompt: str) -> Iterable[Any]:
    """What is asked: with a `prompt`, about each row; of a data frame's rows, what they hold.

    Raises `InvalidRequest` for a wrong prompt; a wrong row becomes a request that fails and says
    why.
    """
    if not is_frame(given):
        return _filled(given, Prompt(prompt)) if prompt else given
    if not prompt:
        return map(_present, frame_rows(given))
    wanted = Prompt(prompt)
    wanted.check(given.columns)  # type: ignore[attr-defined]
    return _filled(frame_rows(given), wanted)


def _filled(rows: Iterable[Any], prompt: Prompt) -> Iterator[dict[str, Any]]:
    for row in rows:
        try:
            if not isinstance(row, dict):
                raise InvalidRequest("no row: needs a dict of columns and values")
            yield prompt.request(row)
        except InvalidRequest as error:
            name = prompt.name(row) if isinstance(row, dict) else ""
            yield {"wrong": error, "name": name}


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _shown(value: Any) -> str:
    """None and NaN are missing."""
    if value is None or value != value:
        return ""
    return str(value)
