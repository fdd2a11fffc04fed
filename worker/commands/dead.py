"""`completions dead`: what failed for good, why, and once more."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import click

from producer.contract.names import COMPLETE, QUARANTINE

from ..celery import app
from ..ledger.connection import ERRORS, connect
from ..ledger.dead_letters import Chosen, DeadLetter, DeadLetters
from ..ledger.ledger import Ledger
from ..runtime import operator
from ..settings import LedgerSettings, load_redis

T = TypeVar("T")


def _letters() -> DeadLetters:
    ledger = operator()
    return DeadLetters(
        ledger.redis, ledger.keys, Ledger(ledger.redis, ledger.keys, LedgerSettings(), "operator")
    )


def _filtered(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--user", help="Only this user's (* and ? match).")(command)
    return click.option(
        "--kind", help="Only this error, for example ProvidersExhausted or 'Time*'."
    )(command)


@click.group()
def dead() -> None:
    """Failed jobs, kept with their request for LEDGER_DEAD_LETTER_SECONDS."""


@dead.command("list")
@_filtered
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_(kind: str | None, user: str | None, as_json: bool) -> None:
    """List them, newest first.

    \b
    completions dead list --kind ProvidersExhausted
    """
    found = _asked(lambda: _letters().chosen(Chosen(kind, user)))
    for letter in found:
        click.echo(json.dumps(_shown(letter)) if as_json else _line(letter))
    if not found and not as_json:
        click.echo("No dead letters.")


@dead.command()
@click.argument("job_id")
@click.option(
    "--request", "with_request", is_flag=True, help="The request too: it holds the prompt."
)
def show(job_id: str, with_request: bool) -> None:
    """Show one with its history."""
    letter = _one(job_id)
    shown = _shown(letter) | ({"request": json.loads(letter.request)} if with_request else {})
    click.echo(json.dumps(shown, indent=2))


@dead.command()
@click.argument("job_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--again", is_flag=True, help="Also those that were replayed before.")
@_filtered
def replay(
    job_ids: tuple[str, ...], everything: bool, again: bool, kind: str | None, user: str | None
) -> None:
    """Send requests again: each as a new job, linked to the old one and paid for anew.

    \b
    completions dead replay 1b9d6bcd-...
    completions dead replay --kind ProvidersExhausted
    """
    chosen = [
        letter
        for letter in _named(job_ids, everything, kind, user)
        if again or not letter.replayed_as
    ]
    letters = _letters()
    for letter in chosen:
        job_id, publications = _asked(partial(letters.replay, letter))
        app.tasks[COMPLETE].publish(publications)
        click.echo(f"{letter.job_id} -> {job_id}")
    click.echo(f"{len(chosen)} replayed.", err=True)


@dead.command()
@click.argument("job_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@_filtered
def drop(job_ids: tuple[str, ...], everything: bool, kind: str | None, user: str | None) -> None:
    """Forget them, requests and all."""
    chosen = _named(job_ids, everything, kind, user)
    letters = _letters()
    for letter in chosen:
        _asked(partial(letters.drop, letter))
    click.echo(f"{len(chosen)} dropped.")


@dead.command()
def quarantine() -> None:
    """List broker entries that were no messages of ours: reason, size, hash; never what is in them."""
    notes = [
        json.loads(note)
        for note in _asked(lambda: connect(load_redis().broker).lrange(QUARANTINE, 0, -1))
    ]
    for note in notes:
        click.echo(
            f"{note['queue']}  {note['bytes']:,} bytes  sha256 {note['sha256'][:16]}  {note['reason']}"
        )
    if not notes:
        click.echo("Nothing in quarantine.")


def _named(
    job_ids: tuple[str, ...], everything: bool, kind: str | None, user: str | None
) -> list[DeadLetter]:
    if sum((bool(job_ids), everything, bool(kind or user))) != 1:
        raise click.UsageError("say which: ids, or a filter (--kind, --user), or --all")
    return [_one(job_id) for job_id in job_ids] or _asked(
        lambda: _letters().chosen(Chosen(kind, user))
    )


def _one(job_id: str) -> DeadLetter:
    letter = _asked(lambda: _letters().get(job_id))
    if letter is None:
        raise click.ClickException(
            f"no dead letter of job {job_id}: it did not fail, was expected to, or has aged out"
        )
    return letter


def _asked(question: Callable[[], T]) -> T:
    try:
        return question()
    except ERRORS as error:
        raise click.ClickException(
            f"Redis does not answer ({type(error).__name__}). Fix: check REDIS_URL and LEDGER_URL"
        ) from None


def _line(letter: DeadLetter) -> str:
    again = f"  replayed as {letter.replayed_as}" if letter.replayed_as else ""
    return f"{_time(letter.ended_ms)}  {letter.job_id}  {letter.user_id}  {letter.kind}: {letter.message}{again}"


def _shown(letter: DeadLetter) -> dict[str, Any]:
    return {
        "job_id": letter.job_id,
        "user_id": letter.user_id,
        "lane": letter.lane,
        "kind": letter.kind,
        "message": letter.message,
        "attempts": letter.attempts,
        "unknown": letter.unknown,
        "tried": [{"link": link, "fault": fault} for link, fault in letter.tried],
        "submitted": _time(letter.submitted_ms),
        "ended": _time(letter.ended_ms),
        "replayed_as": letter.replayed_as or None,
    }


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
