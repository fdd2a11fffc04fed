"""`completions erase`: forget a user (the right to erasure)."""

import time
from typing import Any

import click

from producer.contract.names import COMPLETE

from ..celery import app
from ..erasure import Erased, Erasure
from ..ledger.connection import ERRORS, connect
from ..ledger.ledger import Ledger
from ..runtime import operator
from ..settings import LedgerSettings, load_redis
from .audit import Reason, trail_or_none, who

PATIENCE_S = 60.0
"""How long it waits for running calls to be stopped."""
AGAIN_S = 1.0


@click.command()
@click.argument("user")
@click.option(
    "--reason",
    type=Reason(),
    required=True,
    help="Why, for example a ticket; kept in the audit log, if there is one.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(user: str, reason: str, yes: bool) -> None:
    """Forget USER: jobs, answers, cached answers, dead letters, batches, limits and the audit log.
    It cannot be undone.

    What still waits or runs is cancelled. What USER spent stays in the sums, under no name. Logs
    are yours to clean: they hold no prompt, but the name. Exit code 1: something was still running,
    repeat it.

    \b
    completions erase user-17 --reason "request of 2026-11-25"
    """
    yes or click.confirm(f"Forget everything of {user}?", abort=True)
    try:
        erased = _until_done(user, reason)
    except ERRORS as error:
        raise click.ClickException(
            f"Redis does not answer ({type(error).__name__}): not all is forgotten. "
            "Fix: check LEDGER_URL, CELERY_RESULT_BACKEND and LLM_AUDIT_URL, then repeat"
        ) from None
    click.echo(
        f"Forgotten: {erased.jobs:,} jobs, {erased.cached:,} cached answers, {erased.batches:,} batches, "
        f"{erased.audited:,} jobs in the audit log; {erased.usage_rows:,} rows of usage have no name now."
    )
    if erased.unfinished:
        raise click.ClickException(
            f"{erased.unfinished:,} jobs or batches have not ended yet. Fix: repeat in a minute"
        )


def _until_done(user: str, reason: str) -> Erased:
    """Pass after pass, while calls are being stopped; noted first in the audit log, if there is
    one.
    """
    ledger, redis, trail = operator(), load_redis(), trail_or_none()
    if trail:
        trail.note_erasure(user, who(), reason, ledger.hash_key())
    jobs = Ledger(ledger.redis, ledger.keys, LedgerSettings(), "operator")
    erasure = Erasure(ledger.redis, ledger.keys, jobs, connect(redis.backend), trail)
    total, give_up = Erased(), time.monotonic() + PATIENCE_S
    while True:
        found = _pass(erasure.run(user), ledger.redis.dbsize())
        for name in ("jobs", "cached", "batches", "usage_rows", "audited"):
            setattr(total, name, getattr(total, name) + getattr(found, name))
        total.unfinished = found.unfinished
        if not found.unfinished or time.monotonic() > give_up:
            return total
        time.sleep(AGAIN_S)


def _pass(pages: Any, keys: Any) -> Erased:
    erased, seen = Erased(), 0
    with click.progressbar(length=int(keys), label="looking") as bar:
        for erased, publications in pages:
            app.tasks[COMPLETE].publish(publications)
            bar.update(erased.looked_at - seen)
            seen = erased.looked_at
    return erased
