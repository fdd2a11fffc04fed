"""Variables of a host's own Celery that Celery's command would take for ours.

Its options may be variables: -b is BROKER_URL, a worker's --queues is CELERY_WORKER_QUEUES. Where a
host has them for workers of its own, ours would get their broker, and flags that it refuses.
"""

import os
import posix
from collections.abc import Iterator

WRITTEN = {"BROKER_URL": "CELERY_BROKER_URL", "RESULT_BACKEND": "CELERY_RESULT_BACKEND"}
"""What Celery's command reads -> what it writes that to, whatever was there."""
FLAGS = "CELERY_WORKER_"

_flags: list[str] = []


def pass_over() -> None:
    """Before our settings are read, and before Celery reads a worker's flags."""
    for read, written in WRITTEN.items():
        if read in os.environ and os.environ.get(written) == os.environ[read]:
            del os.environ[written]
            given = posix.environ.get(written.encode())  # as this process was started with
            if given is not None:
                os.environ[written] = os.fsdecode(given)
    for name in [name for name in os.environ if name.startswith(FLAGS)]:
        del os.environ[name]
        _flags.append(name)


def warnings() -> Iterator[str]:
    for name in _flags:
        flag = name.removeprefix(FLAGS).lower().replace("_", "-")
        yield f"HOST_VARIABLE: {name} is passed over, as a host's own. Fix: --{flag}, if it is ours"
