"""A private fleet for the demo: Valkey, one real `celery worker`, Flower.

Everything ends with the `with` block.

Data and logs are in `.demo/`, which each run begins anew. The processes are tied to this one: even
`kill -9` of the demo leaves none behind (on Linux).
"""

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TextIO

from worker.commands.services import Service
from worker.embedded import EmbeddedValkey, free_port

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".demo"


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
        # The developer's own settings stay out of the demo, and so does their `.env`.
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LLM_", "CELERY_", "LEDGER_"))
        }
        self.settings = env | {"REDIS_URL": self.valkey.url()}
        self.env = clean | self.settings | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}
        flags = ["worker", "-n", "demo@%h", "-c", "8", "-l", "INFO"]
        self.worker = Service("worker", flags, self.env, FOLDER, cwd=FOLDER)
        flower = ["flower", "--address=127.0.0.1", f"--port={self.flower_port}"]
        with_login = self.env | {"FLOWER_BASIC_AUTH": self.flower_login}
        self.flower = Service("flower", flower, with_login, FOLDER, cwd=FOLDER)
        self._exits = ExitStack()

    @property
    def flower_url(self) -> str:
        return f"http://127.0.0.1:{self.flower_port}"

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self.valkey)
            starting.enter_context(self.worker)
            starting.enter_context(self.flower)
            self.worker.wait(lambda: " ready." in self.worker.text())
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
            command, env=self.env, cwd=FOLDER, check=True, capture_output=True, text=True
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
