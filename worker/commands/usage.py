"""`completions usage`: who used what, and for how much."""

import csv
import json
import re
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import click

from ..budgets.usage import BY, Sums, Usage
from .servers import ledger_connection

COLUMNS = (
    "calls",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "estimated_usd",
    "maybe_billed_usd",
    "maybe_billed_calls",
)


class Day(click.ParamType[date | int]):
    """2026-11-01, or 7d for the last seven days, today included."""

    name = "day"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | int:
        if isinstance(value, date | int):
            return value
        if found := re.fullmatch(r"([1-9]\d{0,3})d", value):
            return int(found[1])
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is no day; write 2026-11-01, or 7d for the last seven", param, ctx
            )


@click.command()
@click.option("--by", "what", type=click.Choice(BY), default="user", show_default=True)
@click.option(
    "--since",
    type=Day(),
    default="30d",
    show_default=True,
    help="First day: 2026-11-01, or 7d: the last seven.",
)
@click.option("--until", type=Day(), help="Last day, included; today unless given.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--csv", "as_csv", is_flag=True, help="With a header.")
def usage(
    what: str, since: date | int, until: date | int | None, as_json: bool, as_csv: bool
) -> None:
    """Calls, tokens and dollars per UTC day, kept for LLM_USAGE_DAYS, whatever became of the jobs.

    estimated_usd is what of cost_usd rests on an estimate: the provider told no usage, or no price
    is known. maybe_billed_usd is the worst case of calls whose cost is not known, beside cost_usd.
    A call with several tags counts under each.

    \b
    completions usage --by user --since 7d
    completions usage --by model --since 2026-11-01 --csv > november.csv
    """
    if as_json and as_csv:
        raise click.UsageError("say --json or --csv, not both")
    with ledger_connection() as connection:
        reader = Usage(connection.redis, connection.keys)
        today = reader.today()
        first = _day(since, today)
        last = _day(until or today, today)
        rows = reader.by(what, first, last)
        total = reader.total(first, last)
    if as_json:
        for name, sums in rows:
            click.echo(json.dumps({what: name} | _fields(sums)))
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, (what, *COLUMNS))
        writer.writeheader()
        writer.writerows({what: name} | _fields(sums) for name, sums in rows)
    else:
        for line in _table(what, [*rows, ("total", total)]):
            click.echo(line)


def _day(value: date | int, today: date) -> date:
    if isinstance(value, int):
        return today - timedelta(days=value - 1)
    return value


def _fields(sums: Sums) -> dict[str, Any]:
    return {
        "calls": sums.calls,
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "cost_usd": sums.micro_usd / 1e6,
        "estimated_usd": sums.estimated_micro_usd / 1e6,
        "maybe_billed_usd": sums.maybe_micro_usd / 1e6,
        "maybe_billed_calls": sums.maybe_calls,
    }


def _table(what: str, rows: list[tuple[str, Sums]]) -> Iterator[str]:
    width = max(len(what), *(len(name) for name, _ in rows))
    header = ("CALLS", "INPUT", "OUTPUT", "COST", "ESTIMATED", "MAYBE")
    yield _row(what.upper(), width, *header)
    for name, sums in rows:
        yield _row(
            name,
            width,
            f"{sums.calls:,}",
            f"{sums.input_tokens:,}",
            f"{sums.output_tokens:,}",
            f"${sums.micro_usd / 1e6:,.4f}",
            f"${sums.estimated_micro_usd / 1e6:,.4f}",
            f"${sums.maybe_micro_usd / 1e6:,.4f}",
        )


def _row(name: str, width: int, calls: str, *others: str) -> str:
    columns = "".join(f"  {each:>13}" for each in others)
    return f"{name:{width}}  {calls:>9}{columns}"
