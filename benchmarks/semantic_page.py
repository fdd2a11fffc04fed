"""What `semantic.py` measured: tables of docs/caching.md, and a picture, plain SVG, no library.

Each table stands between two marks:

<!-- bench: rules -->
...
<!-- /bench -->
"""

import re
from html import escape
from typing import Any

from .performance.page import table

Row = dict[str, Any]
Figures = dict[str, Any]

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 20, 50
"""Around what is drawn."""
LINE = 13
MOST_ERROR = 0.8
OURS, OTHERS, INK = "#3566a8", "#e0893a", "#222"
_MARKED = re.compile(r"(<!-- bench: ([a-z ]+) -->\n).*?(<!-- /bench -->)", re.DOTALL)
_MONEY = {
    "answers": "all answers",
    "not paid": "answers not paid",
    "embeddings": "embeddings",
    "verdicts": "verdicts",
    "saved": "saved in the end",
}


def tables(figures: Figures) -> dict[str, str]:
    hostile = {"hostile": "hostile pairs served"}
    return {
        "rules": _rules(figures["rules"], hostile),
        "halves": _rules(figures["halves"], {}),
        "all day": _rules(figures["all day"], hostile),
        "money": table(
            ["an answer costs", *_MONEY.values()],
            [_dollars(each) for each in figures["money"]],
        ),
    }


def rewritten(page: str, figures: Figures) -> str:
    """The page with all its tables anew."""
    made = tables(figures)
    return _MARKED.sub(lambda found: f"{found[1]}\n{made[found[2]]}\n\n{found[3]}", page)


def plot(figures: Figures) -> str:
    """Hits against error."""
    rows = figures["rules"]
    most = max(row["hits"] for row in rows)
    lines = [*_axes(most)]
    taken: list[tuple[float, float]] = []
    for row in rows:
        own = "cosine" not in row["rule"] and "threshold" not in row["rule"]
        x, y = _across(row["error"]), _up(row["hits"] / most)
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{OURS if own else OTHERS}"/>')
        lines.append(_named(row, x, _free(x, y + 4, taken)))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">'
    )
    back = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#fff"/>'
    return "\n".join([head, back, *lines, "</svg>"]) + "\n"


def _rules(rows: list[Row], more: dict[str, str]) -> str:
    titles = ["rule", "hits (least)", "wrong (most)", "orders in which 1 % is kept", *more.values()]
    return table(titles, [_cells(row, more) for row in rows])


def _cells(row: Row, more: dict[str, str]) -> list[str]:
    hits, wrong = f"{row['hits']:,}", f"{row['error']:.1%}" if row["hits"] else "-"
    if row["of"] > 1 and row["hits"]:
        hits, wrong = f"{hits} ({row['least']:,})", f"{wrong} ({row['worst']:.1%})"
    kept = f"{row['kept']} of {row['of']}" if row["of"] > 1 else "yes" if row["kept"] else "no"
    return [row["rule"], hits, wrong, kept, *(f"{row[name]:,}" for name in more)]


def _dollars(row: Row) -> list[str]:
    return [f"{row['ratio']} verdicts", *(f"${row[name]:,.2f}" for name in _MONEY)]


def _free(x: float, y: float, taken: list[tuple[float, float]]) -> float:
    """Where a name stands that covers no other: at its point or above it."""
    while any(abs(y - other) < LINE and abs(x - beside) < WIDTH / 3 for beside, other in taken):
        y -= 1
    taken.append((x, y))
    return y


def _named(row: Row, x: float, y: float) -> str:
    what = f"{row['rule']}: {row['hits']:,}, {row['error']:.1%} wrong"
    return _text(x - 9, y, what, "end") if x > WIDTH / 2 else _text(x + 9, y, what)


def _axes(most: int) -> list[str]:
    x, y, right, top = LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, TOP
    lines = [f'<path d="M{x} {top}V{y}H{right}" stroke="{INK}" fill="none"/>']
    stated = _across(0.01)
    lines.append(
        f'<path d="M{stated:.1f} {top}V{y}" stroke="{INK}" stroke-dasharray="3 3" fill="none"/>'
    )
    lines.append(_text(stated + 4, top + 10, "1 % is stated"))
    tenths = range(0, 9, 2)
    lines += [_text(_across(each / 10), y + 18, f"{each * 10} %", "middle") for each in tenths]
    lines.append(_text((x + right) / 2, y + 38, "wrong among those served", "middle"))
    lines.append(_text(x - 8, _up(1) + 4, f"{most:,}", "end"))
    lines.append(_text(x - 8, y + 4, "0", "end"))
    lines.append(_text(x - 8, (top + y) / 2, "hits", "end"))
    return lines


def _across(error: float) -> float:
    return LEFT + min(error / MOST_ERROR, 1.0) * (WIDTH - LEFT - RIGHT)


def _up(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP - 10)


def _text(x: float, y: float, what: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(what)}</text>'
