"""Celery processes that belong to another one, which starts them, shows them and ends them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from ..embedded import tethered

START_S = 40.0
LAST_LINES = 2_000
"""Characters of a log that are shown."""


class Service:
    """One `celery` process with its log in `folder`/NAME.log.

    It does not outlive its owner, even if that is killed (on Linux).
    """

    def __init__(
        self,
        name: str,
        arguments: list[str],
        env: Mapping[str, str],
        folder: Path,
        stop_s: float = 15.0,
        cwd: Path | None = None,
    ) -> None:
        """`stop_s`: after SIGTERM it has so many seconds to end. `cwd`: None for the owner's."""
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = [sys.executable, "-m", "celery", "-A", "celery_completions", *arguments]
        self._env = env
        self._stop_s = stop_s
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            # A group of its own: Ctrl-C reaches the owner alone, which stops its services in order.
            self._process = subprocess.Popen(  # noqa: S603 -- a command of ours
                tethered(self._command),
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        return self

    def __exit__(self, *_: object) -> None:
        """A warm stop; after `stop_s`, or at a Ctrl-C, it is killed."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            self._process.wait(self._stop_s)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def text(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def wait(self, ready: Callable[[], bool]) -> None:
        """Until `ready()`. Exits with the end of its log if it ends instead, or takes too long."""
        give_up = time.monotonic() + START_S
        while not ready():
            if self.ended:
                self.fail("ended")
            if time.monotonic() > give_up:
                self.fail(f"is not ready after {START_S:.0f} s")
            time.sleep(0.05)

    def fail(self, why: str) -> None:
        """Exit with the end of its log."""
        sys.exit(f"{self.name} {why}; {self.log} says:\n{self.text()[-LAST_LINES:]}")
