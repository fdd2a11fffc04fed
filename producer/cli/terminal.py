"""What commands write to a terminal: control sequences in it are made visible.

An answer, a file's name or an error may hold what clears the screen, changes the title or turns the
direction of writing. What is redirected to a file or a pipe stays as it is.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from ..contract.identifiers import visible


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
    if stream is not None and stream.isatty():
        return cast(TextIO, _Visible(stream))
    return stream
