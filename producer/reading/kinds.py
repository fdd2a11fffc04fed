"""What kind of file it is, by what it holds; its name decides where that leaves a choice."""

import re
from io import BytesIO
from pathlib import PurePath
from zipfile import BadZipFile, ZipFile

from .reading import NoDocument, Unreadable

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
EPUB = "application/epub+zip"

PDF = "pdf"
PAGE = "html"
MAIL = "mail"
NOTEBOOK = "notebook"
JSON = "json"
TEXT = "text"

_JSON = (".json", ".jsonl", ".ndjson", ".geojson")
_PAGES = (".html", ".htm", ".xhtml")
_PAGE = re.compile(
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.{0,500}?-->\s*)?<(!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_MAIL = re.compile(
    rb"(From |(Received|Return-Path|Delivered-To|Message-ID|MIME-Version|From|Subject|Date):)",
    re.IGNORECASE,
)
_MAIL_HEADERS = re.compile(
    rb"^(From|To|Subject|Date|Message-ID|MIME-Version|Received):", re.IGNORECASE | re.MULTILINE
)
_MAILS = re.compile(rb"From \S+ [^\r\n]*\d{4}\r?\n[A-Za-z-]+:")
"""A file of many (mbox)."""

_MEDIA = {
    b"\x89PNG\r\n": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF87a": "a picture (GIF)",
    b"GIF89a": "a picture (GIF)",
    b"II*\0": "a picture (TIFF)",
    b"MM\0*": "a picture (TIFF)",
    b"\0\0\1\0": "a picture (ICO)",
    b"8BPS": "a picture (PSD)",
    b"ID3": "sound (MP3)",
    b"OggS": "sound (OGG)",
    b"fLaC": "sound (FLAC)",
    b"MThd": "sound (MIDI)",
    b"\x1aE\xdf\xa3": "a film (Matroska)",
    b"\0\0\1\xba": "a film (MPEG)",
    b"FLV\x01": "a film (Flash)",
    b"\x1f\x8b": "an archive (gzip)",
    b"BZh": "an archive (bzip2)",
    b"\xfd7zXZ\0": "an archive (xz)",
    b"7z\xbc\xaf\x27\x1c": "an archive (7z)",
    b"Rar!\x1a\x07": "an archive (RAR)",
    b"\x28\xb5\x2f\xfd": "an archive (zstd)",
    b"MSCF": "an archive (CAB)",
    b"\x7fELF": "a program",
    b"MZ\x90\0": "a program",
    b"\xca\xfe\xba\xbe": "a program",
    b"\xcf\xfa\xed\xfe": "a program",
    b"\0asm": "a program",
    b"SQLite format 3\0": "a database (SQLite)",
    b"PAR1": "a table (Parquet)",
    b"wOFF": "a font",
    b"wOF2": "a font",
    b"OTTO\0": "a font",
    b"\0\1\0\0\0": "a font",
    b"\xfe\xed\xfe\xed": "a store of keys",
    b"\x03\xd9\xa2\x9a": "a store of keys",
    b"\x99\x01": "a key (PGP)",
    b"-----BEGIN PGP MESSAGE-----": "encrypted (PGP)",
    b'x\x9f>"': "attachments of Outlook (TNEF)",
    b"%!PS": "pages for a printer (PostScript). Fix: convert them to PDF",
    b"AT&TFORM": "pictures of pages (DjVu). Fix: convert them to PDF",
}
"""Beginnings of files that are no documents."""
_FRAMES = (b"\xe2", b"\xe3", b"\xf1", b"\xf2", b"\xf3", b"\xf9", b"\xfa", b"\xfb")
"""Second bytes of MP3 and AAC without a header (ISO/IEC 11172-3, 2.4.1.3)."""
TEXTS = (
    ".txt .text .md .markdown .rst .adoc .org .tex .csv .tsv .json .jsonl .ndjson .geojson .xml "
    ".yaml .yml .toml .ini .cfg .conf .log .html .htm .xhtml .eml .mbox .srt .vtt .sql .py .js "
    ".ts .c .h .cpp .java .go .rs .rb .php .sh .css"
)
"""Endings of files that should hold text: if they do not, something is wrong with them."""

_OURS = (b'{"document": "', b"document,state,pages,characters,left_out,")
"""How `completions summarize` begins what it writes into one file."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS = {
    "EncryptedPackage": "encrypted",
    "__substg1.0_": "application/vnd.ms-outlook",
    "WordDocument": "application/msword",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
}
"""Names in an OLE file (Office before 2007, Outlook, encrypted Office) -> what it is."""

_SUFFIXES_OF_ZIPS = {".docx": WORD, ".xlsx": SHEET, ".pptx": SLIDES, ".epub": EPUB}


def kind_of(data: bytes, name: str) -> str:
    """`PDF`, `PAGE`, `MAIL`, `NOTEBOOK`, `JSON`, `TEXT`, or the media type of an Office format.

    Raises `NoDocument`, and `Unreadable` for what is encrypted or damaged.
    """
    suffix = PurePath(name).suffix.lower()
    if data.startswith(b"{\\rtf"):
        return "application/rtf"
    if b"%PDF-" in data[:1024]:
        return PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_zip(data, suffix)
    if data.startswith(_OLE):
        return _in_ole(data)
    if media := _medium(data):
        raise NoDocument(f"no document but {media}")
    if suffix in _SUFFIXES_OF_ZIPS or suffix == ".pdf":
        raise Unreadable(f"damaged: it does not begin as a file ending in {suffix} does")
    return _of_text(data, suffix)


def _of_text(data: bytes, suffix: str) -> str:
    head = data[:4096].removeprefix(b"\xef\xbb\xbf")
    if head.startswith(_OURS):
        raise NoDocument("our own output")
    if suffix in _PAGES or _PAGE.match(head):
        return PAGE
    if suffix == ".ipynb":
        return NOTEBOOK
    if suffix in _JSON:
        return JSON
    if suffix in (".svg", ".svgz") or head.lstrip().startswith(b"<svg"):
        raise NoDocument("no document but a picture (SVG)")
    if suffix in (".eml", ".mht", ".mhtml", ".emlx"):
        return MAIL
    if _MAIL.match(head) and len(set(_MAIL_HEADERS.findall(head))) >= 3:
        return MAIL
    if _MAILS.match(head):
        return MAIL
    return TEXT


def _medium(data: bytes) -> str:
    for beginning, what in _MEDIA.items():
        if data.startswith(beginning):
            return what
    if data[:1] == b"\xff" and data[1:2] in _FRAMES:
        return "sound (MPEG)"
    if data[4:8] == b"ftyp":
        return "a film or sound (MP4)"
    if data[:4] == b"RIFF" and data[8:12] in (b"WAVE", b"AVI ", b"WEBP"):
        return "a picture, film or sound (RIFF)"
    if data[257:262] == b"ustar":
        return "an archive (tar)"
    if data[:2] == b"BM" and int.from_bytes(data[2:6], "little") == len(data):
        return "a picture (BMP)"
    return ""


def _in_zip(data: bytes, suffix: str) -> str:
    try:
        with ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
            media_type = b""
            if "mimetype" in names:
                with archive.open("mimetype") as file:
                    media_type = file.read(200)
    except (BadZipFile, NotImplementedError, ValueError, OSError, RuntimeError, EOFError):
        if suffix in _SUFFIXES_OF_ZIPS or suffix in (".odt", ".ods", ".odp"):
            raise Unreadable("damaged: the archive that such a file is cannot be opened") from None
        raise NoDocument("no document but an archive (ZIP), a damaged one") from None
    kind = media_type.decode("ascii", "replace").strip()
    if kind == EPUB or kind.startswith(OPEN_DOCUMENT):
        return kind
    for beginning, office in (("word/", WORD), ("xl/", SHEET), ("ppt/", SLIDES)):
        if any(name.startswith(beginning) for name in names):
            return office
    raise NoDocument("no document but an archive (ZIP)")


def _in_ole(data: bytes) -> str:
    for stream, kind in _STREAMS.items():
        if stream.encode("utf-16-le") in data:
            if kind == "encrypted":
                raise Unreadable("encrypted. Fix: save it without a password")
            return kind
    raise NoDocument("no document but another Microsoft file (OLE)")
