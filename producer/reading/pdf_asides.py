"""What a PDF holds beside its pages, by pypdf: form values, notes and their files."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

from pypdf import PdfReader
from pypdf.generic import StreamObject

from . import xfa
from .reading import Attached, Reading

NOT_NOTES = ("/Widget", "/Link", "/Popup")
"""Kinds of annotations without a text of their own: fields are read as such."""
MAX_FIELDS = 5_000

Found = TypeVar("Found")


class Asides:
    """What cannot be read is told; the pages are read by another library, whatever is here."""

    def __init__(self, data: bytes, reading: Reading) -> None:
        self._reading = reading
        self._reader = self._tried("form values, notes and attachments", None, _opened, data)

    def notes(self, index: int) -> list[str]:
        """Of a page, counted from 0."""
        if self._reader is None:
            return []
        return self._tried(f"notes on page {index + 1}", [], self._notes, self._reader, index)

    def texts(self) -> list[str]:
        """The values of forms."""
        reader = self._reader
        if reader is None:
            return []
        return [
            self._tried("form fields", "", self._fields, reader),
            self._tried("the XFA form", "", _xfa, reader),
        ]

    def _notes(self, reader: PdfReader, index: int) -> list[str]:
        """The files of notes are put into the reading."""
        notes = []
        for reference in reader.pages[index].get("/Annots", None) or ():
            note = reference.get_object()
            text = str(note.get("/Contents", "") or "").strip()
            kind = note.get("/Subtype")
            if kind == "/FileAttachment":
                self._reading.attached.append(_attached(note["/FS"]))
            if text and kind not in NOT_NOTES:
                author = str(note.get("/T", "") or "").strip()
                notes.append(f"[Note{f' by {author}' if author else ''}: {text}]")
        return notes

    def _fields(self, reader: PdfReader) -> str:
        """Each value behind its label."""
        fields = reader.get_fields() or {}
        if len(fields) > MAX_FIELDS:
            self._reading.left_out.append(f"{len(fields) - MAX_FIELDS:,} form fields")
        lines = [_field(name, field) for name, field in list(fields.items())[:MAX_FIELDS]]
        return _listed(lines)

    def _tried(self, what: str, nothing: Found, read: Callable[..., Found], *args: Any) -> Found:
        try:
            return read(*args)
        except (MemoryError, RecursionError):
            raise
        except Exception as error:
            self._reading.left_out.append(f"{what} cannot be read ({type(error).__name__})")
            return nothing


def _opened(data: bytes) -> PdfReader | None:
    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted:
        reader.decrypt("")
    return reader


def _field(name: str, field: Any) -> str:
    value = field.get("/V", "")
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    value = str(value).strip()
    if field.get("/FT") == "/Btn":
        value = value.removeprefix("/")
    if not value or field.get("/FT") == "/Sig":
        return ""
    label = str(field.get("/TU", "") or name).strip()
    return f"{label}: {value}"


def _xfa(reader: PdfReader) -> str:
    form = reader.root_object.get("/AcroForm")
    found = form and form.get_object().get("/XFA")
    if found is None:
        return ""
    whole = found.get_object()
    if isinstance(whole, StreamObject):
        return _listed(xfa.values([whole.get_data()]))
    parts = reader.xfa or {}
    return _listed(xfa.values([parts.get("datasets", b""), parts.get("template", b"")]))


def _listed(lines: list[str]) -> str:
    lines = [line for line in lines if line]
    if not lines:
        return ""
    return "\n".join(["Form fields:", *lines])


def _attached(file: Any) -> Attached:
    name = file.get("/UF") or file.get("/F") or "a file"
    return Attached(str(name), file["/EF"]["/F"].get_object().get_data())
