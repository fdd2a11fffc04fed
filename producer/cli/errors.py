"""Errors as messages of a command, with exit code 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from ..contract.errors import JobError, Unavailable
from ..contract.identifiers import visible


@contextmanager
def job_errors_as_messages() -> Iterator[None]:
    """`Unavailable` passes through: `completions` itself has its message."""
    try:
        yield
    except Unavailable:
        raise
    except JobError as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from None


def named_failure(name: str, reason: str) -> str:
    """One line that begins with the name of what failed."""
    shown = visible(reason, keep="")
    return shown if shown.startswith(f"{name}: ") else f"{name}: {shown}"
