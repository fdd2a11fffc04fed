"""Office, OpenDocument, RTF, EPUB and Outlook files, by kreuzberg (the extra `documents`)."""

import re
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from ..extras import needs
from . import asides, office_parts, open_document, sheets
from .kinds import OPEN_DOCUMENT
from .reading import Attached, Reading, Unreadable

OPEN_XML = "application/vnd.openxmlformats-"
SLIDES = f"{OPEN_DOCUMENT}presentation"
SHEETS = f"{OPEN_DOCUMENT}spreadsheet"
ZIP = b"PK"
ATTACHMENTS = "email_attachment_extraction"
"""The library's name for what it says of attachments."""
_PICTURE = re.compile(r"\\?!\[([^\[\]\n]*)\]\([^()\n]*\)")
"""Where a picture is in the file says nothing."""
NAMES = {
    "wordprocessingml": "Word",
    "msword": "Word",
    "spreadsheetml": "Excel",
    "ms-excel": "Excel",
    "presentationml": "PowerPoint",
    "ms-powerpoint": "PowerPoint",
    "ms-outlook": "Outlook",
    "opendocument": "OpenDocument",
    "epub": "EPUB",
    "rtf": "RTF",
}


def read(data: bytes, media_type: str) -> Reading:
    name = next(name for part, name in NAMES.items() if part in media_type)
    try:
        import kreuzberg
    except ImportError:
        raise Unreadable(needs(name, "documents")) from None
    config = kreuzberg.ExtractionConfig(output_format="markdown", use_cache=False)
    reading = Reading("")
    try:
        found = kreuzberg.extract_bytes_sync(data, media_type, config)
    except kreuzberg.KreuzbergError as error:
        reading.text = _otherwise(data, media_type)
        if not reading.text:
            reason = f"damaged: no readable {name} file ({type(error).__name__})"
            raise Unreadable(reason) from None
        if media_type != SLIDES:
            reading.left_out.append("damaged: its text is read without its form")
    else:
        reading.text = _PICTURE.sub(_shown, found.content)
        if name == "Excel" or media_type == SHEETS:
            reading.text = sheets.without_empty(reading.text)
        _add_attached(found, reading)
        warnings = found.processing_warnings or ()
        told = [each.message for each in warnings if each.source != ATTACHMENTS]
        reading.left_out += [message[:200] for message in told]
    if data.startswith(ZIP):
        _add_others(data, media_type, reading)
    if not reading.text.strip() and reading.left_out:
        raise Unreadable(f"no text, but {'; '.join(reading.left_out)}")
    return reading


def _add_attached(found: Any, reading: Reading) -> None:
    """What is attached to an Outlook message, as the library reads it."""
    texts = {each["path"]: each["result"].content for each in found.children or ()}
    for name in found.metadata.get("attachments") or ():
        if texts.get(name, "").strip():
            reading.attached.append(Attached(name, texts[name].encode(), is_text=True))
        else:
            reading.left_out.append(f"attachment {name}: no text can be read")


def _shown(picture: re.Match[str]) -> str:
    return f"[{picture[1]}]" if picture[1] else ""


def _otherwise(data: bytes, media_type: str) -> str:
    """What the library does not read: slides of OpenDocument, and what is damaged."""
    if not data.startswith(ZIP):
        return ""
    try:
        with ZipFile(BytesIO(data)) as archive:
            if media_type.startswith(OPEN_DOCUMENT):
                return open_document.slides(archive)
            return asides.texts(archive)
    except BadZipFile:
        return ""


def _add_others(data: bytes, media_type: str, reading: Reading) -> None:
    """Headers, notes, comments and embedded files; what nothing is read of is told."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            if media_type.startswith(OPEN_DOCUMENT):
                open_document.add_asides(archive, reading)
            elif media_type.startswith(OPEN_XML):
                asides.add(archive, reading)
            office_parts.look_through(archive, reading)
    except (BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError) as error:
        told = f"comments, headers and notes cannot be read ({type(error).__name__})"
        reading.left_out.append(told)
