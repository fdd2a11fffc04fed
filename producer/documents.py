"""Documents in files: found, read, and turned into text.

Text, Markdown, CSV and JSON in UTF-8; with the extra `documents` folders, all encodings, HTML, PDF,
mail, notebooks, Office, OpenDocument, RTF, EPUB and Outlook. Files are read in a child process with
limits.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .contract.errors import InvalidRequest
from .contract.identifiers import MAX_LABEL, visible
from .current import current_settings
from .reading import files
from .reading.files import MAX_BYTES
from .reading.found import EVERYTHING, STDIN, Choice, Found, found
from .reading.reading import NoDocument, Reading, Unreadable
from .tables import is_frame

__all__ = [
    "MAX_BYTES",
    "STDIN",
    "Choice",
    "Document",
    "Found",
    "documents_of",
    "found",
    "read",
    "read_all",
]

BESIDE = 100_000
"""Bytes of a request that are not its pictures."""


class Document(NamedTuple):
    """A named text."""

    name: str
    text: str
    wrong: InvalidRequest | None = None
    """Why it has no text."""
    left_out: tuple[str, ...] = ()
    """What of it was not read or was changed, each in a few words."""
    pages: int = 0
    """0: its format has none."""
    pictures: tuple[str, ...] = ()
    """Data URIs of the pages that have no text, if they were asked for."""
    skipped: str = ""
    """Why it is none to read, though nothing is wrong with it."""
    within: tuple["Document", ...] = ()
    """The documents that are attached to it, as those of a mail. They are read with it, and named
    below it: `letter.eml/report.pdf`.
    """

    def and_within(self) -> Iterator["Document"]:
        """It, and then the documents in it."""
        yield self._replace(within=())
        yield from self.within


def read(
    path: str | Found,
    stdin: bytes | str = b"",
    follow_links: bool = False,
    as_pictures: bool = False,
) -> Document:
    """The document in one file. `wrong` says why it cannot be read; nothing is raised for that.

    Of a `Found` in a folder, links are followed only if `follow_links` says so. `as_pictures`:
    pages of a PDF that have no text become pictures, for a model that sees.
    """
    each = Found(path) if isinstance(path, str) else path
    name = shown_name(each.path)
    if each.skipped:
        return Document(name, "", _wrong(name, each.skipped), skipped=each.skipped)
    try:
        if each.wrong:
            raise Unreadable(each.wrong)
        data, noticed = _content(each, stdin, follow_links)
        most = current_settings().max_request_bytes - BESIDE if as_pictures else 0
        reading = files.read(each.path, data, max(0, most))
    except NoDocument as error:
        skipped = str(error) if each.folder else ""
        return Document(name, "", _wrong(name, str(error)), skipped=skipped)
    except Unreadable as error:
        return Document(name, "", _wrong(name, str(error)))
    except Exception as error:  # noqa: BLE001 -- one file's trouble is one file's
        return Document(name, "", _wrong(name, f"cannot be read ({files.reason_of(error)})"))
    reading.left_out[:0] = noticed
    within = [
        _document(f"{name}/{visible(inner, keep='')}"[-MAX_LABEL:], found)
        for inner, found in reading.within.items()
    ]
    return _document(name, reading)._replace(within=tuple(within))


def _document(name: str, reading: Reading) -> Document:
    """One that only holds others is none itself."""
    left_out = tuple(visible(each, keep="") for each in reading.left_out)
    pictures = tuple(reading.pictures)
    document = Document(name, reading.text, None, left_out, reading.pages, pictures)
    if reading.text or pictures:
        return document
    reason = "nothing but the files in it, which are documents of their own"
    return document._replace(wrong=_wrong(name, reason), skipped=reason)


def documents_of(given: Any) -> Iterator[Document]:
    """Documents, texts (also a column of a data frame) and paths of files or folders, as documents.

    What is none of these, as a missing value, is a document that says so. Raises `InvalidRequest`
    for what is no such collection.
    """
    if isinstance(given, str | bytes):
        raise InvalidRequest("documents: one text. Fix: pass a list, or use summarize.delay(text)")
    if is_frame(given):
        raise InvalidRequest("documents: a data frame. Fix: pass one of its columns")
    if isinstance(given, os.PathLike | Document):
        given = [given]
    return (document for number, each in enumerate(given) for document in _each(number, each))


def _each(number: int, given: Any) -> Iterator[Document]:
    if isinstance(given, Document):
        yield from given.and_within()
    elif isinstance(given, str):
        yield Document("", given)
    elif isinstance(given, os.PathLike):
        yield from read_all([os.fspath(given)])
    else:
        kind = type(given).__name__
        yield Document("", "", _wrong(f"documents[{number}]", f"no text, path or document: {kind}"))


def read_all(
    paths: Iterable[str],
    choice: Choice = EVERYTHING,
    stdin: bytes | str = b"",
) -> Iterator[Document]:
    """The documents in all files that `paths` name, those that are skipped included.

    What is attached to a document comes after it.
    """
    for each in found(paths, choice):
        yield from read(each, stdin, choice.follow_links).and_within()


def shown_name(path: str) -> str:
    """A file's name as one line, whatever its bytes: \\xe9 stands for one that is no UTF-8, and two
    backslashes for one. No two paths have the same.
    """
    if path == STDIN:
        return "stdin"
    if path == "stdin":
        return "./stdin"
    name = os.fsencode(path)
    if os.sep != "\\":
        name = name.replace(b"\\", b"\\\\")
    text = visible(name.decode("utf-8", "backslashreplace"), keep="")
    if len(text) > MAX_LABEL:
        begin = hashlib.sha256(name).hexdigest()[:12] + "..."
        return begin + text[len(begin) - MAX_LABEL :]
    return text


def _content(each: Found, stdin: bytes | str, follow_links: bool) -> tuple[bytes, list[str]]:
    if each.path != STDIN:
        return files.content(each.path, each.folder, follow_links)
    data = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin
    if len(data) > MAX_BYTES:
        raise Unreadable(files.TOO_LARGE)
    return data, []


def _wrong(name: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{name}: {visible(reason, keep='')}")
