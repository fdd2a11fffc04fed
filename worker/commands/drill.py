"""`completions drill`: prove on a live system that the fallback works, before the day it must."""

import time
import uuid

import click

from producer.contract.errors import JobError
from producer.contract.outcome import Outcome
from producer.contract.submission import Submission

from ..ledger.ledger import Ledger
from ..settings import ChainSettings, ModelSettings, load
from .releases import publish
from .servers import UserName, ledger_connection, operators_ledger

PAUSE_S = 0.1
QUESTION = [{"role": "user", "content": "Reply with the single word: ready"}]


@click.command()
@click.option(
    "--user", type=UserName(), default="drill", show_default=True, help="Whose budget pays for it."
)
@click.option(
    "--timeout", type=float, default=60.0, show_default=True, help="Seconds to wait for the answer."
)
def drill(user: str, timeout: float) -> None:
    """Send one small job that the chain's first link must not answer. Exit code 1 if no other link
    did.

    \b
    completions drill --user ops
    """
    first, *others = _links()
    if not others:
        raise click.ClickException(
            f"{first} is the only link of LLM_CHAIN: there is no fallback. Fix: add a second one"
        )
    options = {"avoid": [first], "max_tokens": 256, "cache": "bypass", "deadline_s": timeout}
    try:
        submission = Submission.from_call(str(uuid.uuid4()), (QUESTION, user), options, {})
    except JobError as error:
        raise click.ClickException(str(error)) from None
    with ledger_connection() as connection:
        ledger = operators_ledger(connection)
        _, _, publications = ledger.submit(submission)
        publish(publications)
        outcome = _outcome(ledger, submission.job_id, timeout)
    if outcome is None:
        raise click.ClickException(f"no answer within {timeout} s: is a worker running?")
    if isinstance(outcome, JobError):
        raise click.ClickException(f"the fallback failed: {type(outcome).__name__}: {outcome}")
    click.echo(
        f"{first} skipped; {outcome.provider}:{outcome.model} answered "
        f"in {outcome.latency_ms} ms for ${outcome.cost_usd:.6f}"
    )


def _links() -> list[str]:
    """Of the chain in the settings; no provider's key is needed for that."""
    links = load(ChainSettings).links(load(ModelSettings).known)
    if not links:
        raise click.ClickException("LLM_CHAIN names no link")
    return [f"{provider}:{model}" for provider, model in links]


def _outcome(ledger: Ledger, job_id: str, timeout_s: float) -> Outcome | None:
    """How the job ended; None if it has not in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        outcome = ledger.outcome(job_id)
        if outcome is not None:
            return outcome
        time.sleep(PAUSE_S)
    return None
