"""Tables of sheets without what is empty in them: rows and columns between cells far apart."""

import re
from collections.abc import Iterator
from itertools import groupby

_CELLS = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"[\s|:-]+")


def without_empty(text: str) -> str:
    """Markdown whose tables have no empty columns, and no empty rows below their headers.

    Empty cells of others stay: a number is still in its column.
    """
    lines: list[str] = []
    for is_table, group in groupby(text.split("\n"), key=lambda line: line.startswith("|")):
        found = list(group)
        lines += _table(found) if is_table else found
    return "\n".join(lines)


def _table(lines: list[str]) -> Iterator[str]:
    rows = [[cell.strip() for cell in _CELLS.split(line)[1:-1]] for line in lines]
    rules = [bool(_RULE.fullmatch(line)) and "-" in line for line in lines]
    full = {
        number
        for row, is_rule in zip(rows, rules, strict=True)
        if not is_rule
        for number, cell in enumerate(row)
        if cell
    }
    for row, is_rule in zip(rows, rules, strict=True):
        cells = [cell for number, cell in enumerate(row) if number in full]
        if is_rule or any(cells):
            yield f"| {' | '.join(cells)} |"
