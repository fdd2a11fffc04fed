"""Others that run the same bare call, each in an environment of its own under `.bench/`; so is a
web app with our base install.

Their exact versions are in `rivals/*.lock`; the environments are built when they are first needed
and can be deleted at any time. One that cannot be built is left out, and why is told.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from openai import AsyncOpenAI

from worker.embedded import free_port, tethered

from .cases import HERE, KB, Bare, text

ROOT = HERE.parents[1]
FILES = HERE / "rivals"
BUILD_S = 240


class LeftOut(Exception):
    """Why a case is not measured."""


def environment(name: str) -> Path:
    """Its folder of programs. LeftOut when it cannot be built."""
    lock = FILES / f"{name}.lock"
    place = ROOT / ".bench" / f"{name}-{sha256(lock.read_bytes()).hexdigest()[:12]}"
    done = place / "built"
    if not done.exists():
        shutil.rmtree(place, ignore_errors=True)
        uv = [sys.executable, "-m", "uv", "-q"]
        _build([*uv, "venv", "--python", sys.executable, str(place)], name)
        python = str(place / "bin/python")
        install = ["pip", "install", "--python", python, "--no-deps", "--require-hashes"]
        _build([*uv, *install, "-r", str(lock)], name)
        done.touch()
    return place / "bin"


def _build(command: list[str], name: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=BUILD_S)
    except subprocess.TimeoutExpired:
        raise LeftOut(f"{name} was not installed within {BUILD_S} s") from None
    except (OSError, subprocess.CalledProcessError) as error:
        told = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise LeftOut(f"{name} could not be installed: {told[-1] if told else error}") from None


class Rival(Bare):
    """A worker in its own environment, and a process of the same that sends."""

    program = ""
    arguments: tuple[str, ...] = ()

    def __init__(self, stack: ExitStack, folder: Path, url: str, slots: int = 200) -> None:
        self.bin, self._places = environment(self.program), slots
        super().__init__(stack, folder, url, slots)
        self._stack = stack

    def command(self, of_celery: list[str], slots: int) -> list[str]:
        return [str(self.bin / self.program), *self.arguments]

    def settings(self, url: str) -> dict[str, str]:
        own = {"PYTHONPATH": str(FILES), "BENCH_TEXT": KB, "BENCH_SLOTS": str(self._places)}
        return super().settings(url) | own

    def start(self) -> None:
        super().start()
        command = [str(self.bin / "python"), str(FILES / f"{self.program}_app.py")]
        with (self.folder / "sender.log").open("ab") as log:
            self._sender = subprocess.Popen(
                tethered(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.worker.env,
                text=True,
            )
        self._stack.callback(self._sender.wait)
        self._stack.callback(self._sender.kill)

    def send(self, first: int, jobs: int) -> None:
        self._sender.stdin.write(f"{first} {jobs}\n")
        self._sender.stdin.flush()
        assert self._sender.stdout.readline(), f"{self.program}'s sender has ended"


class Taskiq(Rival):
    program = "taskiq"
    arguments = ("worker", "taskiq_app:broker", "--workers", "1", "--max-async-tasks", "200")
    ready = "Listening started."


class Arq(Rival):
    program = "arq"
    arguments = ("arq_app.WorkerSettings",)
    ready = "Starting worker"

    def ended(self) -> int:
        """It keeps a job in its queue until it has ended."""
        return self._sent - int(self.redis.zcard("arq:queue"))


class LiteLLM(Rival):
    """Its proxy, asked by a client with 200 calls at once. It has no queue and no server."""

    program = "litellm"
    ready = "Uvicorn running"

    def command(self, of_celery: list[str], slots: int) -> list[str]:
        self._port = free_port()
        where = ["--host", "127.0.0.1", "--port", str(self._port), "--num_workers", "1"]
        return [
            str(self.bin / "litellm"),
            "--config",
            str(FILES / "litellm.yaml"),
            *where,
        ]

    def settings(self, url: str) -> dict[str, str]:
        return super().settings(url) | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    def start(self) -> None:
        Bare.start(self)
        self._answered = 0

    def send(self, first: int, jobs: int) -> None:
        asyncio.run(self._ask(range(first, first + jobs)))

    async def _ask(self, numbers: range) -> None:
        places = asyncio.Semaphore(self._places)
        async with AsyncOpenAI(
            api_key="k", base_url=f"http://127.0.0.1:{self._port}/v1", max_retries=0, timeout=120
        ) as client:

            async def ask(number: int) -> None:
                async with places:
                    await client.chat.completions.create(
                        model="gpt-4o-mini", messages=text(number), max_tokens=50
                    )
                self._answered += 1

            await asyncio.gather(*map(ask, numbers))

    def ended(self) -> int:
        return self._answered


RIVALS: dict[str, Callable[..., Rival]] = {"taskiq": Taskiq, "arq": Arq, "LiteLLM's proxy": LiteLLM}
