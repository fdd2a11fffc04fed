"""`completions health`: is the fleet well, and if not, why?"""

import json

import click

from ..monitoring.health import Verdict
from ..monitoring.snapshot import MICRO
from .servers import fleet_health, ledger_connection

EXIT = {"ok": 0, "degraded": 1, "down": 2}
COLOURS = {"ok": "green", "degraded": "yellow", "down": "red"}


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object: {status, reasons, latency}."
)
def health(as_json: bool) -> None:
    """Say what is wrong now, the worst first. Exit code 0: ok, 1: degraded, 2: down.

    Thresholds are settings (LLM_HEALTH_...); `completions http` serves the same over HTTP.

    \b
    completions health
    completions health --json | jq -r '.reasons[].text'
    """
    with ledger_connection() as connection:
        verdict = fleet_health(connection).check()
    if as_json:
        click.echo(json.dumps(verdict.body()))
    else:
        _show(verdict)
    raise SystemExit(EXIT[verdict.status])


def _show(verdict: Verdict) -> None:
    click.secho(verdict.status, fg=COLOURS[verdict.status], bold=True)
    for finding in verdict.findings:
        click.echo(f"  {finding.name}: {finding.text}")
    row = verdict.latency
    if row is not None:
        click.echo(
            f"  interactive jobs: {row.count:,}; "
            f"P50 {row.p50:,.0f}, P95 {row.p95:,.0f}, P99 {row.p99:,.0f} ms"
        )
    now = verdict.snapshot
    if now is None:
        return
    simulated, real = now.answered_by_simulators
    if simulated and not real:
        click.echo(f"  all {simulated:,} answers were a simulator's: none is real")
    waiting = ", ".join(f"{count:,} {lane}" for lane, count in now.waiting.items())
    click.echo(
        f"  workers: {now.workers} ({now.slots} slots); open {now.open:,}; "
        f"waiting {waiting}, {now.parked:,} parked"
    )
    click.echo(
        f"  today: ${now.spent / MICRO:.4f} spent, "
        f"${now.maybe / MICRO:.4f} possibly billed beside that"
    )
