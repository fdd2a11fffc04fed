"""Other users, who ask one question after another while something is done beside them.

They and their provider are processes of their own, so that nothing but the fleet is shared with
what is done: `python tests/support/neighbours.py URL MODEL {}` prints a line for each answer.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))  # when run as a program

from support.ledger import ask

from producer.contract.errors import Unavailable

USERS = 4
MODEL = "openai:gpt-4o-mini"
PLACE = Path(__file__).parent


class Provider:
    """Context manager. A wire server in a process of its own; each answer takes 0.1 s."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._log = folder / "neighbours.jsonl"
        self.base_url = f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> "Provider":
        options = ["--port", str(self._port), "--script", "ok;delay=0.1", "--log", str(self._log)]
        self._process = subprocess.Popen([sys.executable, str(PLACE / "wire.py"), *options])
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def calls(self) -> list[str]:
        """The job of each call that ended, in order; a job that was called twice is there twice."""
        lines = map(json.loads, self._log.read_text().splitlines())
        return [line["job_id"] for line in lines if line["ended"]]


class Neighbours:
    """Context manager. Each waits for an answer before the next question.

    `urls`: as of `producer.configure`, where broker or results are elsewhere.
    """

    def __init__(self, url: str, model: str, **urls: str) -> None:
        self._command = [sys.executable, __file__, url, model, json.dumps(urls)]
        self._since = 0
        self.times_s: list[float] = []
        self.jobs: list[str] = []
        self.errors: list[str] = []

    def __enter__(self) -> "Neighbours":
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._reader.join()
        with self._process:  # closes its pipes
            self._process.wait()

    def p95_s(self) -> float:
        """Of the answers since it was asked before."""
        recent = self.times_s[self._since :]
        self._since += len(recent)
        return statistics.quantiles(recent, n=20)[-1] if len(recent) > 1 else 0.0

    def answers(self) -> int:
        """How many there are; AssertionError if one of them is an error."""
        assert self.errors == []
        return len(self.times_s)

    def wait_for(self, answers: int) -> None:
        """Until there are so many more."""
        wanted = self.answers() + answers
        while self.answers() < wanted:
            time.sleep(0.02)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            job, seconds, error = json.loads(line)
            if error:
                self.errors.append(error)
            self.jobs.append(job)
            self.times_s.append(seconds)


def main() -> None:
    import producer

    url, model, urls = sys.argv[1:]
    producer.configure(url, **json.loads(urls))
    stop = threading.Event()
    users = [
        threading.Thread(target=_ask, args=(producer.complete, f"neighbour-{n}", model, stop))
        for n in range(USERS)
    ]
    for user in users:
        user.start()
    sys.stdin.read()
    stop.set()
    for user in users:
        user.join()


def _taken(complete: Any, text: str, user: str, model: str) -> Any:
    """The job, asked for again under its id while the ledger refuses."""
    options = {"model": model}
    job_id = None
    while True:
        try:
            return complete.apply_async((ask(text), user), options, task_id=job_id)
        except Unavailable as error:
            job_id = error.job_id
            time.sleep(0.1)


def _ask(complete: Any, user: str, model: str, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        began = time.monotonic()
        job_id = error = ""
        try:
            job = _taken(complete, f"{number} of {user}", user, model)
            job_id = job.id
            job.value(60)
        except Exception as failed:
            error = repr(failed)
        line = json.dumps([job_id, time.monotonic() - began, error]) + "\n"
        os.write(sys.stdout.fileno(), line.encode())  # whole, whichever thread writes as well


if __name__ == "__main__":
    main()
