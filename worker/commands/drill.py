"""`completions drill`: prove on a live system that the fallback works, before the day it must."""

import time

import click

from producer.contract.errors import JobError

from ..celery import app
from ..runtime import current


@click.command()
@click.option("--user", default="drill", show_default=True, help="Whose budget pays for it.")
@click.option(
    "--timeout", type=float, default=60.0, show_default=True, help="Seconds to wait for the answer."
)
def drill(user: str, timeout: float) -> None:
    """Send one small job that the chain's first link must not answer. Exit code 1 if no other link
    did.

    \b
    completions drill --user ops
    """
    runtime = current()
    runtime.ledger.redis.ping()  # a submission would be tried for a minute
    first = runtime.settings.links[0].name
    messages = [{"role": "user", "content": "Reply with the single word: ready"}]
    options = {"avoid": [first], "max_tokens": 256, "cache": "bypass", "deadline_s": timeout}
    try:
        job = app.tasks["completions.complete"].apply_async((messages, user), options)
        outcome = None
        end = time.monotonic() + timeout
        while outcome is None and time.monotonic() < end:
            outcome = runtime.jobs.outcome(job.id)
            time.sleep(0.1)
    except JobError as error:
        raise click.ClickException(str(error)) from None
    if outcome is None:
        raise click.ClickException(f"no answer within {timeout} s: is a worker running?")
    if isinstance(outcome, JobError):
        raise click.ClickException(f"the fallback failed: {type(outcome).__name__}: {outcome}")
    click.echo(
        f"{first} skipped; {outcome.provider}:{outcome.model} answered in {outcome.latency_ms} ms for ${outcome.cost_usd:.6f}"
    )
