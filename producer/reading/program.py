"""The program of a child process that reads files: `files.py` asks it."""

import json
import os
from pathlib import PurePath

from producer.child import Limits, serve
from producer.reading import kinds, sense
from producer.reading.reading import Attached, NoDocument, Reading, Unreadable

AS_PICTURES = b"P"
"""The kind of a question for a file whose pages without text are drawn; other questions want text.
"""
MAX_CHARACTERS = 20_000_000
LIMITS = Limits(cpu_s=60.0, memory_bytes=1 << 30, reply_bytes=4 * MAX_CHARACTERS + 1_000_000)
"""Of one file."""
MAX_DEPTH = 5
"""Of messages in messages."""
MAX_ATTACHED = 100
"""Of one file."""
MAX_NAME = 200
MAX_NAMED = 50
"""Things left out that are named; more are counted."""


def answered(kind: bytes, name: bytes, data: bytes) -> bytes:
    """A line of JSON about the file, and its text."""
    shown = PurePath(os.fsdecode(name)).name
    try:
        reading = _whole(shown, data, as_pictures=kind == AS_PICTURES)
        text = reading.text
        if len(text) > MAX_CHARACTERS:
            raise Unreadable(f"{len(text):,} characters, at most {MAX_CHARACTERS:,}. Fix: split it")
        head = {
            "pages": reading.pages,
            "left_out": _some(reading.left_out),
            "pictures": reading.pictures,
        }
    except Unreadable as error:
        text, head = "", {"wrong": str(error), "skipped": isinstance(error, NoDocument)}
    except MemoryError:
        raise
    except BaseException as error:
        text, head = "", {"wrong": f"damaged: it cannot be read ({type(error).__name__})"}
    return json.dumps(head).encode() + b"\n" + text.encode("utf-8", "replace")


def _whole(name: str, data: bytes, depth: int = 0, as_pictures: bool = False) -> Reading:
    """A file and, behind its own text, the files in it: a mail's attachments, a PDF's."""
    reading = _read(kinds.kind_of(data, name), data, as_pictures)
    attached = reading.attached[:MAX_ATTACHED]
    if depth == MAX_DEPTH:
        attached = []
    if reading.text or not (attached or reading.pictures):
        reading.text, told = sense.checked(reading.text)
        reading.left_out += told
    for each in attached:
        _add(each, depth + 1, reading)
    if others := reading.attached[len(attached) :]:
        reading.left_out.append(f"{len(others):,} attachments, {others[0].name} the first")
    if not reading.text and not reading.pictures:
        raise Unreadable(f"nothing in it can be read: {'; '.join(_some(reading.left_out))}")
    return reading


def _add(attached: Attached, depth: int, reading: Reading) -> None:
    name = " ".join(attached.name.split())[:MAX_NAME]
    try:
        found = _whole(name, attached.data, depth)
    except Unreadable as error:
        reading.left_out.append(f"attachment {name}: {error}")
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        reading.left_out.append(f"attachment {name}: damaged ({type(error).__name__})")
    else:
        reading.text += f"\n\nAttachment {name}:\n\n{found.text}"
        reading.left_out += [f"attachment {name}: {each}" for each in found.left_out]


def _read(kind: str, data: bytes, as_pictures: bool) -> Reading:
    """Readers are imported when they are needed: a library may take a while."""
    if kind == kinds.PDF:
        from producer.reading import pdf

        return pdf.read(data, as_pictures)
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
