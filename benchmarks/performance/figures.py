"""What was seen: one value per round of each measure of each case, and what stands in a table."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

Pick = Callable[[list[float]], float]
"""One value out of those of the rounds: their median, or that of a certain round."""


@dataclass
class Part:
    """What one part of the benchmark saw.

    `rows`: case -> measure -> a value per round, in the units that the measures' names end with.
    `left_out`: case -> why. `how`: of the run, such as the number of jobs.
    """

    rows: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    how: dict[str, Any] = field(default_factory=dict)

    def add(self, case: str, seen: dict[str, float]) -> None:
        """What one round saw."""
        for measure, value in seen.items():
            self.rows.setdefault(case, {}).setdefault(measure, []).append(value)

    def rounds(self) -> int:
        each = (values for row in self.rows.values() for values in row.values())
        return max(map(len, each), default=0)


Parts = dict[str, Part]


class Seen(NamedTuple):
    """A median and its noise: the least and the most of all rounds."""

    middle: float
    least: float
    most: float


def seen(parts: Parts, of: Callable[[Parts, Pick], float]) -> Seen | None:
    """What a formula gives of the medians, and of each round by itself. None where a part of it was
    not measured.
    """
    try:
        middle = of(parts, median)
        rounds = max((part.rounds() for part in parts.values()), default=0)
        each = [of(parts, partial(_of_round, n)) for n in range(rounds)]
    except (KeyError, ZeroDivisionError):
        return None
    return Seen(middle, min([middle, *each]), max([middle, *each]))


def _of_round(number: int, values: list[float]) -> float:
    """The last one of a case that had fewer rounds."""
    return values[min(number, len(values) - 1)]


def ratio(part: Part, measure: str, case: str, base: str) -> Seen | None:
    """Of a case to another one of the same rounds."""
    return seen(
        {"": part}, lambda _, pick: pick(part.rows[case][measure]) / pick(part.rows[base][measure])
    )


def of_row(part: Part, case: str, measure: str) -> Seen | None:
    values = part.rows.get(case, {}).get(measure)
    if not values:
        return None
    return Seen(median(values), min(values), max(values))


def write(path: Path, parts: Parts) -> None:
    """Rounded to what can be meant: four digits."""
    told = {name: asdict(part) for name, part in parts.items()}
    for part in told.values():
        for row in part["rows"].values():
            for measure, values in row.items():
                row[measure] = [float(f"{value:.4g}") for value in values]
    path.write_text(json.dumps(told, indent=1) + "\n")


def read(path: Path) -> Parts:
    """{} if there is none."""
    if not path.exists():
        return {}
    return {name: Part(**part) for name, part in json.loads(path.read_text()).items()}
