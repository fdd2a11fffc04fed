"""`completions stats`: the fleet's latencies."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict

import click

from ..monitoring.snapshot import MICRO, calls_by_link
from ..telemetry.metrics import ANSWERED, Counts, Metrics, Row
from .servers import ledger_connection

HEADER = ("KIND", "LANE", "PROVIDER", "MODEL", "COUNT", "P50 ms", "P95 ms", "P99 ms", "MAX ms")
NAMES = 4
"""So many columns from the left are names and not numbers."""
UNITS_S = {"s": 1, "m": 60, "h": 3600}
LONGEST_S = 48 * 3600


class Span(click.ParamType[int]):
    """ "90s", "5m" or "1h" as seconds, at most 48 h."""

    name = "span"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9]\d{0,5})([smh])", value)
        seconds = 0
        if found:
            seconds = int(found[1]) * UNITS_S[found[2]]
        if not 0 < seconds <= LONGEST_S:
            self.fail(f"{value!r} is no span of at most 48 h; write 90s, 5m or 1h", param, ctx)
        return seconds


@click.command()
@click.option(
    "--last",
    "span_s",
    type=Span(),
    default="24h",
    show_default=True,
    help="How far to look back: 1m, 5m, 1h, ...",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON array for a machine instead of a table."
)
def stats(span_s: int, as_json: bool) -> None:
    """Latencies of all workers in milliseconds, within 2 %: all together, then by lane, by
    provider, by model; failed calls.

    \b
    queue      from submission to the first time a worker took the job
    provider   one provider call on the wire
    total      from submission to the outcome
    hit        the same of jobs that the cache answered; they are not in total

    A span of up to an hour is met to ten seconds, a longer one to whole hours.

    \b
    completions stats --last 5m
    completions stats --json |
      jq '.[] | select(.kind == "total" and .lane == "*" and .provider == "*") | .p99'
    """
    with ledger_connection() as connection:
        window = Metrics(connection.redis, connection.keys).window(span_s)
    rows = window.rows()
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
        return
    if not rows:
        click.echo(f"No job has ended in the last {span_s:,} s.")
        return
    click.echo(table(rows))
    for line in _failed_calls(window):
        click.echo(line)
    hits = window.row("hit")
    if hits:
        saved_usd = window.events["saved_micro"] / MICRO
        click.echo(f"{hits.count:,} jobs were answered by the cache, which saved ${saved_usd:,.4f}")


def table(rows: Iterable[Row]) -> str:
    """Rows under a header; names to the left, milliseconds to the right."""
    lines = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _failed_calls(window: Counts) -> Iterable[str]:
    """One line per provider link of which a call failed."""
    for link, outcomes in calls_by_link(window.calls).items():
        faults = {name: count for name, count in outcomes.items() if name not in ANSWERED}
        if faults:
            listed = ", ".join(f"{name} {count:,}" for name, count in sorted(faults.items()))
            failed = sum(faults.values())
            yield f"{link}: {failed:,} of {outcomes.total():,} calls failed: {listed}"


def _cells(row: Row) -> tuple[str, ...]:
    durations = (f"{value:,.0f}" for value in (row.p50, row.p95, row.p99, row.max))
    return (row.kind, row.lane, row.provider, row.model, f"{row.count:,}", *durations)


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    names = [cell.ljust(width) for cell, width in zip(cells[:NAMES], widths[:NAMES], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(cells[NAMES:], widths[NAMES:], strict=True)]
    return "  ".join([*names, *numbers])
