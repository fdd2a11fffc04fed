"""A Celery app of a project's own, with a worker, beside ours: `THEIRS` is its module."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.nodes import DEFAULT_ENV, WorkerProcess
from support.taken_names import make_project, python

THEIRS = """
import producer, worker

from celery import Celery

from celery_completions import complete, integrate

assert producer.OWNER == worker.OWNER == "theirs"
app = Celery("theirs")
app.config_from_object("celeryconfig")
integrate(app)


@app.task
def question(word):
    return [{"role": "user", "content": f"SECRET {word}"}]


@app.task
def shout(answer):
    return answer["text"].upper()


@app.task
def count(answers):
    return [answer if isinstance(answer, int) else len(answer["text"]) for answer in answers]


@app.task
def seven():
    return 7


@app.task(bind=True)
def replaced(self, word):
    return self.replace(complete.si(question(word), "ann"))
"""

PRELUDE = """
import json
from celery import Celery, chain, chord, group
from celery.beat import Scheduler
from celery_completions import complete, errors
from theirs import app, count, question, replaced, seven, shout

def ask(word):
    return [{"role": "user", "content": f"HIDDEN {word}"}]

told = {}
"""


class Host:
    """Their project, and the workers of both in its folder."""

    def __init__(self, folder: Path, env: dict[str, str], **files: str) -> None:
        self.folder = make_project(folder, **{"theirs.py": THEIRS} | files)
        self.env = env
        self.ours = self._worker("celery_completions", "ours", "threads")
        self.theirs = self._worker("theirs", "theirs", "solo")

    def told(self, code: str, **env: str) -> dict[str, Any]:
        """What a web process of theirs notes in `told`."""
        text = f"{PRELUDE}{code}\nprint(json.dumps(told))"
        printed = python(self.folder, text, self.env | env)
        (line,) = [each for each in printed.splitlines() if each.startswith("{")]
        return dict(json.loads(line))

    def _worker(self, app: str, name: str, pool: str) -> WorkerProcess:
        env = {**DEFAULT_ENV, **self.env, "C_FORCE_ROOT": "1"}  # Celery's word for pickle as root
        return WorkerProcess(env, pool, 4, name, self.folder / f"{name}.log", app)


@contextmanager
def host(folder: Path, env: dict[str, str], **files: str) -> Iterator[Host]:
    """With both workers ready."""
    made = Host(folder, env, **files)
    workers = (made.ours, made.theirs)
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.wait_ready()
        yield made
    finally:
        for worker in workers:
            worker.kill()
