"""What commands write to a terminal: control sequences in it are made visible.

An answer, a file's name or an error may hold what clears the screen, changes the title or turns the
direction of writing. What is redirected to a file or a pipe stays as it is, in UTF-8.
"""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

import click

from ..contract.identifiers import visible

_OF_OUTPUT = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
STDOUT = 1


class _Visible:
    """A stream to a terminal, whatever is written to it."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        self._terminal.write(visible(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._terminal, name)


@contextmanager
def visible_output() -> Iterator[None]:
    """Inside the block standard output and standard error are safe if they are terminals.

    `sys.__stdout__` and `sys.__stderr__` are for what we draw ourselves.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_safe, before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _safe(stream: TextIO) -> TextIO:
    """Signs that a terminal's encoding does not have, and halves of signs, are shown as \\uXXXX."""
    if stream is None:
        return stream
    is_terminal = stream.isatty()
    if isinstance(stream, io.TextIOWrapper):
        encoding = stream.encoding if is_terminal else "utf-8"
        stream.reconfigure(encoding=encoding, errors="backslashreplace")
    return cast(TextIO, _Visible(stream)) if is_terminal else stream


@contextmanager
def output_errors_as_messages() -> Iterator[None]:
    """A full disk or a closed pipe behind standard output is one line."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in _OF_OUTPUT:
            raise
        # What is still in the buffer goes nowhere, instead of failing again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
        raise click.ClickException(
            f"standard output cannot be written: {error.strerror}. Fix: the same command again"
        ) from None
