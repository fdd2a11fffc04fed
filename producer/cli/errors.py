"""Errors as messages of a command, with exit code 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from ..contract.errors import JobError, Unavailable


@contextmanager
def job_errors_as_messages() -> Iterator[None]:
    """`Unavailable` passes through: `completions` itself has its message."""
    try:
        yield
    except Unavailable:
        raise
    except JobError as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from None
