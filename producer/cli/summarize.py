"""`completions summarize`: a folder of documents in, a summary of each out."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..batches import Batch
from ..contract.errors import OutcomeUnknown
from ..documents import MAX_BYTES, STDIN, Choice, Found, found, shown_name
from ..filling import Filling
from ..summaries import STYLES, estimate, summarize
from . import costs
from .bars import watch
from .errors import job_errors_as_messages
from .money import Dollars
from .out import Out
from .outlook import Waits, agree, counted
from .reading import Documents
from .summary_files import Summaries, refuse_documents_in


@click.command("summarize")
@click.argument("paths", nargs=-1, required=True)
@click.option("--user", required=True, help="Whose limits and budgets it counts against.")
@click.option(
    "--out",
    type=Out(),
    help="A .jsonl, .csv, .md or .parquet file, or a folder for one Markdown file each.",
)
@click.option(
    "--style",
    default="abstract",
    show_default=True,
    help=f"{', '.join(STYLES)}, or a prompt of your own.",
)
@click.option("--max-words", type=click.IntRange(min=1), help="Of each summary.")
@click.option("--language", help="Of the summaries; default: each document's own.")
@click.option("--budget", type=Dollars(), help="Dollars that all of it may cost at most.")
@click.option("--model", help="A link, model or alias of the chain.")
@click.option("--include", multiple=True, help="Only files that match, as in .gitignore.")
@click.option("--exclude", multiple=True, help="No files that match, as in .gitignore.")
@click.option("--follow-links", is_flag=True, help="Also where links in folders lead.")
@click.option("--list", "as_list", is_flag=True, help="Say what would be read, and stop.")
@click.option(
    "--pictures", is_flag=True, help="Send pages of PDFs without text as pictures (the model sees)."
)
@click.option("--strict", is_flag=True, help="Fail a document of which anything is left out.")
@click.option("--yes", is_flag=True, help="Do not count and ask first.")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines on standard output.")
def summarize_(
    paths: tuple[str, ...],
    user: str,
    out: Path | None,
    style: str,
    max_words: int | None,
    language: str | None,
    budget: float | None,
    model: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    follow_links: bool,
    as_list: bool,
    pictures: bool,
    strict: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Summarise every document that PATHS name: files, folders, patterns, "-" for standard input.

    Before anything is paid: how many documents, calls and tokens, and what it costs at least and at
    most. Ctrl-C detaches; the same command again goes on. What was summarised before costs nothing.
    Of folders, what is hidden, named in .gitignore or no document is skipped, and told. Exit codes:
    0 all, 1 some failed, 3 not over yet.

    \b
    completions summarize reports/ --user alice --out summaries/ --style bullets --budget 2
    """
    if not style.strip():
        raise click.BadParameter("is empty", param_hint="--style")
    summaries = Summaries(out)
    choice = Choice(include, exclude, follow_links, str(out or ""))
    options: dict[str, Any] = {}
    if model:
        options["model"] = model
    asked = (user, style, max_words, language, model, strict, pictures)
    with _before_anything_is_paid(), job_errors_as_messages():
        documents = _documents(paths, choice, strict, pictures)
        if as_list:
            sys.exit(1 if documents.show() else 0)
        refuse_documents_in(out, documents)
        summaries.check()
        batch_id, begun = _batch_id(documents, *asked)
        if not yes and not begun:
            estimates = estimate(documents, user, style, _tell_full, Waits(), **options)
            agree(counted(estimates, len(documents.taken)), documents, budget)
            batch_id, _ = _batch_id(documents, *asked)
    label = f"summaries of {len(documents.taken)} documents"
    words = (style, max_words, language)
    begin = partial(summarize.begin, documents, user, *words, batch_id, label, budget)
    try:
        with job_errors_as_messages():
            _follow(begin(_tell_full, **options), as_json, summaries, documents)
    except KeyboardInterrupt:
        click.echo("\nStopped; what was submitted goes on. The same command continues", err=True)
        sys.exit(3)


@contextmanager
def _before_anything_is_paid() -> Iterator[None]:
    """Ctrl-C inside the block leaves nothing behind."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nStopped. Nothing was paid", err=True)
        sys.exit(1)


def _documents(
    paths: tuple[str, ...], choice: Choice, strict: bool, as_pictures: bool
) -> Documents:
    """What `paths` name. Raises `click.ClickException` if one names nothing, or nothing is left."""
    files = list(found(paths, choice))
    for each in files:
        if each.wrong and not each.folder and not os.path.lexists(each.path):
            raise click.ClickException(f"{shown_name(each.path)!r}: {each.wrong}")
    stdin = b""
    if STDIN in paths and sys.stdin is not None:
        stdin = sys.stdin.buffer.read(MAX_BYTES + 1)
    documents = Documents(files, stdin, choice.follow_links, strict, as_pictures)
    if not documents.taken:
        documents.skipped = {shown_name(each.path): each.skipped for each in files}
        documents.tell_skipped()
        raise click.ClickException("there are no documents. Fix: name others")
    return documents


def _batch_id(documents: Documents, *options: object) -> tuple[str, bool]:
    """The id, and whether that batch has begun.

    The same unchanged files and options have the same id until that batch is over; then the next
    one of a series.
    """
    stats = [*map(_state, documents.taken), *documents.without]
    digest = hashlib.sha256(repr((stats, documents.stdin, options)).encode()).hexdigest()[:12]
    number = 0
    while True:
        number += 1
        batch_id = f"summaries-{digest}-{number}"
        try:
            over = Batch(batch_id).progress().over
        except OutcomeUnknown:
            return batch_id, False
        if not over:
            return batch_id, True


def _state(each: Found) -> tuple[object, ...]:
    """What changes with the file."""
    if each.path == STDIN:
        return (each.path,)
    try:
        status = os.stat(each.path)
    except (OSError, ValueError):
        return (each.path, each.wrong)
    return each.path, status.st_mtime_ns, status.st_size


def _tell_full(reason: str) -> None:
    click.echo(f"{reason}. Documents wait here until there is room", err=True)


def _follow(filling: Filling, as_json: bool, summaries: Summaries, documents: Documents) -> None:
    """Watch it and write what ends; leave with the exit code of its end."""
    batch = filling.batch
    count = documents.count
    try:
        with filling:
            add = partial(summaries.add, documents=documents)
            last = watch(batch, as_json, add, lambda: not filling.is_going_on, count)
            filling.wait()
    except KeyboardInterrupt:
        summaries.leave()
        left = count - batch.progress().submitted
        if left > 0:
            click.echo(f"\n{left:,} documents are not submitted yet", err=True)
        click.echo(
            f"\nIt goes on. Look again with: completions batch watch {batch.id}, "
            "or the same command",
            err=True,
        )
        sys.exit(3)
    documents.tell_left_out()
    documents.tell_skipped()
    done = f"{last.done:,} summaries ({last.cached:,} cached)"
    cost = costs.shown(last.cost_usd, last.estimated_usd, last.possibly_billed_usd)
    click.echo(f"{done}, {last.failed:,} failed, {cost}", err=True)
    summaries.finish(batch.results(), documents)
    filling.finish()
    if last.total == 0:
        raise click.ClickException("there are no documents. Fix: name others")
    if last.done != last.total:
        sys.exit(1 if last.over else 3)
