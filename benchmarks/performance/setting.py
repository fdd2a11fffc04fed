"""Where the parts run: a folder, a provider, how many rounds, and who is told of the progress."""

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from .cases import Provider


class Progress:
    """A line on a terminal that is written over; elsewhere one line for each part."""

    def __init__(self, parts: int) -> None:
        self._began, self._parts, self._number = time.monotonic(), parts, 0
        self._part = ""
        self._terminal = sys.stderr.isatty()

    def part(self, name: str) -> None:
        self._number += 1
        self._part = name
        self._write("", lasting=True)

    def step(self, what: str) -> None:
        self._write(f": {what}", lasting=False)

    def end(self) -> None:
        if self._terminal:
            print(file=sys.stderr)

    def _write(self, what: str, lasting: bool) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        done = "#" * self._number + "." * (self._parts - self._number)
        line = f"[{done}] {minutes}:{seconds:02} {self._part}{what}"
        if self._terminal:
            print(f"\r\033[K{line[: os.get_terminal_size(2).columns - 1]}", end="", file=sys.stderr)
        elif lasting:
            print(line, file=sys.stderr, flush=True)


@dataclass
class Setting:
    """`quick`: sizes that show that all works, and whose figures say little."""

    folder: Path
    provider: Provider
    rounds: int = 3
    quick: bool = False
    progress: Progress = field(default_factory=lambda: Progress(1))

    def size(self, full: int, quick: int) -> int:
        if self.quick:
            return quick
        return full

    def step(self, case: str, number: int) -> None:
        self.progress.step(f"round {number + 1} of {self.rounds}, {case}")
