"""PDF, by pypdf: pages, form values, notes; pages that are pictures are counted."""

from io import BytesIO
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError

from .reading import Reading, Unreadable

NOT_NOTES = ("/Widget", "/Link", "/Popup")
"""Kinds of annotations without a text of their own: fields are read as such."""
MAX_FIELDS = 5_000


def read(data: bytes) -> Reading:
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("encrypted. Fix: save it without a password")
        pages = list(reader.pages)
    except PyPdfError as error:
        raise Unreadable(f"damaged: no readable PDF ({type(error).__name__})") from None
    reading = Reading("", pages=len(pages))
    texts = [_page(number, page, reading) for number, page in enumerate(pages, start=1)]
    _tell_pictures(pages, texts, reading)
    texts.append(_fields(reader, reading))
    _tell_others(reader, reading)
    reading.text = "\n\n".join(text for text in texts if text.strip())
    if not reading.text:
        raise Unreadable("its pages hold no text")
    return reading


def _page(number: int, page: PageObject, reading: Reading) -> str:
    try:
        text = page.extract_text()
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        reading.left_out.append(f"page {number} cannot be read ({type(error).__name__})")
        return ""
    try:
        return "\n".join([text, *_notes(page)])
    except Exception as error:
        reading.left_out.append(f"notes on page {number} cannot be read ({type(error).__name__})")
        return text


def _notes(page: PageObject) -> list[str]:
    notes = []
    for reference in page.get("/Annots", None) or ():
        note = reference.get_object()
        text = str(note.get("/Contents", "") or "").strip()
        if text and note.get("/Subtype") not in NOT_NOTES:
            author = str(note.get("/T", "") or "").strip()
            notes.append(f"[Note{f' by {author}' if author else ''}: {text}]")
    return notes


def _tell_pictures(pages: list[PageObject], texts: list[str], reading: Reading) -> None:
    """Raises `Unreadable` if most pages are pictures."""
    silent = [page for page, text in zip(pages, texts, strict=True) if not text.strip()]
    pictures = sum(map(_shows_pictures, silent))
    if not pictures:
        return
    told = f"{pictures:,} of {len(pages):,} pages are pictures: not read"
    if pictures * 2 > len(pages):
        raise Unreadable(f"{told}. Fix: run OCR over it first")
    reading.left_out.append(told)


def _shows_pictures(page: PageObject) -> bool:
    try:
        resources: Any = page.get("/Resources", {}).get_object()
        objects = resources.get("/XObject", {}).get_object()
        return any(
            each.get_object().get("/Subtype") in ("/Image", "/Form") for each in objects.values()
        )
    except Exception:
        return False


def _fields(reader: PdfReader, reading: Reading) -> str:
    """The values of a form, each behind its label."""
    try:
        fields = reader.get_fields() or {}
        lines = [_field(name, field) for name, field in list(fields.items())[:MAX_FIELDS]]
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        reading.left_out.append(f"form fields cannot be read ({type(error).__name__})")
        return ""
    if len(fields) > MAX_FIELDS:
        reading.left_out.append(f"{len(fields) - MAX_FIELDS:,} form fields")
    if not any(lines):
        return ""
    return "\n".join(["Form fields:", *(line for line in lines if line)])


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


def _tell_others(reader: PdfReader, reading: Reading) -> None:
    try:
        names = list(reader.attachments)
    except Exception:
        names = []
    reading.left_out += [f"attachment {name}" for name in names]
