"""`completions usage`: who used what, and for how much."""

import csv
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click

from producer.contract.cells import safe_cell

from ..budgets.possible_bills import KEPT_DAYS, Meant, PossibleBills
from ..budgets.usage import BY, Sums, Usage
from .audit import who
from .servers import ledger_connection

COLUMNS = (
    "calls",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "estimated_usd",
    "maybe_billed_usd",
    "maybe_billed_calls",
    "hits",
    "saved_usd",
    "near_hits",
    "near_saved_usd",
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


class Moment(Day):
    """A day, or an instant; one without a zone is UTC."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | int:
        if not isinstance(value, str) or "T" not in value:
            return super().convert(value, param, ctx)
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write 2026-11-01T14:05", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


@click.group(invoke_without_command=True)
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
@click.pass_context
def usage(
    context: click.Context,
    what: str,
    since: date | int,
    until: date | int | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Calls, tokens and dollars per UTC day, kept for LLM_USAGE_DAYS, whatever became of the jobs.

    estimated_usd is what of cost_usd rests on an estimate: the provider told no usage, or no price
    is known. maybe_billed_usd is the worst case of calls whose cost is not known, beside cost_usd.
    hits are answers from the cache, saved_usd what those had cost the job that paid for them;
    near_hits and near_saved_usd are those of near questions among them. A call with several tags
    counts under each.

    \b
    completions usage --by user --since 7d
    completions usage --by model --since 2026-11-01 --csv > november.csv
    completions usage forgive --link openai:gpt-4o --since 2026-11-01
    """
    if context.invoked_subcommand:
        return
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
        click.echo(json.dumps({what: None, "total": True} | _fields(total)))
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, (what, *COLUMNS))
        writer.writeheader()
        writer.writerows({what: safe_cell(name)} | _fields(sums) for name, sums in rows)
        writer.writerow({what: "total"} | _fields(total))
    else:
        for line in _table(what, [*rows, ("total", total)]):
            click.echo(line)


@usage.command()
@click.option("--link", default="", help="Only calls to this provider link.")
@click.option("--job", "job_id", default="", help="Only calls of this job.")
@click.option(
    "--since", type=Moment(), help="From then on: 2026-11-01, 2026-11-01T14:05 (UTC), or 7d."
)
@click.option("--until", type=Moment(), help="Until then, included; now unless given.")
@click.option("--reason", default="", help="Why, for example the invoice's number.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forgive(
    link: str,
    job_id: str,
    since: date | int | None,
    until: date | int | None,
    reason: str,
    yes: bool,
) -> None:
    """Take calls that were possibly billed off the books, because the invoice does not have them.

    They leave the limits of users, groups, batches and the fleet, and the sums of usage. Calls of
    the last 40 days can be forgiven, each once. `completions usage forgiven` lists who did so.

    \b
    completions usage forgive --job 1b9d6bcd-... --reason "invoice 11/26"
    completions usage forgive --link openai:gpt-4o --since 2026-11-01 --until 2026-11-02
    completions usage forgive --since 2026-11-01T14:05 --until 2026-11-01T14:20
    """
    if not (link or job_id or since):
        raise click.UsageError("say which calls: --link, --job or --since")
    with ledger_connection() as connection:
        today = Usage(connection.redis, connection.keys).today()
        first = _instant(since or KEPT_DAYS, today, time.min)
        meant = Meant(link, job_id, first, _instant(until or today, today, time.max))
        bills = PossibleBills(connection)
        calls, dollars = bills.count(meant)
        if not calls:
            raise click.ClickException("no call that may have been billed is meant by that")
        if not yes:
            question = f"Take {calls:,} calls, ${dollars:,.4f} at worst, off the books?"
            click.confirm(question, abort=True)
        calls, dollars = bills.forgive(meant, who(), reason)
    click.echo(f"{calls:,} calls, ${dollars:,.4f}, are forgiven.")


@usage.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def forgiven(as_json: bool) -> None:
    """Who took calls that were possibly billed off the books, when, which and why; latest first."""
    with ledger_connection() as connection:
        for each in PossibleBills(connection).records():
            fields = asdict(each)
            if as_json:
                click.echo(json.dumps(fields))
                continue
            of = " ".join(filter(None, (each.link, each.job))) or "any link"
            click.echo(
                f"{each.at}  {each.who}  {each.calls:,} calls, ${each.usd:,.4f}  {of}  "
                f"{each.since} to {each.until}  {each.reason}".rstrip()
            )


def _instant(value: date | int, today: date, of_day: time) -> datetime:
    """Of a day: its first or last one, by UTC."""
    if isinstance(value, datetime):
        return value
    return datetime.combine(_day(value, today), of_day, UTC)


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
        "hits": sums.hits,
        "saved_usd": sums.saved_micro_usd / 1e6,
        "near_hits": sums.near_hits,
        "near_saved_usd": sums.near_saved_micro_usd / 1e6,
    }


def _table(what: str, rows: list[tuple[str, Sums]]) -> Iterator[str]:
    width = max(len(what), *(len(name) for name, _ in rows))
    header = (
        "CALLS",
        "INPUT",
        "OUTPUT",
        "COST",
        "ESTIMATED",
        "MAYBE",
        "HITS",
        "SAVED",
        "NEAR",
        "SAVED",
    )
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
            f"{sums.hits:,}",
            f"${sums.saved_micro_usd / 1e6:,.4f}",
            f"{sums.near_hits:,}",
            f"${sums.near_saved_micro_usd / 1e6:,.4f}",
        )


def _row(name: str, width: int, calls: str, *others: str) -> str:
    columns = "".join(f"  {each:>13}" for each in others)
    return f"{name:{width}}  {calls:>9}{columns}"
