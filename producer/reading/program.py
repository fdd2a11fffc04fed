"""The program of a child process that reads files: `files.py` asks it."""

import json
import os
from pathlib import PurePath

from producer.child import Limits, serve
from producer.reading import kinds, sense
from producer.reading.reading import NoDocument, Reading, Unreadable

MAX_CHARACTERS = 20_000_000
LIMITS = Limits(cpu_s=60.0, memory_bytes=1 << 30, reply_bytes=4 * MAX_CHARACTERS + 1_000_000)
"""Of one file."""
MAX_NAMED = 50
"""Things left out that are named; more are counted."""


def answered(kind: bytes, name: bytes, data: bytes) -> bytes:
    """A line of JSON about the file, and its text."""
    shown = PurePath(os.fsdecode(name)).name
    try:
        reading = _read(kinds.kind_of(data, shown), data)
        text, told = sense.checked(reading.text)
        if len(text) > MAX_CHARACTERS:
            raise Unreadable(f"{len(text):,} characters, at most {MAX_CHARACTERS:,}. Fix: split it")
        head = {"pages": reading.pages, "left_out": _some(reading.left_out + told)}
    except Unreadable as error:
        text, head = "", {"wrong": str(error), "skipped": isinstance(error, NoDocument)}
    except MemoryError:
        raise
    except BaseException as error:
        text, head = "", {"wrong": f"damaged: it cannot be read ({type(error).__name__})"}
    return json.dumps(head).encode() + b"\n" + text.encode("utf-8", "replace")


def _read(kind: str, data: bytes) -> Reading:
    """Readers are imported when they are needed: a library may take a while."""
    if kind == kinds.PDF:
        from producer.reading import pdf

        return pdf.read(data)
    if kind == kinds.PAGE:
        from producer.reading import page

        return page.read(data)
    if kind == kinds.MAIL:
        from producer.reading import mail

        return mail.read(data)
    if kind == kinds.NOTEBOOK:
        from producer.reading import notebook

        return notebook.read(data)
    if kind == kinds.TEXT:
        from producer.reading.text import decoded

        return Reading(*decoded(data))
    from producer.reading import office

    return office.read(data, kind)


def _some(left_out: list[str]) -> list[str]:
    if len(left_out) <= MAX_NAMED:
        return left_out
    return [*left_out[:MAX_NAMED], f"and {len(left_out) - MAX_NAMED:,} more"]


if __name__ == "__main__":
    serve(answered, LIMITS)
