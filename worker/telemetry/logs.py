"""One JSON object per line on stderr, from our loggers and all others.

Only this file imports structlog.
"""

import hmac
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.contextvars import (
    bind_contextvars,
    clear_contextvars,
    get_contextvars,
    merge_contextvars,
)
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import Processor

from producer.contract.requests import CompletionRequest

from .records import CallRecord, JobRecord
from .tracebacks import outline, unquoted

TRUNCATED = "TRUNCATED_RESPONSE: increase max_tokens or shorten the prompt"
"""The alert of a call that ended at max_tokens. Operators match on this text."""

TALKATIVE = (
    "openai",
    "anthropic",
    "google_genai",
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "aiohttp",
    "celery.pool",
    "pydantic_settings",
    "botocore",
    "google",
    "azure",
    "msal",
)
"""Loggers that print requests and answers, and so prompts and secrets, below WARNING."""

ECHOES = ("Task %(name)s[%(id)s] received", "Task %(name)s[%(id)s] succeeded")
"""Lines of Celery's that say what `job_ended` says; they are left out above DEBUG."""

_JSON = json.JSONEncoder(default=str)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True)

_SHARED: list[Processor] = [
    merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    _STAMP,
    unquoted,
    structlog.processors.ExceptionRenderer(outline),
]


class _Record:
    """What a line of ours says. structlog's way to it takes four times the CPU, and these are most
    of a worker's lines.
    """

    def __init__(self, event: str, fields: dict[str, Any]) -> None:
        self._event = event
        self._fields = fields

    def __str__(self) -> str:
        return self._event

    def line(self, record: logging.LogRecord) -> str:
        said = {**get_contextvars(), **self._fields, "event": self._event}
        said |= {"logger": record.name, "level": record.levelname.lower()}
        return _JSON.encode(_STAMP(None, "", said))


class _Formatter(ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.msg, _Record):
            return record.msg.line(record)
        return super().format(record)


class _Lines(logging.StreamHandler[TextIO]):
    """Where the lines go.

    A line that cannot be formatted is replaced by one that names its logger; the default would
    print plain text.
    """

    def handleError(self, record: logging.LogRecord) -> None:
        line = {
            "level": "error",
            "logger": record.name,
            "event": "a line could not be logged",
        }
        with suppress(Exception):  # the stream itself may be what fails
            self.stream.write(json.dumps(line) + self.terminator)
            self.flush()


class _File(_Lines, WatchedFileHandler):
    """A file that may be moved away: the next line begins another."""


def configure(
    level: str = "INFO", stream: TextIO | None = None, path: str | Path | None = None
) -> None:
    """Make every log line of this process, warnings included, one JSON object on `stream`.

    `level`: a logging level's name. `stream`: stderr unless given. `path`: a file that lines are
    appended to instead. Replaces the root logger's handlers, so it may be called again. Raises
    `OSError` if the file cannot be written.
    """
    handler: logging.Handler = _Lines(stream or sys.stderr)
    if path:
        handler = _File(path, encoding="utf-8")
    # Fields that libraries pass as `extra` are left out: Celery's hold task arguments.
    final: list[Processor] = [
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(default=str),
    ]
    handler.setFormatter(_Formatter(processors=final, foreign_pre_chain=_SHARED))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    if root.level > logging.DEBUG:
        handler.addFilter(lambda record: not str(record.msg).startswith(ECHOES))
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = (
        False  # no line has them
    )
    logging.captureWarnings(True)
    threading.excepthook = _thread_failed


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """In place of Python's own, which prints what the exception says."""
    if failed.exc_value:
        name = failed.thread.name if failed.thread else "unknown"
        logger.error("the thread %s failed", name, exc_info=failed.exc_value)


@contextmanager
def spared(what: str) -> Iterator[None]:
    """An error in here is logged, and costs no more than `what`: the answer is paid for."""
    try:
        yield
    except Exception:
        logger.exception("%s failed; the job goes on without", what)


