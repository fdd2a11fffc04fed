"""`completions batch`: many requests under one name."""

import dataclasses
import hashlib
import json
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from ..batches import RETENTION_S, Batch, recent
from ..contract.identifiers import visible
from ..filling import Asked, Filling, opened
from ..request_files import NAMED, RequestFile
from .bars import line
from .batch_out import JSONL, OPENAI, FailedLines, Results, refuse_same_file, wrong_lines
from .errors import job_errors_as_messages
from .following import follow, form_of_label, tell_unsubmitted
from .money import Dollars

LEAST = 8
"""Requests that may be in the ledger at once, however large they are."""


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        with job_errors_as_messages():
            return super().invoke(ctx)


@click.group(cls=_Group)
def batch() -> None:
    """Many requests under one name, run in the batch lane, with results at any time.

    Exit codes: 0 all answered, 1 some failed or an error, 3 not over yet (it goes on).

    \b
    completions batch run requests.jsonl --user alice --budget 5 --out results.jsonl
    completions batch watch ID
    """


@batch.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--user", required=True, help="Whose limits and budgets it counts against.")
@click.option(
    "--id",
    "batch_id",
    help="Default: made from the file and the user, so that running it again goes on.",
)
@click.option("--prompt", default="", help='About each row of a table: "Classify: {text}".')
@click.option("--model", help="A link, model or alias for every request; wins over the file's.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="For requests that do not say.")
@click.option("--budget", type=Dollars(), help="Dollars that the whole batch may cost at most.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Where to write the results when it is over: .jsonl, .csv or .parquet.",
)
@click.option("--detach", is_flag=True, help="Submit, print the id, and leave.")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines on standard output.")
def run(
    file: str,
    user: str,
    batch_id: str | None,
    prompt: str,
    model: str | None,
    max_tokens: int | None,
    budget: float | None,
    out: Path | None,
    detach: bool,
    as_json: bool,
) -> None:
    """Run the requests of FILE ("-" for standard input), one JSON object a line.

    Each has `complete`'s arguments, or the form of OpenAI's Batch API. A JSON array, UTF-16 and
    packed files are read, too; of CSV and Parquet each row is put into --prompt. Ctrl-C detaches;
    the batch goes on. The same command again watches it, or finishes submitting it; --budget is
    then the new one. Requests that fail are written beside --out, to be run again.

    \b
    {"messages": [{"role": "user", "content": "Name a broker"}], "name": "q1"}
    {"custom_id": "q1", "method": "POST", "url": "/v1/chat/completions", "body": {...}}
    """
    written = Results(out)
    asked = _opened(file, prompt)
    failed = FailedLines.beside(asked, written.out)
    refuse_same_file((written.out, failed.path), file)
    written.check()
    form = OPENAI if asked.is_openai else JSONL
    label = f"{visible(asked.name, keep='')} {form}"
    name = batch_id or _batch_id(asked, user, model, max_tokens)
    options: dict[str, Any] = {}
    if max_tokens:
        options["max_tokens"] = max_tokens
    opening = (name, user, label, budget, RETENTION_S, options)
    least = math.inf if detach else LEAST
    requests = map(Asked, _with_model(asked, model))
    filling = Filling(opened(*opening, on_full=_tell_full), requests, _tell_full, least)
    if not detach:
        click.echo(name, err=True)
        follow(filling.batch, as_json, written, failed, filling, asked.count)
        return
    try:
        with filling:
            filling.finish()
    except KeyboardInterrupt:
        tell_unsubmitted(filling.batch, asked.count)
        sys.exit(3)
    click.echo(name)


def _tell_full(reason: str) -> None:
    click.echo(f"{reason}. Requests wait here until there is room", err=True)


@batch.command("watch")
@click.argument("batch_id")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Where to write the results when it is over.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines on standard output.")
def watch_(batch_id: str, out: Path | None, as_json: bool) -> None:
    """Watch BATCH_ID until it is over. Ctrl-C leaves; the batch goes on."""
    written = Results(out)
    written.check()
    follow(Batch(batch_id), as_json, written)


@batch.command()
@click.argument("batch_id")
@click.option("--json", "as_json", is_flag=True)
def status(batch_id: str, as_json: bool) -> None:
    """Say where BATCH_ID stands."""
    found = Batch(batch_id).progress()
    text = line(found)
    if as_json:
        text = json.dumps(dataclasses.asdict(found))
    click.echo(text)


@batch.command()
@click.argument("batch_id")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Default: standard output.",
)
@click.option(
    "--order", type=click.Choice(["input", "completed"]), default="input", show_default=True
)
@click.option(
    "--form", type=click.Choice([JSONL, OPENAI]), help="Default: as the requests were given."
)
def results(batch_id: str, out: Path | None, order: str, form: str | None) -> None:
    """Write what has ended of BATCH_ID, at any time, one JSON object a line."""
    written = Results(out)
    found = Batch(batch_id)
    form = form or form_of_label(found.progress().label)
    written.write(found.results(order), form)  # type: ignore[arg-type]


@batch.command()
@click.argument("batch_id")
def pause(batch_id: str) -> None:
    """Let what runs of BATCH_ID end, and begin nothing more."""
    click.echo(Batch(batch_id).pause())


@batch.command()
@click.argument("batch_id")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on standard output.")
def resume(batch_id: str, as_json: bool) -> None:
    """Go on with BATCH_ID, and watch it."""
    found = Batch(batch_id)
    found.resume()
    follow(found, as_json, Results(None))


@batch.command()
@click.argument("batch_id")
def cancel(batch_id: str) -> None:
    """End BATCH_ID: nothing more begins, running calls are stopped, results stay."""
    click.echo(Batch(batch_id).cancel())


@batch.command("retry-failed")
@click.argument("batch_id")
def retry_failed(batch_id: str) -> None:
    """Try every failed or cancelled item of BATCH_ID again."""
    click.echo(f"{Batch(batch_id).retry_failed():,} items are tried again")


@batch.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
def list_(limit: int) -> None:
    """List the latest batches."""
    known = recent(limit)
    for each in known:
        click.echo(line(each))
    if not known:
        click.echo("No batches.")


def _with_model(items: Iterable[dict[str, Any]], model: str | None) -> Iterator[dict[str, Any]]:
    """`model` wins over the file's."""
    for item in items:
        if model and "wrong" not in item:
            item["model"] = model
        yield item


def _opened(file: str, prompt: str) -> RequestFile:
    """The file, its wrong lines told."""
    try:
        asked = RequestFile(file, prompt)
    except OSError as error:
        raise click.ClickException(f"{file}: cannot be read ({error.strerror})") from None
    for each in wrong_lines(asked, NAMED):
        click.echo(each, err=True)
    return asked


def _batch_id(asked: RequestFile, *more: object) -> str:
    """The same for the same requests and options."""
    digest = hashlib.sha256(repr((asked.fingerprint, more)).encode())
    return f"{asked.slug}-{digest.hexdigest()[:12]}"
