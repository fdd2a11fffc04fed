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
from ..contract.errors import JobError, OutcomeUnknown, Unavailable
from ..documents import Document
from ..summaries import STYLES, Estimate, estimate, summarize
from .bars import watch
from .out import can_hold, can_hold_files, told


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
@click.option(
    "--budget", type=click.FloatRange(min=0), help="Dollars that all of it may cost at most."
)
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
        (can_hold if out.suffix == ".jsonl" else can_hold_files)(out)
    options = {"model": model} if model else {}
    stdin = sys.stdin.read() if documents.STDIN in paths else ""
    try:
        files = list(documents.found(paths))
        name = _name(files, stdin, user, style, max_words, language, model)
        if not yes and not _continued(name):
            _ask(estimate(_read(files, stdin), user, style, **options), len(files), budget)
        label = f"summaries of {len(files)} documents"
        batch = summarize(
            _read(files, stdin), user, style, max_words, language, name, label, budget, **options
        )
        _follow(batch, as_json, out)
    except Unavailable:
        raise
    except JobError as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from None
    except KeyboardInterrupt:
        click.echo("\nStopped; what was submitted goes on. The same command continues", err=True)
        sys.exit(3)


def _read(files: list[str], stdin: str) -> Iterator[Document]:
    return (documents.read(path, stdin) for path in files)


def _name(files: list[str], stdin: str, *more: object) -> str:
    """The same unchanged files and wishes are the same batch, unless that one is over: then the
    next of its kind.
    """
    stats = [
        (path, Path(path).stat().st_mtime_ns, Path(path).stat().st_size)
        for path in files
        if path != documents.STDIN
    ]
    digest = hashlib.sha256(repr((stats, stdin, more)).encode()).hexdigest()[:12]
    number = 1
    while _standing(f"summaries-{digest}-{number}") == "over":
        number += 1
    return f"summaries-{digest}-{number}"


def _standing(batch_id: str) -> str:
    try:
        return "over" if Batch(batch_id).progress().over else "running"
    except OutcomeUnknown:
        return ""


def _continued(name: str) -> bool:
    return _standing(name) == "running"


def _ask(estimates: Iterator[Estimate], count: int, budget: float | None) -> None:
    """Show what it would take, and go on only if somebody says so."""
    found = None
    for found in estimates:
        if sys.stderr.isatty():
            click.echo(
                f"\rcounting: {found.documents + found.wrong:,} of {count:,}", nl=False, err=True
            )
    if found is None:
        raise click.ClickException("there are no documents")
    wrong = f" ({found.wrong:,} cannot be read and are reported)" if found.wrong else ""
    click.echo(
        f"\r{found.documents:,} documents{wrong}, {found.calls:,} calls, {found.tokens:,} tokens",
        err=True,
    )
    cost = f"about ${found.low_usd:.4f}, at most ${found.high_usd:.4f}, less what is cached"
    click.echo(
        f"cost: {cost}" + (f"; it stops at ${budget:.4f}" if budget is not None else ""), err=True
    )
    if found.left_usd is not None:
        short = (
            ", which may not be enough: what does not fit waits for tomorrow"
            if found.left_usd < found.high_usd
            else ""
        )
        click.echo(f"the budgets leave ${found.left_usd:.4f} today{short}", err=True)
    if found.documents and not click.confirm("Go on?", default=True, err=True):
        click.echo("Nothing was paid.", err=True)
        sys.exit(0)


def _follow(batch: Batch, as_json: bool, out: Path | None) -> None:
    try:
        last = watch(batch, as_json)
    except KeyboardInterrupt:
        click.echo(
            f"\nIt goes on. Look again with: completions batch watch {batch.id}, or the same command",
            err=True,
        )
        sys.exit(3)
    for item in batch.results():
        _show(item, out)
    click.echo(
        f"{last.done:,} summaries ({last.cached:,} cached), {last.failed:,} failed, ${last.cost_usd:.6f}",
        err=True,
    )
    sys.exit(0 if last.done == last.total else 1)


def _show(item: Item, out: Path | None) -> None:
    answered = isinstance(item.outcome, Completion)
    if out is not None and out.suffix == ".jsonl":
        mode = "w" if item.index == 0 else "a"
        with told(out), out.open(mode, encoding="utf-8") as file:
            file.write(json.dumps(_line(item), ensure_ascii=False) + "\n")
    elif out is not None and isinstance(item.outcome, Completion):
        name = re.sub(r"[^\w.-]+", "_", item.name)[-80:]
        with told(out):
            (out / f"{item.index + 1:05}-{name}.md").write_text(item.outcome.text + "\n", "utf-8")
    elif isinstance(item.outcome, Completion):
        click.echo(f"# {item.name}\n\n{item.outcome.text}\n")
    if not answered:
        click.echo(f"{item.name}: {item.outcome or item.state}", err=True)


def _line(item: Item) -> dict[str, object]:
    told: dict[str, object] = {"document": item.name, "state": item.state}
    if isinstance(item.outcome, Completion):
        answer = item.outcome
        return told | {
            "summary": answer.text,
            "model": answer.model,
            "cost_usd": answer.cost_usd,
            "cached": answer.cached,
        }
    return told | {"error": str(item.outcome or "not ended")}
