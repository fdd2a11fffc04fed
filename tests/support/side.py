"""This project as it was at some commit, as if it was installed: its workers, and web processes
that use it. Server and provider are today's.
"""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from redis import Redis
from support.ledger import until
from support.nodes import DEFAULT_ENV, WorkerProcess
from support.wire import WireServer

from worker.embedded import EmbeddedValkey, tethered

PRELUDE = """
import sys, time
from producer import complete, configure, errors

def ask(text):
    return [{"role": "user", "content": text}]

def ended(wait):
    started = time.monotonic()
    try:
        wait()
        return "answered"
    except Exception as error:
        module = type(error).__module__.partition(".")[0]
        return f"{module}.{type(error).__name__}"

def counted(ends):
    return ", ".join(f"{ends.count(each)} {each}" for each in sorted(set(ends)))
"""
WIRED = {"LLM_CHAIN": "openai:gpt-4o-mini", "OPENAI_API_KEY": "sk-secret-key"}


class Side:
    """Context manager: a server and a provider of its own, and a folder in which all run."""

    def __init__(self, root: Path, options: tuple[str, ...] = ()) -> None:
        self.root = root
        self._options = options
        self._started = 0

    def __enter__(self) -> "Side":
        self._stack = ExitStack()
        self.folder = Path(mkdtemp())
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.installed = self._install()
        self.wire = self._stack.enter_context(WireServer())
        self.valkey = self.server(*self._options)
        self.url = self.valkey.url()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _install(self) -> Path:
        """All that a wheel of it has."""
        place = self.folder / "site-packages"
        place.mkdir()
        names = ["producer", "worker", "celery_completions"]
        if 'py-modules = ["celeryconfig"]' in (self.root / "pyproject.toml").read_text():
            names.append("celeryconfig.py")
        for name in names:
            if (self.root / name).exists():
                (place / name).symlink_to(self.root / name)
        return place

    def server(self, *options: str) -> EmbeddedValkey:
        self._started += 1
        made = EmbeddedValkey(self.folder / f"valkey{self._started}", options=options)
        return self._stack.enter_context(made)

    def redis(self, url: str = "") -> "Redis[str]":
        return self._stack.enter_context(Redis.from_url(url or self.url, decode_responses=True))

    def write(self, **files: str) -> None:
        """Into the folder, by name without `.py`."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".py").write_text(text)

    def worker(
        self,
        *flags: str,
        pool: str = "threads",
        slots: int = 4,
        app: str | None = "worker",
        wired: bool = False,
        ready: bool = True,
        **env: str | None,
    ) -> WorkerProcess:
        """`app`: Celery's -A, None without it. `wired`: asks the provider instead of a simulator.
        `ready`: waits until it is, or ends. None as a variable's value takes it away.
        """
        self._started += 1
        chain = WIRED | {"OPENAI_BASE_URL": self.wire.base_url} if wired else DEFAULT_ENV
        every: dict[str, Any] = {"REDIS_URL": self.url, "LLM_BACKOFF_SECONDS": "0.05", **chain}
        told = {name: text for name, text in (every | env).items() if text is not None}
        name = f"w{self._started}"
        made = WorkerProcess(told, pool, slots, name, self.folder / f"{name}.log", app or "")
        made.env["PYTHONPATH"] = str(self.installed)
        if app is None:
            made.command[3:5] = []
        made.command += flags
        self._stack.callback(made.kill)
        made.start()
        if ready:
            until(lambda: " ready." in made.log() or not made.pid, 60)
        return made

    def web(self, code: str, **env: str) -> subprocess.Popen[str]:
        """A process with `complete` that runs the code; `said` reads what it prints."""
        every = {"PATH": os.environ["PATH"], "REDIS_URL": self.url}
        every["PYTHONPATH"] = str(self.installed)
        command = tethered([sys.executable, "-c", PRELUDE + code])
        made = subprocess.Popen(
            command,
            cwd=self.folder,
            env=every | env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._stack.callback(made.kill)
        return made

    def said(self, code: str, **env: str) -> str:
        """The last line that a web process prints."""
        printed, _ = self.web(code, **env).communicate(timeout=150)
        return (printed.strip().splitlines() or [""])[-1]
