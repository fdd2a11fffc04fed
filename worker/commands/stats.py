"""`completions stats`: the fleet's latencies."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict

import click

from ..ledger.connection import ERRORS
from ..monitoring.health import by_link
from ..runtime import operator
from ..telemetry.metrics import ANSWERED, Row

HEADER = ("KIND", "LANE", "PROVIDER", "MODEL", "COUNT", "P50 ms", "P95 ms", "P99 ms", "MAX ms")
NAMES = 4
"""So many columns from the left are names and not numbers."""
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
        seconds = int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else 0
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

    A span of up to an hour is met to ten seconds, a longer one to whole hours.

    \b
    completions stats --last 5m
    completions stats --json | jq '.[] | select(.kind == "total" and .lane == "*") | .p99'
    """
    try:
        window = operator().metrics.window(span_s)
        rows = window.rows()
    except ERRORS as error:
        reason = str(error).rstrip(".")
        raise click.ClickException(
            f"Redis does not answer: {reason}. Fix: check with `completions check`"
        ) from None
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
    elif rows:
        click.echo(table(rows))
        for link, outcomes in by_link(window.calls).items():
            if faults := {name: count for name, count in outcomes.items() if name not in ANSWERED}:
                listed = ", ".join(f"{name} {count:,}" for name, count in sorted(faults.items()))
                click.echo(
                    f"{link}: {sum(faults.values()):,} of {outcomes.total():,} calls failed: {listed}"
                )
    else:
        click.echo(f"No job has ended in the last {span_s:,} s.")


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
