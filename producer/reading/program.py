"""The program of a child process that reads files: `files.py` asks it."""

import json
import os
from pathlib import PurePath

from producer.child import Limits, serve
from producer.extras import needs
from producer.reading import kinds, sense
from producer.reading.reading import Attached, Binary, NoDocument, Reading, Unreadable

_SHOWN = {
    kinds.PDF: "PDF",
    kinds.PAGE: "HTML",
    kinds.MAIL: "mail",
    kinds.NOTEBOOK: "a notebook",
    kinds.TEXT: "text that is not UTF-8",
    kinds.JSON: "JSON that is not UTF-8",
}
"""Kind -> what of it needs a library. Others say it themselves."""
TEXT = b"F"
"""The kind of a question for the text of a file."""
PICTURES = b"P"
"""The same, but pages without text are drawn: the file's name is behind how many bytes of them."""
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
    """A line of JSON about the file and the documents in it, and their texts."""
    most = 0
    if kind == PICTURES:
        number, _, name = name.partition(b" ")
        most = int(number)
    shown = PurePath(os.fsdecode(name)).name
    try:
        reading = _whole(shown, data, picture_bytes=most)
        found = {"": reading} | reading.within
        texts = [each.text.encode("utf-8", "replace") for each in found.values()]
        count = sum(len(each.text) for each in found.values())
        if count > MAX_CHARACTERS:
            raise Unreadable(f"{count:,} characters, at most {MAX_CHARACTERS:,}. Fix: split it")
        head = [
            {
                "name": name,
                "bytes": len(text),
                "pages": each.pages,
                "left_out": _some(each.left_out),
                "pictures": each.pictures,
            }
            for (name, each), text in zip(found.items(), texts, strict=True)
        ]
    except Unreadable as error:
        return _refused(str(error), isinstance(error, NoDocument))
    except MemoryError:
        raise
    except BaseException as error:
        return _refused(f"damaged: it cannot be read ({type(error).__name__})", False)
    return json.dumps(head).encode() + b"\n" + b"".join(texts)


def _refused(reason: str, is_none: bool) -> bytes:
    return json.dumps({"wrong": reason, "skipped": is_none}).encode() + b"\n"


def _whole(name: str, data: bytes, depth: int = 0, picture_bytes: int = 0) -> Reading:
    """A file, and the files in it: a mail's attachments, a PDF's."""
    try:
        reading = _read(kinds.kind_of(data, name), data, picture_bytes)
    except Binary:
        if PurePath(name).suffix.lower() in kinds.TEXTS.split():
            raise
        raise NoDocument("no document but binary data") from None
    attached = reading.attached[:MAX_ATTACHED]
    if depth == MAX_DEPTH:
        attached = []
    if reading.text or not (attached or reading.pictures):
        reading.text, told = sense.checked(reading.text)
        reading.left_out += told
    for each in attached:
        _add(each, depth + 1, reading, picture_bytes)
    if others := reading.attached[len(attached) :]:
        reading.left_out.append(f"{len(others):,} attachments, {others[0].name} the first")
    if not (reading.text or reading.pictures or reading.within):
        raise Unreadable(f"nothing in it can be read: {'; '.join(_some(reading.left_out))}")
    return reading


def _add(attached: Attached, depth: int, reading: Reading, picture_bytes: int) -> None:
    name = " ".join(attached.name.replace("/", "_").split())[-MAX_NAME:]
    try:
        most = 0 if attached.is_shown else picture_bytes
        found = _whole("" if attached.is_text else name, attached.data, depth, most)
    except Unreadable as error:
        reading.left_out.append(f"attachment {name}: {error}")
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        reading.left_out.append(f"attachment {name}: damaged ({type(error).__name__})")
    else:
        _put(found, name, attached.is_shown, reading)


def _put(found: Reading, name: str, is_shown: bool, reading: Reading) -> None:
    """Documents in a file that is shown are the outer one's."""
    within = found.within
    found.within = {}
    if is_shown:
        reading.text += f"\n\nAttachment {name}:\n\n{found.text}"
        reading.left_out += [f"attachment {name}: {each}" for each in found.left_out]
    else:
        name = _unused(name, reading)
        reading.within[name] = found
        within = {f"{name}/{inner}": each for inner, each in within.items()}
    for inner, each in within.items():
        reading.within[_unused(inner, reading)] = each


def _unused(name: str, reading: Reading) -> str:
    """The name, with a number if there is another such file in it."""
    path = PurePath(name)
    number = 1
    while name in reading.within:
        number += 1
        name = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
    return name


def _read(kind: str, data: bytes, picture_bytes: int) -> Reading:
    """Raises `Unreadable` also if the library that reads it is not installed."""
    try:
        return _read_by_library(kind, data, picture_bytes)
    except ImportError:
        raise Unreadable(needs(_SHOWN[kind], "documents")) from None


def _read_by_library(kind: str, data: bytes, picture_bytes: int) -> Reading:
    """Readers are imported when they are needed: a library may take a while."""
    if kind == kinds.PDF:
        from producer.reading import pdf

        return pdf.read(data, picture_bytes)
    if kind == kinds.PAGE:
        from producer.reading import page

        return page.read(data)
    if kind == kinds.MAIL:
        from producer.reading import mail

        return mail.read(data)
    if kind == kinds.NOTEBOOK:
        from producer.reading import notebook

        return notebook.read(data)
    if kind in (kinds.TEXT, kinds.JSON):
        from producer.reading.text import decoded, unescaped

        text, told = decoded(data)
        return Reading(unescaped(text) if kind == kinds.JSON else text, told)
    from producer.reading import office

    return office.read(data, kind)


def _some(left_out: list[str]) -> list[str]:
    if len(left_out) <= MAX_NAMED:
        return left_out
    return [*left_out[:MAX_NAMED], f"and {len(left_out) - MAX_NAMED:,} more"]


if __name__ == "__main__":
    serve(answered, LIMITS)
