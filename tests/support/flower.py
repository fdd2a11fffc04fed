"""Flower as its users run it: a process over the worker's app, behind a password."""

import base64
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.ledger import until
from support.nodes import ROOT

from worker.embedded import free_port, tethered

LOGIN = "ops:correct-horse"


class Flower:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str, login: str | None = None) -> tuple[int, str]:
        """Status and text; status 0 without a listener."""
        request = urllib.request.Request(self.url + path)
        if login:
            request.add_header(
                "Authorization", "Basic " + base64.b64encode(login.encode()).decode()
            )
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_shown(self, run: Callable[[], Any]) -> None:
        """Until it shows a job of `run`'s as done.

        It sees only events after its start, so jobs are run until then.
        """
        seen: list[str] = []

        def shown() -> bool:
            seen.append(f"/api/task/info/{run().id}")
            return any('"SUCCESS"' in self.get(each, LOGIN)[1] for each in seen)

        until(shown, 60)


@contextmanager
def running(folder: Path, config: bool = True, **env: str) -> Iterator[Flower]:
    """It knows where Redis is and a password, and no provider's key. Its log is in `folder`.

    `config`: whether it finds `flowerconfig.py`.
    """
    port = free_port()
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "FLOWER_BASIC_AUTH": LOGIN} | env
    options = ["--address=127.0.0.1", f"--port={port}"]
    if config:
        options.append(f"--conf={ROOT / 'flowerconfig.py'}")
    command = [sys.executable, "-m", "celery", "-A", "worker", "flower", *options]
    with (folder / "flower.log").open("wb") as log:
        process = subprocess.Popen(
            tethered(command), cwd=folder, env=env, stdout=log, stderr=log, process_group=0
        )
    flower = Flower(port)
    try:
        until(lambda: process.poll() is not None or flower.get("/healthcheck")[0] == 200)
        assert process.poll() is None, (folder / "flower.log").read_text()
        yield flower
    finally:
        process.kill()
        process.wait()
