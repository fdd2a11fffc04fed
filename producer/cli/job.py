"""`completions status` and `completions cancel`: one job by its id."""

import json

import click

from ..client import complete
from ..contract.errors import JobError, Unavailable
from . import costs


@click.command()
@click.argument("job_id")
@click.option("--json", "as_json", is_flag=True)
def status(job_id: str, as_json: bool) -> None:
    """Say where job JOB_ID stands: state, attempts, cost."""
    try:
        found = complete.AsyncResult(job_id).progress()
    except Unavailable:
        raise
    except JobError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        history = [each.details() for each in found.history]
        click.echo(json.dumps(found._asdict() | {"history": history}))
        return
    cost = costs.shown(found.cost_usd, found.estimated_usd)
    cost += f", possibly billed ${found.maybe_billed_usd:.6f}"
    click.echo(f"{found.state}: {found.attempts} attempts, {cost}")
    for each in found.history:
        click.echo(f"  {each}")


@click.command()
@click.argument("job_id")
def cancel(job_id: str) -> None:
    """Cancel job JOB_ID.

    A waiting one never runs; a running one has its call stopped and its cost kept.
    """
    try:
        state = complete.AsyncResult(job_id).cancel()
    except Unavailable:
        raise
    except JobError as error:
        raise click.ClickException(str(error)) from None
    if state == "missing":
        raise click.ClickException(
            f"the ledger has no job {job_id}: never submitted, or kept too long ago"
        )
    click.echo(state)
