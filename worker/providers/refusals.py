"""What the codes and words of an error mean, by refusals.toml, which names a source for each. Pure.

Linear in the length of the words, whatever they are.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from .error_bodies import ErrorBody, words_of

Meaning = Literal[
    "window",
    "too_large",
    "money",
    "unaffordable",
    "quota",
    "rate",
    "parameter",
    "unsupported",
    "model",
    "key",
    "account",
    "flagged",
    "overloaded",
    "unreadable",
    "no_api",
]
HOLES = ("{parameter}", "{wait}", "{until}")
MOST_UNTIL = 4
"""Words that a date with a time and a zone has."""


class Row(BaseModel):
    """One form of a refusal. `source`: where it was seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vendor: Annotated[str, Field(min_length=2)]
    code: str = ""
    words: str = ""
    status: tuple[int, ...] = ()
    source: Annotated[str, Field(min_length=4)]

    def may_be(self, status: int) -> bool:
        return not self.status or status in self.status


class Bill(BaseModel):
    """What a vendor says of the bill of a refusal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vendor: str
    status: tuple[int, ...]
    billed: Literal["no", "maybe"]
    source: Annotated[str, Field(min_length=4)]


class Found(NamedTuple):
    """A meaning, and what its words name: a parameter, a wait or an instant, as written."""

    meaning: Meaning
    parameter: str = ""
    wait: str = ""
    until: str = ""


_DATA = tomllib.loads(Path(__file__).with_name("refusals.toml").read_text("utf-8"))
STATUSES = TypeAdapter(dict[str, int]).validate_python(_DATA.pop("statuses"))
"""Type or code of an error -> the HTTP status it stands for."""
BILLS = TypeAdapter(tuple[Bill, ...]).validate_python(_DATA.pop("bill"))
ROWS = TypeAdapter(dict[Meaning, tuple[Row, ...]]).validate_python(_DATA)


def _patterns() -> Iterator[tuple[Meaning, Row, tuple[str, ...]]]:
    for meaning, rows in ROWS.items():
        for row in rows:
            yield meaning, row, words_of(row.words, lower=True)


_BY_CODE: dict[str, list[tuple[Meaning, Row]]] = {}
_BY_WORDS = [(meaning, row, pattern) for meaning, row, pattern in _patterns() if pattern]
for _meaning, _row, _ in _patterns():
    _BY_CODE.setdefault(_row.code, []).append((_meaning, _row))


def meaning_of(status: int, body: ErrorBody) -> Found | None:
    """By the codes that the error states, else by its words; None if no row is like it."""
    for code in body.codes:
        for meaning, row in _BY_CODE.get(code, ()):
            if row.may_be(status):
                return Found(meaning, parameter=body.param)
    for meaning, row, pattern in _BY_WORDS:
        if row.may_be(status):
            kept = matched(pattern, body.words)
            if kept is not None:
                return Found(meaning, **({"parameter": body.param} | kept))
    return None


def matched(pattern: tuple[str, ...], words: tuple[str, ...]) -> dict[str, str] | None:
    """The words in the pattern's holes if `words` begin as it says, else None."""
    position = 0
    kept: dict[str, str] = {}
    for number, part in enumerate(_parts(pattern)):
        found = _placed(part, words, position, anywhere=number > 0)
        if found is None:
            return None
        position, holes = found
        kept |= holes
    return kept


def _parts(pattern: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What stands between the stars."""
    parts: list[list[str]] = [[]]
    for word in pattern:
        if word == "*":
            parts.append([])
        else:
            parts[-1].append(word)
    return [tuple(part) for part in parts]


def _placed(
    part: tuple[str, ...], words: tuple[str, ...], start: int, anywhere: bool
) -> tuple[int, dict[str, str]] | None:
    """Where the first place of `part` from `start` on ends, and what fills its holes."""
    last = len(words) - len(part) + part.count("$") if anywhere else start
    for position in range(start, last + 1):
        holes = _fits(part, words, position)
        if holes is not None:
            return position + len(part), holes
    return None


def _fits(part: tuple[str, ...], words: tuple[str, ...], start: int) -> dict[str, str] | None:
    holes: dict[str, str] = {}
    for offset, wanted in enumerate(part):
        place = start + offset
        if wanted == "$":
            return holes if place >= len(words) else None
        if place >= len(words):
            return None
        if wanted in HOLES:
            most = MOST_UNTIL if wanted == "{until}" else 1
            holes[wanted[1:-1]] = " ".join(words[place : place + most])
        elif wanted not in ("{}", words[place].lower()):
            return None
    return holes
