"""The figures as a picture: plain SVG, no library."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from .figures import Parts, of_row
from .page import SET, number

WIDTH, LEFT, RIGHT, ROW, BAR = 760, 230, 110, 24, 14
COLOURS = ("#3566a8", "#e0893a")
INK = "#222"


class Bar(NamedTuple):
    """Pieces after one another, the least and the most of their sum, and what is said of them."""

    name: str
    pieces: Sequence[float]
    least: float
    most: float
    label: str


class Panel(NamedTuple):
    title: str
    legend: Sequence[str]
    bars: Sequence[Bar]


def panels(parts: Parts) -> list[Panel]:
    """Of what was measured."""
    found = [
        _stacked(parts, "cost", "CPU per job, ms", {"worker_ms": "worker", "server_ms": "server"}),
        _spans(parts),
        _single(parts, "callers", "CPU of the caller per job, ms", "caller_ms"),
        _single(parts, "in flight", "jobs per second in one process", "per_s"),
    ]
    return [panel for panel in found if panel.bars]


def _stacked(parts: Parts, name: str, title: str, measures: dict[str, str]) -> Panel:
    bars = []
    for case in _cases(parts, name):
        each = [of_row(parts[name], case, measure) for measure in measures]
        there = [seen for seen in each if seen]
        least, most = sum(seen.least for seen in there), sum(seen.most for seen in there)
        pieces = [seen.middle for seen in there]
        bars.append(Bar(case, pieces, least, most, " + ".join(map(number, pieces))))
    return Panel(title, list(measures.values()), bars)


def _single(parts: Parts, name: str, title: str, measure: str) -> Panel:
    return _stacked(parts, name, title, {measure: ""})


def _spans(parts: Parts) -> Panel:
    """p50, and from there to p99."""
    bars = []
    for case in _cases(parts, "latency"):
        p50, p99 = (of_row(parts["latency"], case, name) for name in ("p50_ms", "p99_ms"))
        pieces = [max(0.0, p50.middle), max(0.0, p99.middle - p50.middle)]
        label = f"{number(p50.middle)}, {number(p99.middle)}"
        bars.append(Bar(case, pieces, p99.least, p99.most, label))
    return Panel("Added latency at 20 jobs a second, ms", ["p50", "p99"], bars)


def _cases(parts: Parts, name: str) -> list[str]:
    if name not in parts:
        return []
    return [case for case in parts[name].rows if case != SET]


def svg(parts: Parts) -> str:
    lines: list[str] = []
    y = 14
    for panel in panels(parts):
        lines += _head(panel, y)
        y += 32
        longest = max(bar.most for bar in panel.bars) or 1
        scale = (WIDTH - LEFT - RIGHT) / longest
        for bar in panel.bars:
            lines += _bar(bar, y, scale)
            y += ROW
        y += 18
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">'
    )
    back = f'<rect width="{WIDTH}" height="{y}" rx="6" fill="#fff"/>'
    return "\n".join([head, back, *lines, "</svg>"]) + "\n"


def _head(panel: Panel, y: int) -> list[str]:
    lines = [_text(16, y + 12, panel.title, weight="bold")]
    x = LEFT + 150
    for colour, word in zip(COLOURS, panel.legend, strict=False):
        if word:
            lines.append(_rect(x, y + 3, 10, 10, colour))
            lines.append(_text(x + 15, y + 12, word))
            x += 90
    return lines


def _bar(bar: Bar, y: int, scale: float) -> list[str]:
    lines = [_text(LEFT - 8, y + 11, bar.name, anchor="end")]
    x: float = LEFT
    for colour, piece in zip(COLOURS, bar.pieces, strict=False):
        lines.append(_rect(x, y, piece * scale, BAR, colour))
        x += piece * scale
    least, most = LEFT + max(0.0, bar.least) * scale, LEFT + max(0.0, bar.most) * scale
    middle = y + BAR / 2
    lines.append(
        f'<path d="M{least:.1f} {middle:.1f}H{most:.1f}M{least:.1f} {middle - 4:.1f}v8'
        f'M{most:.1f} {middle - 4:.1f}v8" stroke="{INK}" fill="none"/>'
    )
    lines.append(_text(max(x, most) + 6, y + 11, bar.label))
    return lines


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}"'
    return f'<rect {size} fill="{colour}"/>'


def _text(x: float, y: float, what: str, anchor: str = "start", weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
    return f"<text {place}>{escape(what)}</text>"
