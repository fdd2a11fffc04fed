"""`completions cache semantic` and `completions cache wrong`: what the semantic cache does, and
telling it that an answer was wrong.
"""

import json
from collections.abc import Iterator

import click

from producer.contract.ledger.calls import NearWrong

from ..semantic.report import ScopeReport, reports
from .servers import ledger_connection

HEAD = (
    f"{'scope':<12}  {'namespace, model':<24} {'entries':>7} {'hits':>7} {'would':>7}"
    f" {'labelled':>8}  {'error (95 %)':<22} {'saved':>10} {'would save':>10}"
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def semantic(as_json: bool) -> None:
    """What the semantic cache knows, serves and saves, per scope: those used last.

    would: near misses that were asked for to learn from, and would have been served. error: of what
    was or would have been served. docs/caching.md says how to read it.

    \b
    completions cache semantic
    completions cache semantic --json
    """
    with ledger_connection() as connection:
        found = reports(connection.redis, connection.keys)
    if as_json:
        for each in found:
            click.echo(json.dumps(each.fields()))
        return
    for line in _table(found):
        click.echo(line)


@click.command()
@click.argument("job_id", metavar="JOB")
def wrong(job_id: str) -> None:
    """Say that the near question's answer which a job was given is wrong. It counts at once, and
    that answer is given to nobody else until its own evidence proves it right.

    \b
    completions cache wrong 1b9d6bcd-...
    """
    with ledger_connection() as connection:
        state = connection.functions(NearWrong(job_id)).state
    if state == "missing":
        raise click.ClickException(
            f"{job_id} was given no near question's answer in the last 7 days, "
            "or that is reported already"
        )
    click.echo(f"{job_id}: counted as wrong; its answer is served to nobody else.")


def _table(found: list[ScopeReport]) -> Iterator[str]:
    if not found:
        yield "No scope yet: LLM_SEMANTIC_CACHE is off, or nobody asked."
        return
    yield HEAD
    for each in found:
        low, high = each.error
        error = f"{low:.1%} to {high:.1%}" if each.checked else "not known"
        error += " STOPPED" if each.stopped else ""
        yield (
            f"{each.scope:<12}  {each.name:<24.24} {each.entries:>7,} {each.hits:>7,}"
            f" {each.would_hit:>7,} {each.labelled:>8,}  {error:<22} {each.saved_usd:>10.4f}"
            f" {each.would_save_usd:>10.4f}"
        )
