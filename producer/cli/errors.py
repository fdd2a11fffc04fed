"""Errors as messages of a command, with exit code 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from .. import extras
from ..contract.errors import JobError, Unavailable
from ..contract.identifiers import visible
from ..redis_trouble import described, refusal_of
from ..redis_url import RedisUrl

NO_WORKER = "no worker is alive"
"""What the ledger says a job waits for."""


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


def trouble(reason: str) -> str:
    """What a job waits for, with what helps a person at this machine."""
    if reason != NO_WORKER:
        return reason
    return f"{reason}. Fix: in another terminal, celery -A worker worker, or {own_fleet()}"


def away(url: str, error: BaseException) -> str:
    """A ledger that does not answer; one that should be on this machine can be started here."""
    text = described(url, error)
    if refusal_of(error) or not RedisUrl.parse(url).address.startswith(
        ("127.0.0.1:", "localhost:")
    ):
        return text
    return f"{text}\nTo have a private one here: {own_fleet()}, in another terminal"


def own_fleet() -> str:
    if "embedded" in extras.missing():
        return f"{extras.install('embedded')} and completions up"
    return "completions up"
