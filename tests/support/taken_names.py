"""A project whose own modules have our names: `worker`, `producer` and `celeryconfig`."""

import os
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

from support.nodes import ROOT

FILES = {
    "worker/__init__.py": 'OWNER = "theirs"\n',
    "worker/tasks.py": 'OWNER = "theirs"\n',
    "producer/__init__.py": 'OWNER = "theirs"\n',
    "producer/events.py": 'OWNER = "theirs"\n',
    "celeryconfig.py": """
import os

broker_url = os.environ["THEIR_BROKER"]
result_backend = os.environ.get("THEIR_RESULTS", "cache+memory://")
task_serializer = "pickle"
accept_content = ["pickle"]
result_accept_content = ["json"]
task_always_eager = "EAGER" in os.environ
broker_transport_options = {"socket_timeout": 5}
task_default_queue = "theirs"
worker_concurrency = 1
""",
}


def make_project(folder: Path, **files: str) -> Path:
    """The three names, and further files by name with __ for /."""
    for name, text in (FILES | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def python(folder: Path, code: str, env: dict[str, str], timeout: float = 60) -> str:
    """What the code prints, run in the project's folder, whose modules come first."""
    path = os.pathsep.join([str(folder), str(ROOT)])
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), **env, "PYTHONPATH": path}
    command = [sys.executable, "-c", code]
    with Popen(command, cwd=folder, env=env, stdout=PIPE, stderr=STDOUT, text=True) as process:
        try:
            printed, _ = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0, printed
    return printed
