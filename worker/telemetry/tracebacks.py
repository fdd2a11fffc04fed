"""Exceptions as the log may show them: where they came from and of which types.

What an exception says is shown if it is one of our own, which hold no key, prompt or answer. Others
quote what they fail at: pydantic and json the answer, HTTP clients a header, Redis its arguments.
"""

import os
import traceback
from collections.abc import Iterator, MutableMapping
from types import TracebackType
from typing import Any

from producer.contract.errors import JobError

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_BEFORE = __name__.removesuffix("worker.telemetry.tracebacks")
OURS = (f"{_BEFORE}producer.", f"{_BEFORE}worker.")


def outline(exc_info: ExcInfo) -> str:
    """The traceback of an exception and of those that led to it, the first one first."""
    parts = []
    for error in _chain(exc_info[1]):
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{named(error)}")
    return "\n\nand then\n\n".join(reversed(parts))


def named(error: BaseException) -> str:
    """The type, and what the exception says if that may be shown."""
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    if isinstance(error, JobError) or kind.__module__.startswith(OURS):
        return f"{name}: {error}"
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"{name}: {os.strerror(error.errno)}"
    return name


def unquoted(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: a line's text without what its exception says, which Celery and
    asyncio repeat in it.
    """
    exc_info = event.get("exc_info")
    if isinstance(exc_info, tuple) and exc_info[1]:
        text = str(event["event"])
        for error in _chain(exc_info[1]):
            for quoted in (repr(error), str(error)):
                if quoted and quoted in text:
                    text = text.replace(quoted, named(error))
        event["event"] = text
    return event


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, then what it was raised from or while handling."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or context
