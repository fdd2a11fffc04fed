"""What an Office file is made of: parts that are damaged or missing, pictures, embedded files."""

import posixpath
import re
from collections import Counter
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile

from .reading import Attached, Reading

_TEXTS = re.compile(
    r"word/(document|header\d*|footer\d*|comments|footnotes|endnotes)\.xml"
    r"|ppt/(slides|notesSlides)/[^/]+\.xml"
    r"|xl/(worksheets/[^/]+|sharedStrings|comments\d*)\.xml"
    r"|(content|styles)\.xml"
)
_LINKS = re.compile(r"(word|ppt|xl|ppt/slides)/_rels/[^/]+\.rels")
_TARGET = re.compile(r'\sTarget="([^"]+\.xml)"')
_EMBEDDED = re.compile(r"(word|ppt|xl)/embeddings/([^/]+)")
_SEEN = (
    (re.compile(r".*\.(png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp)", re.IGNORECASE), "pictures"),
    (re.compile(r"(word|ppt|xl)/charts/chart\d+\.xml"), "charts"),
)
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_UNCOMPUTED = re.compile(rb"(?:</f>|<f(?:\s[^<>]*)?/>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_THUMBNAIL = re.compile(r"(docProps|Thumbnails)/.*")
_PIECE = 1 << 20


def look_through(archive: ZipFile, reading: Reading) -> None:
    """Tell what no reader gives the text of, and put the embedded files into the reading."""
    names = archive.namelist()
    for name in names:
        if _TEXTS.fullmatch(name) and not _is_whole(archive, name):
            reading.left_out.append(f"{name} is damaged: not all of it is read")
    for name in names:
        if _LINKS.fullmatch(name):
            reading.left_out += [f"{each} is missing" for each in _missing(archive, name, names)]
    if uncomputed := sum(
        len(_UNCOMPUTED.findall(content(archive, name))) for name in names if _SHEET.fullmatch(name)
    ):
        reading.left_out.append(f"{uncomputed:,} formulas that were never computed")
    seen = Counter(
        what
        for name in names
        for pattern, what in _SEEN
        if pattern.fullmatch(name) and not _THUMBNAIL.fullmatch(name)
    )
    reading.left_out += [f"{count:,} {what}" for what, count in seen.items()]
    for name in names:
        if found := _EMBEDDED.fullmatch(name):
            reading.attached.append(Attached(found[2], content(archive, name), is_shown=True))


def content(archive: ZipFile, name: str) -> bytes:
    """Of a part; nothing if it cannot be unpacked."""
    try:
        return archive.read(name)
    except (BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, EOFError):
        return b""


def _is_whole(archive: ZipFile, name: str) -> bool:
    """Whether a part can be unpacked and is well-formed."""
    parser = ParserCreate()
    try:
        with archive.open(name) as file:
            while piece := file.read(_PIECE):
                parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (ExpatError, BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        return False
    return True


def _missing(archive: ZipFile, links: str, names: list[str]) -> list[str]:
    """The parts with texts that others point to and that are not there."""
    folder = posixpath.dirname(posixpath.dirname(links))
    targets = _TARGET.findall(content(archive, links).decode("utf-8", "replace"))
    paths = [posixpath.normpath(posixpath.join(f"/{folder}", each))[1:] for each in targets]
    return [path for path in paths if _TEXTS.fullmatch(path) and path not in names]
