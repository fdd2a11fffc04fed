"""`completions dead`: what failed for good, why, and once more."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from producer.contract.errors import InvalidRequest

from ..ledger.connection import connect
from ..ledger.dead_letters import DeadLetter, DeadLetters, LetterFilter
from ..settings import load_redis
from .releases import publish
from .servers import Server, UserName, answering, ledger_connection, operators_ledger


def _filtered(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--user", type=UserName(), help="Only this user's (* and ? match).")(
        command
    )
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
    with _dead_letters() as letters:
        found = letters.matching(LetterFilter(kind, user))
    if as_json:
        for letter in found:
            click.echo(json.dumps(_fields(letter)))
        return
    for letter in found:
        click.echo(_line(letter))
    if not found:
        click.echo("No dead letters.")


@dead.command()
@click.argument("job_id")
@click.option(
    "--request", "with_request", is_flag=True, help="The request too: it holds the prompt."
)
def show(job_id: str, with_request: bool) -> None:
    """Show one with its history."""
    with _dead_letters() as letters:
        letter = _one(letters, job_id)
        shown = _fields(letter)
        if with_request:
            shown["request"] = json.loads(letters.request_of(letter).request)
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
    with _dead_letters() as letters:
        wanted = _wanted(letters, job_ids, everything, kind, user)
        chosen = [letter for letter in wanted if again or not letter.replayed_as]
        for letter in chosen:
            try:
                job_id, publications = letters.replay(letter)
            except InvalidRequest as error:
                raise click.ClickException(str(error)) from None
            publish(publications)
            click.echo(f"{letter.job_id} -> {job_id}")
    click.echo(f"{len(chosen)} replayed.", err=True)


@dead.command()
@click.argument("job_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@_filtered
def drop(job_ids: tuple[str, ...], everything: bool, kind: str | None, user: str | None) -> None:
    """Forget them, requests and all."""
    with _dead_letters() as letters:
        chosen = _wanted(letters, job_ids, everything, kind, user)
        for letter in chosen:
            letters.drop(letter)
    click.echo(f"{len(chosen)} dropped.")


@dead.command()
def quarantine() -> None:
    """List broker entries that were no messages of ours: reason, size, hash; never what is in
    them.
    """
    settings = load_redis()
    url = settings.broker
    broker = connect(url)
    with answering(Server(broker, url, "REDIS_URL and CELERY_BROKER_URL")):
        notes = [json.loads(note) for note in broker.lrange(settings.names.quarantine, 0, -1)]
    for note in notes:
        digest = note["sha256"][:16]
        click.echo(f"{note['queue']}  {note['bytes']:,} bytes  sha256 {digest}  {note['reason']}")
    if not notes:
        click.echo("Nothing in quarantine.")


@contextmanager
def _dead_letters() -> Iterator[DeadLetters]:
    with ledger_connection() as connection:
        yield DeadLetters(connection.redis, connection.keys, operators_ledger(connection))


def _wanted(
    letters: DeadLetters,
    job_ids: tuple[str, ...],
    everything: bool,
    kind: str | None,
    user: str | None,
) -> list[DeadLetter]:
    """The letters that the command line names, in one way."""
    if sum((bool(job_ids), everything, bool(kind or user))) != 1:
        raise click.UsageError("say which: ids, or a filter (--kind, --user), or --all")
    if job_ids:
        return [_one(letters, job_id) for job_id in job_ids]
    return letters.matching(LetterFilter(kind, user))


def _one(letters: DeadLetters, job_id: str) -> DeadLetter:
    letter = letters.get(job_id)
    if letter is None:
        raise click.ClickException(
            f"no dead letter of job {job_id}: it did not fail, was expected to, or has aged out"
        )
    return letter


def _line(letter: DeadLetter) -> str:
    parts = [
        _time(letter.ended_ms),
        letter.job_id,
        letter.user_id,
        f"{letter.kind}: {letter.message}",
    ]
    if letter.replayed_as:
        parts.append(f"replayed as {letter.replayed_as}")
    return "  ".join(parts)


def _fields(letter: DeadLetter) -> dict[str, Any]:
    return {
        "job_id": letter.job_id,
        "user_id": letter.user_id,
        "lane": letter.lane,
        "kind": letter.kind,
        "message": letter.message,
        "attempts": letter.attempts,
        "unknown": letter.unknown,
        "tried": [each.details() for each in letter.tried],
        "submitted": _time(letter.submitted_ms),
        "ended": _time(letter.ended_ms),
        "replayed_as": letter.replayed_as or None,
    }


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
