"""`completions stats`: the fleet's latencies."""

import json
from collections.abc import Iterable
from dataclasses import asdict

import click

from ..observe.metrics import Row
from ..runtime import operator
from ..store import ERRORS

HEADER = ("KIND", "LANE", "PROVIDER", "MODEL", "COUNT", "P50 ms", "P95 ms", "P99 ms", "MAX ms")
NAMES = 4
"""So many columns from the left are names and not numbers."""


@click.command()
@click.option("--hours", type=click.IntRange(1, 48), default=24, show_default=True, help="How far to look back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array for a machine instead of a table.")
def stats(hours: int, as_json: bool) -> None:
    """Latencies of all workers in milliseconds, within 2 %.

    \b
    queue      from submission to the first time a worker took the job
    provider   the last provider call on the wire
    total      from submission to the outcome

    \b
    completions stats --hours 1
    completions stats --json | jq '.[] | select(.kind == "total" and .lane == "*") | .p99'
    """
    try:
        rows = operator().latencies.read(hours)
    except ERRORS as error:
        reason = str(error).rstrip(".")
        raise click.ClickException(f"Redis does not answer: {reason}. Fix: check with `completions check`") from None
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
    elif rows:
        click.echo(table(rows))
    else:
        click.echo(f"No job has ended in the last {hours} h.")


def table(rows: Iterable[Row]) -> str:
    """Rows under a header; names to the left, milliseconds to the right."""
    lines = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    durations = (f"{value:,.0f}" for value in (row.p50, row.p95, row.p99, row.max))
    return (row.kind, row.lane, row.provider, row.model, f"{row.count:,}", *durations)


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    names = [cell.ljust(width) for cell, width in zip(cells[:NAMES], widths[:NAMES], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(cells[NAMES:], widths[NAMES:], strict=True)]
    return "  ".join([*names, *numbers])
