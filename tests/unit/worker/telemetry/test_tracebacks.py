"""What the log shows of exceptions: where they came from, and none of what they quote."""

import errno
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from producer.contract.errors import InvalidRequest
from worker.faults import Fault, ProviderError
from worker.telemetry import logs

SECRET = "the-secret-prompt"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(
    "logger", [logs.get_logger("ours"), logging.getLogger("theirs")], ids=["ours", "theirs"]
)
def test_exceptions_are_told_by_type_and_place(lines: Lines, logger: Any) -> None:
    """One string field. What the frames held stays out of it, and what was said by code that is not
    ours: it quotes what it fails at.
    """
    prompt = "-".join(["the", "secret", "prompt"])
    try:
        try:
            json.loads(f"[{prompt}]")
        except ValueError as error:
            raise LookupError(prompt) from error
    except LookupError:
        logger.exception("failed")
    (line,) = lines()
    assert line["exception"].startswith("Traceback")
    first, then = line["exception"].split("and then")
    assert "json.decoder.JSONDecodeError\n" in first
    assert then.endswith("LookupError")
    assert "test_tracebacks.py" in then
    assert SECRET not in json.dumps(line)


def test_what_our_own_exceptions_and_the_system_say_is_shown(lines: Lines) -> None:
    for error in (
        ProviderError(Fault.TIMEOUT, "no answer"),
        InvalidRequest("model: unknown"),
        ConnectionRefusedError(errno.ECONNREFUSED, SECRET),
    ):
        logging.getLogger("ours").error("failed", exc_info=error)
    assert [line["exception"].splitlines()[-1] for line in lines()] == [
        "worker.faults.ProviderError: timeout: no answer",
        "producer.contract.errors.InvalidRequest: model: unknown",
        "ConnectionRefusedError: Connection refused",
    ]


def test_a_line_that_repeats_what_its_exception_says_is_shortened(lines: Lines) -> None:
    """As Celery's line of a task that failed does, and asyncio's of one that nobody awaited."""
    error = ValueError(SECRET)
    logging.getLogger("celery").error("raised unexpected: %r", error, exc_info=error)
    logging.getLogger("asyncio").error("future: <exception=%s>", error, exc_info=error)
    assert [line["event"] for line in lines()] == [
        "raised unexpected: ValueError",
        "future: <exception=ValueError>",
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_fails_is_a_line(lines: Lines) -> None:
    def fail() -> None:
        raise ValueError(SECRET)

    thread = threading.Thread(target=fail, name="doomed")
    thread.start()
    thread.join()
    (line,) = lines()
    assert line["event"] == "the thread doomed failed"
    assert line["exception"].endswith("ValueError")
