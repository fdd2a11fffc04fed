"""docs/with-celery.md: the project of each section is written down and run as it says, with its
workers, beside modules of our short names.
"""

import contextlib
import re
import shlex
import sys

import pytest
from support.nodes import DEFAULT_ENV, ROOT, WorkerProcess
from support.taken_names import make_project, python

PAGE = (ROOT / "docs/with-celery.md").read_text()
BLOCK = re.compile(r"<!-- (file|run): (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)


def section(name):
    """(way, name, text) of each block below a heading."""
    _, _, text = PAGE.partition(f"\n## {name}\n")
    return BLOCK.findall(text.partition("\n## ")[0])


@pytest.mark.faults
@pytest.mark.parametrize("name", ["Flask", "Django", "FastAPI"])
def test_a_project_runs(name, redis_url, tmp_path):
    blocks = section(name)
    files = {path: text for way, path, text in blocks if way == "file"}
    folder = make_project(tmp_path, **files)
    (services,) = [text for _, way, text in blocks if way == "services"]
    (code,) = [text for _, way, text in blocks if way == "project"]
    env = {**DEFAULT_ENV, "REDIS_URL": redis_url}
    workers = []
    with contextlib.ExitStack() as stack:
        for number, line in enumerate(services.splitlines()):
            celery, *arguments = shlex.split(line)
            assert celery == "celery"
            worker = WorkerProcess(env, log_path=folder / f"{number}.log")
            worker.command = [sys.executable, "-m", "celery", *arguments, "-n", f"w{number}"]
            worker.command += ["-l", "INFO"]
            stack.callback(worker.kill)
            worker.start()
            workers.append(worker)
        for worker in workers:
            worker.wait_ready()
        python(folder, code, env)
        ours, *theirs = [worker.log() for worker in workers]
    assert "What is" not in ours
    assert all("Traceback" not in log and "unregistered" not in log for log in [ours, *theirs])
