"""Files opened and read without being led astray, and without waiting for a reader for ever."""

import atexit
import json
import os
import stat
from pathlib import Path
from typing import NamedTuple

from ..children import Children, NoReply, Until
from . import program
from .reading import NoDocument, Reading, Unreadable

MAX_BYTES = 50_000_000
TOO_LARGE = f"larger than {MAX_BYTES:,} bytes. Fix: split it"
WALL_S = 150.0
"""For reading one file; its reader's own limit of processor time ends most of it sooner."""

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY

readers = Children(Path(program.__file__))
atexit.register(readers.close)


class _Opened(NamedTuple):
    file: int
    status: os.stat_result


def read(name: str, data: bytes, picture_bytes: int = 0) -> Reading:
    """The text of a file of that name, and of the documents in it. Raises `Unreadable`.

    `picture_bytes`: pages of a PDF that have no text become `Reading.pictures`, of so many bytes at
    most; 0: they do not.
    """
    kind, asked = program.TEXT, os.fsencode(name)
    if picture_bytes:
        kind, asked = program.PICTURES, b"%d " % picture_bytes + asked
    try:
        reply = readers.ask(kind, asked, data, Until(WALL_S))
    except NoReply as error:
        raise Unreadable(f"damaged or hostile: reading it {error}") from None
    head, _, texts = reply.partition(b"\n")
    found = json.loads(head)
    if isinstance(found, dict):
        raise (NoDocument if found["skipped"] else Unreadable)(found["wrong"])
    readings = {}
    for each in found:
        text, texts = texts[: each["bytes"]], texts[each["bytes"] :]
        told = each["left_out"], each["pages"], each["pictures"]
        readings[each["name"]] = Reading(text.decode(), *told)
    whole = readings.pop("")
    whole.within = readings
    return whole


def content(path: str, folder: str = "", follow_links: bool = False) -> tuple[bytes, list[str]]:
    """What is in a file, and what was noticed about it.

    Below a `folder`, no link is followed unless `follow_links` says so, not even one that was put
    there after the file was found. Raises `Unreadable`, and `OSError` and `ValueError` of the
    system.
    """
    if folder and not follow_links:
        opened = _open_below(folder, path)
    else:
        opened = _checked(os.open(path, _FLAGS))
    with os.fdopen(opened.file, "rb") as file:
        data = file.read(MAX_BYTES + 1)
        after = os.fstat(opened.file)
    if len(data) > MAX_BYTES:
        raise Unreadable(TOO_LARGE)
    before = opened.status
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        return data, ["it changed while it was read"]
    return data, []


def content_begin(path: str, size: int) -> bytes:
    """The first bytes of a file. Raises `OSError` and `ValueError` of the system."""
    with os.fdopen(os.open(path, _FLAGS | os.O_NOFOLLOW), "rb") as file:
        return file.read(size)


def kind_of_file(path: str) -> str:
    """What a path is if it is no regular file (through links), "" if it is or cannot be asked."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return ""
    return _irregular(mode)


def reason_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _irregular(mode: int) -> str:
    if stat.S_ISREG(mode):
        return ""
    return f"{_KINDS.get(stat.S_IFMT(mode), 'no file')}, no regular file"


def _checked(file: int) -> _Opened:
    status = os.fstat(file)
    reason = _irregular(status.st_mode)
    if reason:
        os.close(file)
        raise Unreadable(reason)
    return _Opened(file, status)


def _open_below(folder: str, path: str) -> _Opened:
    """Step by step, so that no part of the way is a link."""
    parts = os.path.relpath(path, folder).split(os.sep)
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            deeper = os.open(part, flags, dir_fd=here)
            os.close(here)
            here = deeper
        return _checked(os.open(parts[-1], _FLAGS | os.O_NOFOLLOW, dir_fd=here))
    finally:
        os.close(here)