def get_logger(name: str) -> BoundLogger:
    """A logger for events with fields: `log.info("job_parked", after_s=3)`.

    Silent below WARNING until `configure`. Bound to the standard library's logger, not to
    structlog's global settings: those print to stdout by default, in the middle of a command's
    output.
    """
    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=BoundLogger,
    )
    return logger


def bind_job(**fields: str | int | None) -> None:
    """Put `fields` on every line of this thread or task, also libraries', until `unbind_job`."""
    bind_contextvars(**fields)


def unbind_job() -> None:
    clear_contextvars()


def provider_call(record: CallRecord) -> None:
    """Write the line of a provider call: a warning if it failed or was cut. Never raises."""
    line = record.line() | {"alert": None}
    level = logging.INFO
    if record.error:
        level = logging.WARNING
    if record.finish_reason == "length":
        level = logging.WARNING
        line["alert"] = TRUNCATED
    _write(level, "provider_call", line)


def job_ended(record: JobRecord) -> None:
    """Write the line of a job's end: a warning if it failed. Never raises."""
    level = logging.INFO
    if record.error:
        level = logging.WARNING
    _write(level, "job_ended", record.line())


def _write(level: int, event: str, line: dict[str, Any]) -> None:
    """Never raises: the call that the line is about was paid for, and its job goes on."""
    try:
        if _calls.isEnabledFor(level):
            about = (_calls.name, level, "", 0, _Record(event, line), (), None)
            _calls.handle(_calls.makeRecord(*about))
    except Exception as error:  # noqa: BLE001 -- whatever it is
        name = type(error).__name__
        with suppress(Exception):
            logger.error("%s could not be logged: %s", event, name)


def stale_model_data(link: str, parameter: str) -> None:
    """Alert: the model catalog, or what is known of the server's dialect, is out of date.

    From now on this process leaves the parameter out, or sends it under its other name.
    """
    fix = (
        "left out from now on; name a file of corrections in LLM_MODELS_FILE, or the link's dialect"
    )
    _log.warning(
        "model_data",
        alert=f"STALE_MODEL_DATA: {link} refuses {parameter}: {fix}",
        link=link,
        parameter=parameter,
    )


def limit_ignored(link: str, asked: int, came: int) -> None:
    """Alert: a server answered with more tokens than it was asked for; no hold covers them."""
    fix = "set its max_tokens_field in LLM_LINK_<NAME>_OPTIONS"
    _log.warning(
        "max_tokens",
        alert=f"LIMIT_IGNORED: {link} sent {came:,} tokens for max_tokens={asked:,}: {fix}",
        link=link,
        max_tokens=asked,
        output_tokens=came,
    )


def wrong_usage(link: str, what: str) -> None:
    """Alert: a server stated a usage that no answer to the request can have taken."""
    fix = "ask its operator; the call's worst case stays booked as possibly billed"
    _log.warning("usage", alert=f"WRONG_USAGE: {link}: {what}: {fix}", link=link)


def audit_gap(job_id: str, what: str) -> None:
    """Alert: a job continued although the audit log did not take the result of its call."""
    _log.error(
        "audit",
        alert=f"AUDIT_GAP: the audit log lacks what was {what}: check LLM_AUDIT_URL",
        job_id=job_id,
    )


def prompt_hash(key: bytes, request: CompletionRequest) -> str:
    """HMAC-SHA-256 (hex) of the messages.

    Equal prompts have equal hashes, and without the key no guess can be tested. It is made over
    canonical JSON without fields at their default, so that a field added later leaves older hashes
    valid.
    """
    fields = request.model_dump(mode="json", include={"messages"}, exclude_defaults=True)
    canonical = _CANONICAL.encode(fields["messages"])
    return hmac.digest(key, canonical.encode(), "sha256").hex()


logger = logging.getLogger(__name__)
_calls = logging.getLogger("worker.calls")
_log = get_logger(_calls.name)
