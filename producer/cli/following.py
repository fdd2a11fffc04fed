"""A batch that a command follows to its end."""

import sys

import click

from ..batches import Batch
from ..filling import Filling
from ..ledger_replies import Progress
from .bars import watch
from .batch_out import JSONL, OPENAI, FailedLines, Results


def follow(
    found: Batch,
    as_json: bool,
    written: Results,
    failed: FailedLines | None = None,
    filling: Filling | None = None,
    expected: int = 0,
) -> None:
    """Watch it, write its results, and leave with the exit code of its end.

    `filling`: submits it meanwhile; `expected`: how many items it will have then.
    """
    try:
        last = _watched(found, as_json, filling, expected)
    except KeyboardInterrupt:
        tell_unsubmitted(found, expected)
        click.echo(
            f"\nThe batch goes on. Look again with: completions batch watch {found.id}", err=True
        )
        sys.exit(3)
    if not last.over:
        click.echo(
            "It was not submitted to its end. Go on with the command that began it", err=True
        )
        sys.exit(3)
    if written.is_asked_for:
        written.write(found.results(), form_of_label(last.label))
        click.echo(f"{last.ended:,} results in {written.place}", err=True)
        if failed and (count := failed.write(found.results())):
            click.echo(f"{count:,} failed requests in {failed.path}", err=True)
    elif last.failed:
        click.echo(f"{last.failed:,} failed. Why: completions batch results {found.id}", err=True)
    if last.done != last.total:
        sys.exit(1)


def _watched(found: Batch, as_json: bool, filling: Filling | None, expected: int) -> Progress:
    """Its last progress. Raises what goes wrong with its submission."""
    if filling is None:
        return watch(found, as_json)
    with filling:
        last = watch(
            found,
            as_json,
            lambda _: filling.check(),
            lambda: not filling.is_going_on,
            expected,
        )
        filling.finish()
    now = found.progress()
    if last.over and not now.over:  # with a larger budget some items are tried again
        return watch(found, as_json)
    return now if now.over else last


def tell_unsubmitted(found: Batch, expected: int) -> None:
    """How many requests are to come, if any."""
    left = expected - found.progress().submitted
    if left > 0:
        click.echo(
            f"\n{left:,} requests are not submitted yet. Go on with the same command", err=True
        )


def form_of_label(label: str) -> str:
    """`run` puts the form of the requests behind the file's name."""
    return OPENAI if label.endswith(f" {OPENAI}") else JSONL
