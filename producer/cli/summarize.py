"""`completions summarize`: a folder of documents in, a summary of each out."""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from .. import documents
from ..batches import Batch, Item
from ..contract.completions import Completion
from ..contract.errors import OutcomeUnknown
from ..documents import Document
from ..summaries import STYLES, Estimate, estimate, summarize
from . import costs
from .bars import watch
from .errors import job_errors_as_messages
from .money import Dollars
from .out import check_file, check_folder, os_errors_as_messages


@click.command("summarize")
@click.argument("paths", nargs=-1, required=True)
@click.option("--user", required=True, help="Whose limits and budgets it counts against.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A .jsonl file, or a folder for one Markdown file each.",
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
    yes: bool,
    as_json: bool,
) -> None:
    """Summarise every document that PATHS name: files, folders, patterns, "-" for standard input.

    Before anything is paid: how many documents, calls and tokens, and what it costs at least and at
    most. Ctrl-C detaches; the same command again goes on. What was summarised before costs nothing.
    Exit codes: 0 all, 1 some failed, 3 not over yet.

    \b
    completions summarize reports/ --user alice --out summaries/ --style bullets --budget 2
    """
    if out:
        _check(out)
    options = {}
    if model:
        options["model"] = model
    stdin = ""
    if documents.STDIN in paths:
        stdin = sys.stdin.read()
    try:
        with job_errors_as_messages():
            files = list(documents.found(paths))
            batch_id, begun = _batch_id(files, stdin, user, style, max_words, language, model)
            if not yes and not begun:
                estimates = estimate(_read(files, stdin), user, style, **options)
                _confirm(_counted(estimates, len(files)), budget)
            label = f"summaries of {len(files)} documents"
            texts = _read(files, stdin)
            batch = summarize(
                texts, user, style, max_words, language, batch_id, label, budget, **options
            )
            _follow(batch, as_json, out)
    except KeyboardInterrupt:
        click.echo("\nStopped; what was submitted goes on. The same command continues", err=True)
        sys.exit(3)


def _check(out: Path) -> None:
    """Raises `click.ClickException` unless results can be written there."""
    if out.suffix == ".jsonl":
        check_file(out)
    else:
        check_folder(out)


def _read(files: list[str], stdin: str) -> Iterator[Document]:
    return (documents.read(path, stdin) for path in files)


def _batch_id(files: list[str], stdin: str, *options: object) -> tuple[str, bool]:
    """The id, and whether that batch has begun.

    The same unchanged files and options have the same id until that batch is over; then the next
    one of a series.
    """
    stats = [
        (path, Path(path).stat().st_mtime_ns, Path(path).stat().st_size)
        for path in files
        if path != documents.STDIN
    ]
    digest = hashlib.sha256(repr((stats, stdin, options)).encode()).hexdigest()[:12]
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


def _counted(estimates: Iterator[Estimate], count: int) -> Estimate:
    """The last of `estimates`, which is the sum of all. Shows on a terminal how far it is."""
    found = None
    for found in estimates:
        if sys.stderr.isatty():
            counted = f"{found.documents + found.wrong:,} of {count:,}"
            click.echo(f"\rcounting: {counted}", nl=False, err=True)
    if found is None:
        raise click.ClickException("there are no documents")
    return found


def _confirm(found: Estimate, budget: float | None) -> None:
    """Show what it would take, and end the command unless the answer is yes."""
    number = f"{found.documents:,} documents"
    if found.wrong:
        number += f" ({found.wrong:,} cannot be read and are reported)"
    click.echo(f"\r{number}, {found.calls:,} calls, {found.tokens:,} tokens", err=True)
    cost = f"about ${found.low_usd:.4f}, at most ${found.high_usd:.4f}, less what is cached"
    if budget is not None:
        cost += f"; it stops at ${budget:.4f}"
    click.echo(f"cost: {cost}", err=True)
    if found.left_usd is not None:
        left = f"${found.left_usd:.4f} today"
        if found.left_usd < found.high_usd:
            left += ", which may not be enough: what does not fit waits for tomorrow"
        click.echo(f"the budgets leave {left}", err=True)
    if found.documents and not click.confirm("Go on?", default=True, err=True):
        click.echo("Nothing was paid.", err=True)
        sys.exit(0)


def _follow(batch: Batch, as_json: bool, out: Path | None) -> None:
    try:
        last = watch(batch, as_json)
    except KeyboardInterrupt:
        click.echo(
            f"\nIt goes on. Look again with: completions batch watch {batch.id}, "
            "or the same command",
            err=True,
        )
        sys.exit(3)
    for item in batch.results():
        _show(item, out)
    summaries = f"{last.done:,} summaries ({last.cached:,} cached)"
    cost = costs.shown(last.cost_usd, last.estimated_usd, last.possibly_billed_usd)
    click.echo(f"{summaries}, {last.failed:,} failed, {cost}", err=True)
    if last.done != last.total:
        sys.exit(1)


def _show(item: Item, out: Path | None) -> None:
    """Write a summary, or say on standard error why there is none."""
    if out is not None and out.suffix == ".jsonl":
        _append(item, out)
    elif isinstance(item.outcome, Completion):
        _write(item, item.outcome.text, out)
    if not isinstance(item.outcome, Completion):
        click.echo(f"{item.name}: {item.outcome or item.state}", err=True)


def _append(item: Item, out: Path) -> None:
    """The first item overwrites what was in the file before."""
    mode = "a"
    if item.index == 0:
        mode = "w"
    with os_errors_as_messages(out), out.open(mode, encoding="utf-8") as file:
        file.write(json.dumps(_fields(item), ensure_ascii=False) + "\n")


def _write(item: Item, summary: str, folder: Path | None) -> None:
    """Into a file of its own; without a folder on standard output."""
    if folder is None:
        click.echo(f"# {item.name}\n\n{summary}\n")
        return
    name = re.sub(r"[^\w.-]+", "_", item.name)[-80:]
    file = folder / f"{item.index + 1:05}-{name}.md"
    with os_errors_as_messages(folder):
        file.write_text(f"{summary}\n", "utf-8")


def _fields(item: Item) -> dict[str, object]:
    fields: dict[str, object] = {"document": item.name, "state": item.state}
    if isinstance(item.outcome, Completion):
        answer = item.outcome
        return fields | {
            "summary": answer.text,
            "model": answer.model,
            "cost_usd": answer.cost_usd,
            "cost_basis": answer.cost_basis,
            "maybe_billed_usd": answer.maybe_billed_usd,
            "cached": answer.cached,
        }
    return fields | {"error": str(item.outcome or "not ended")}
