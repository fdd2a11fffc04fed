"""A worker under the short name `worker` needs that name, and `producer`, for itself.

In a project that has its own, `celery_completions` is the same without short names.
"""

import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

NAMES = ("worker", "producer", "celeryconfig")
OURS = ("worker/startup_checks.py", "producer/contract/names.py")
"""What a folder has from which our packages are imported."""
INSTEAD = "Fix: celery -A celery_completions worker, which needs none of these names"


def refuse_taken_names() -> None:
    """Only SystemExit stops Celery from here."""
    if __name__.partition(".")[0] != "worker":
        return
    taken = [f"- {name} is also {place}: not ours. {INSTEAD}" for name, place in _taken()]
    if taken:
        sys.exit("\n".join(["The worker cannot start:", *taken]))


def _taken() -> Iterator[tuple[str, str]]:
    """(name, file) of what is on the path under our names."""
    for folder in dict.fromkeys(Path(each or ".").absolute() for each in sys.path):
        if all((folder / each).exists() for each in OURS):
            continue
        for name in NAMES:
            found = PathFinder.find_spec(name, [str(folder)])
            if found and found.origin:
                yield name, found.origin
