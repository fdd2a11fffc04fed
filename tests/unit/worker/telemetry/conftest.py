"""Configured logging, whose lines can be read."""

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from worker.telemetry import logs

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Configured logging; calling it gives every line so far, parsed."""
    root = logging.getLogger()
    level = root.level
    levels = {name: logging.getLogger(name).level for name in logs.TALKATIVE}
    stream = io.StringIO()
    hook = threading.excepthook
    logs.configure("DEBUG", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.unbind_job()
    threading.excepthook = hook
    logging.captureWarnings(False)
    root.handlers[:] = []
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
