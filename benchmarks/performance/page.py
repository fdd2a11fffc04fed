"""The tables of docs/performance.md and a sentence of docs/scaling.md, out of the figures. Each
stands between two marks:

<!-- bench: cost -->
...
<!-- /bench -->
"""

import re
from typing import NamedTuple

from .figures import Part, Parts, Seen, of_row, ratio
from .targets import BARE, DELAY, FULL, NOOP, Verdict, verdicts

SET = "SET of 1 KB"
NOTHING = "-"
SETS_PER_S = 50_000
_MARKED = re.compile(r"(<!-- bench: ([a-z ]+) -->\n).*?(<!-- /bench -->)", re.DOTALL)


class Column(NamedTuple):
    """A measure of a case; beside a `base`, as a multiple of that case's."""

    title: str
    measure: str
    base: str = ""
    noise: bool = True

    def cell(self, part: Part, case: str) -> str:
        found: Seen | None
        if self.base:
            found = ratio(part, self.measure, case, self.base)
        else:
            found = of_row(part, case, self.measure)
        if found is None:
            return NOTHING
        return said(found, self.noise)


COLUMNS = {
    "cost": [
        Column("worker ms", "worker_ms"),
        Column("x no-op", "worker_ms", NOOP, noise=False),
        Column("x plain + SDK", "worker_ms", BARE),
        Column("server ms", "server_ms"),
        Column("SETs", "server_ms", SET, noise=False),
        Column("x no-op", "server_ms", NOOP),
        Column("jobs/s", "per_s", noise=False),
        Column("MiB", "rss_mib", noise=False),
    ],
    "callers": [Column("CPU ms", "caller_ms"), Column("x Celery's", "caller_ms", DELAY)],
    "latency": [Column("p50 ms", "p50_ms"), Column("p99 ms", "p99_ms")],
    "in flight": [
        Column("jobs/s", "per_s"),
        Column("of what is possible", "possible", noise=False),
        Column("most at once", "most", noise=False),
        Column("MiB", "rss_mib", noise=False),
        Column("of the core", "core", noise=False),
        Column("warnings", "warnings", noise=False),
        Column("failed", "failed", noise=False),
    ],
    "backlog": [
        *(
            Column(f"{step} {unit}", f"{step}_{unit}", noise=unit == "us")
            for step in ("submit", "dispatch", "settle")
            for unit in ("commands", "us")
        ),
        Column("plain SET + HSET us", "plain_us"),
    ],
    "profile": [Column("asyncio, %", "asyncio"), Column("threads, %", "threads")],
    "idle": [Column("CPU s per hour", "process_s"), Column("its server's", "server_s")],
    "start": [
        Column("CPU s", "cpu_s"),
        Column("MiB", "rss_mib", noise=False),
        Column("first answer, added ms", "first_ms"),
    ],
}
"""Of each part's table."""
FIRST = {
    "callers": "way",
    "latency": "way",
    "in flight": "calls",
    "backlog": "waiting",
    "profile": "what",
}


def number(value: float) -> str:
    """Three digits, and no exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{float(f'{value:.3g}'):g}"


def said(found: Seen, noise: bool = True) -> str:
    """The median, and the least and the most of the rounds."""
    middle, least, most = map(number, found)
    if not noise or least == most:
        return middle
    return f"{middle} ({least} to {most})"


def table(titles: list[str], rows: list[list[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def of_part(name: str, part: Part) -> str:
    """Its table, what was left out, and how it was run."""
    columns = COLUMNS[name]
    titles = [FIRST.get(name, "case"), *(column.title for column in columns)]
    rows = [
        [case, *(column.cell(part, case) for column in columns)]
        for case in part.rows
        if case != SET
    ]
    notes = [f"Left out: {case} ({why})." for case, why in part.left_out.items()]
    return "\n\n".join([table(titles, rows), *notes, how(part)])


def how(part: Part) -> str:
    pairs = ", ".join(f"{key.replace('_', ' ')} {told}" for key, told in part.how.items())
    return f"Medians of {part.rounds()} interleaved rounds (least to most); {pairs}."


def of_targets(parts: Parts, all_of_them: bool = True) -> str:
    """Or of those that were measured."""
    found = [each for each in verdicts(parts) if all_of_them or each.seen]
    return table(["show", "what", "target", "seen", "met"], [*map(_row, found)])


def of_capacity(part: Part) -> str:
    """How many jobs a second one server does, if it is broker, result backend and ledger."""
    full, plain = ratio(part, "server_ms", FULL, SET), ratio(part, "server_ms", BARE, SET)
    beside = ratio(part, "server_ms", FULL, BARE)
    if not (full and plain and beside):
        return NOTHING
    most = int(float(f"{SETS_PER_S / full.middle:.2g}"))
    return (
        f"Of a server that is all three, a job takes {said(full)} SETs of 1 KB, and a task of "
        f"plain Celery {number(plain.middle)}: {number(beside.middle)} times as much. A server "
        f"that does {SETS_PER_S:,} such SETs a second is full at some {most:,} jobs a second."
    )


def _row(verdict: Verdict) -> list[str]:
    target = verdict.target
    figure = NOTHING
    if verdict.seen:
        figure = f"{said(verdict.seen)} {target.unit}".strip()
    words = {True: "yes", False: "**no**", None: "not measured"}
    return [str(target.show), target.what, target.said(), figure, words[verdict.met]]


def rewritten(page: str, parts: Parts) -> str:
    """The page with all its tables anew; what was not measured stays as it is."""

    def anew(found: re.Match[str]) -> str:
        name = found[2]
        if name == "targets":
            made = of_targets(parts)
        elif name == "capacity" and "cost" in parts:
            made = of_capacity(parts["cost"])
        elif name in parts:
            made = of_part(name, parts[name])
        else:
            return found[0]
        return f"{found[1]}\n{made}\n\n{found[3]}"

    return _MARKED.sub(anew, page)
