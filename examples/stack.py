"""A private fleet for the demo: Valkey, one real `celery worker`, Flower.

Everything ends with the `with` block.

Data and logs are in `.demo/`, which each run begins anew. The processes are tied to this one: even
`kill -9` of the demo leaves none behind (on Linux).
"""

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self, TextIO

from worker.embedded import EmbeddedValkey, free_port, tethered

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".demo"
START_S = 40.0
STOP_S = 15.0


class Service:
    """One `celery` process with its log in `.demo/<name>.log`."""

    def __init__(self, name: str, arguments: list[str], env: dict[str, str]) -> None:
        self.name = name
        self.log = FOLDER / f"{name}.log"
        self._command = [sys.executable, "-m", "celery", "-A", "worker", *arguments]
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            # A group of its own: Ctrl-C reaches the demo alone, which stops its services in order.
            self._process = subprocess.Popen(
                tethered(self._command),
                cwd=ROOT,
                env=self._env,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def wait(self, ready: Callable[[], bool]) -> None:
        """Until `ready()`. Exits with the end of its log if it ends instead, or takes too long."""
        give_up = time.monotonic() + START_S
        while not ready():
            if self.ended() or time.monotonic() > give_up:
                why = "ended" if self.ended() else f"is not ready after {START_S:.0f} s"
                log = self.log.read_text(errors="replace")
                sys.exit(f"{self.name} {why}; {self.log} says:\n{log[-2000:]}")
            time.sleep(0.05)


class Stack:
    """`with Stack(env) as stack:` starts everything and waits until it is ready.

    `env`: settings of the worker.
    """

    def __init__(self, env: dict[str, str]) -> None:
        FOLDER.mkdir(exist_ok=True)
        self._lock = _only_one()
        shutil.rmtree(FOLDER / "valkey", ignore_errors=True)
        self.valkey = EmbeddedValkey(FOLDER / "valkey")
        self.flower_port = free_port()
        self.flower_login = f"demo:{secrets.token_urlsafe(9)}"
        # The developer's own settings stay out of the demo.
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LLM_", "CELERY_", "LEDGER_"))
        }
        self.settings = env | {"REDIS_URL": self.valkey.url()}
        self.env = clean | self.settings | {"PYTHONUNBUFFERED": "1"}
        self.worker = Service(
            "worker", ["worker", "-n", "demo@%h", "-c", "8", "-l", "INFO"], self.env
        )
        flower = ["flower", "--address=127.0.0.1", f"--port={self.flower_port}"]
        self.flower = Service("flower", flower, self.env | {"FLOWER_BASIC_AUTH": self.flower_login})
        self._exits = ExitStack()

    @property
    def flower_url(self) -> str:
        return f"http://127.0.0.1:{self.flower_port}"

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self.valkey)
            starting.enter_context(self.worker)
            starting.enter_context(self.flower)
            self.worker.wait(lambda: " ready." in self.worker.log.read_text(errors="replace"))
            self.flower.wait(self._flower_answers)
            self._exits = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()
        self._lock.close()

    def completions(self, *arguments: str) -> str:
        """What the `completions` command prints."""
        command = [str(Path(sys.executable).with_name("completions")), *arguments]
        return subprocess.run(
            command, env=self.env, cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout

    def _flower_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.flower_url}/healthcheck", timeout=1) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _only_one() -> TextIO:
    """The folder's lock; it goes with the process."""
    lock = (FOLDER / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("A demo is running in this folder already. Fix: end it with Ctrl-C first")
    return lock
