"""One JSON object per line on stderr, from our loggers and everybody else's. Only this file imports
structlog.
"""

import hashlib
import hmac
import json
import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import Processor

from producer.contract.requests import CompletionRequest

from .records import CallRecord, JobRecord

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

_SHARED: list[Processor] = [
    merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # Plain traceback text: no local variables, they hold prompts and keys.
    structlog.processors.format_exc_info,
]


class _Lines(logging.StreamHandler[TextIO]):
    """Where the lines go. A line that cannot be formatted or written is counted; the default would
    print plain text.
    """

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:
        _Lines.lost += 1


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Make every log line of this process, warnings included, one JSON object on `stream` (stderr
    unless given).

    Replaces the root logger's handlers, so it may be called again. `level` is a logging level's
    name.
    """
    handler = _Lines(stream or sys.stderr)
    # Fields that libraries pass as `extra` are left out: Celery's hold task arguments.
    final: list[Processor] = [
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(default=str),
    ]
    handler.setFormatter(ProcessorFormatter(processors=final, foreign_pre_chain=_SHARED))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


def get_logger(name: str) -> BoundLogger:
    """A logger for events with fields: `log.info("job_parked", after_s=3)`. Silent below WARNING
    until `configure`.

    Bound to the standard library's logger, not to structlog's global settings: those print to
    stdout by default, in the middle of a command's output.
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
    """Put `fields` on every line of this thread or task, libraries' lines too, until `unbind_job`."""
    bind_contextvars(**fields)


def unbind_job() -> None:
    clear_contextvars()


def provider_call(record: CallRecord) -> None:
    """Write the one line of a provider call; a warning if it failed or was cut short. Never raises."""
    alert = TRUNCATED if record.finish_reason == "length" else None
    _write(
        logging.WARNING if record.error or alert else logging.INFO,
        "provider_call",
        record.line() | {"alert": alert},
    )


def job_ended(record: JobRecord) -> None:
    """Write the one line of a job's end; a warning if it failed. Never raises."""
    _write(logging.WARNING if record.error else logging.INFO, "job_ended", record.line())


def _write(level: int, event: str, line: dict[str, Any]) -> None:
    try:
        _log.log(level, event, **line)
    except Exception:  # noqa: BLE001 - whatever is wrong with a line, the call it tells of was paid for and goes on
        _Lines.lost += 1


def stale_model_data(link: str, parameter: str) -> None:
    """Alert: what we believe of a model is no longer so; this process leaves the parameter out from
    now on.
    """
    fix = "correct worker/model_catalog.toml, or name a file of corrections in LLM_MODELS_FILE"
    _log.warning(
        "model_data",
        alert=f"STALE_MODEL_DATA: {link} refuses {parameter}: {fix}",
        link=link,
        parameter=parameter,
    )


def audit_gap(job_id: str, what: str) -> None:
    """Alert: a job went on although the audit log did not take what came of its call."""
    _log.error(
        "audit",
        alert=f"AUDIT_GAP: the audit log lacks what was {what}: check LLM_AUDIT_URL",
        job_id=job_id,
    )


def lost_lines() -> int:
    """How many lines this process failed to write."""
    return _Lines.lost


def prompt_hash(key: bytes, request: CompletionRequest) -> str:
    """HMAC-SHA-256 (hex) of the messages: equal prompts look equal, and nobody without the key can
    test a guess.

    Over canonical JSON without fields at their default, so that a field added later leaves older
    hashes valid.
    """
    messages = request.model_dump(mode="json", include={"messages"}, exclude_defaults=True)[
        "messages"
    ]
    canonical = json.dumps(messages, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


_log = get_logger("worker.calls")
