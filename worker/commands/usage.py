"""`completions usage`: who used what, and for how much."""

import csv
import json
import re
import sys
from datetime import date, timedelta
from typing import Any

import click

from ..budgets.usage import BY, Sums, Usage
from ..ledger.connection import ERRORS
from ..runtime import operator

COLUMNS = ("calls", "input_tokens", "output_tokens", "cost_usd", "maybe_billed_usd")


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

    maybe_billed_usd is the worst case of calls that were cut off, beside cost_usd. A call with
    several tags counts under each.

    \b
    completions usage --by user --since 7d
    completions usage --by model --since 2026-11-01 --csv > november.csv
    """
    if as_json and as_csv:
        raise click.UsageError("say --json or --csv, not both")
    try:
        ledger = operator()
        reader = Usage(ledger.redis, ledger.keys)
        today = reader.today()
        first, last = _day(since, today), today if until is None else _day(until, today)
        rows, total = reader.by(what, first, last), reader.total(first, last)
    except ERRORS as error:
        raise click.ClickException(
            f"Redis does not answer ({type(error).__name__}). Fix: check LEDGER_URL"
        ) from None
    if as_json:
        for name, sums in rows:
            click.echo(json.dumps({what: name} | _shown(sums)))
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, (what, *COLUMNS))
        writer.writeheader()
        writer.writerows({what: name} | _shown(sums) for name, sums in rows)
    else:
        click.echo(_table(what, [*rows, ("total", total)]))


def _day(value: date | int, today: date) -> date:
    return today - timedelta(days=value - 1) if isinstance(value, int) else value


def _shown(sums: Sums) -> dict[str, Any]:
    return {
        "calls": sums.calls,
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "cost_usd": sums.micro_usd / 1e6,
        "maybe_billed_usd": sums.maybe_micro_usd / 1e6,
    }


def _table(what: str, rows: list[tuple[str, Sums]]) -> str:
    width = max(len(what), *(len(name) for name, _ in rows))
    lines = [
        f"{what.upper():{width}}  {'CALLS':>9}  {'INPUT':>13}  {'OUTPUT':>13}  {'COST':>12}  {'MAYBE':>12}"
    ]
    for name, sums in rows:
        cost, maybe = f"${sums.micro_usd / 1e6:,.4f}", f"${sums.maybe_micro_usd / 1e6:,.4f}"
        lines.append(
            f"{name:{width}}  {sums.calls:>9,}  {sums.input_tokens:>13,}  {sums.output_tokens:>13,}  {cost:>12}  {maybe:>12}"
        )
    return "\n".join(lines)
