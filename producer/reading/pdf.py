"""PDF: pages, form values, notes; pages that say nothing are counted."""

from . import pictures
from .pdf_asides import Asides
from .pdfium import Page, Pages
from .reading import Reading, Unreadable

MAX_UNKNOWN = 0.2
"""The share of a page's characters that may be unknown: marks before the lines of a list."""


def read(data: bytes, picture_bytes: int = 0) -> Reading:
    """`picture_bytes`: of pages that say nothing, which are drawn; 0: they are not."""
    pages = Pages(data)
    reading = Reading("", pages=len(pages))
    asides = Asides(data, reading)
    texts = []
    seen = []
    for index in range(len(pages)):
        page = _page(pages, index, reading)
        seen.append(page)
        text = page.text
        if _is_illegible(page):
            text = ""
        texts.append("\n".join([text, *asides.notes(index)]).strip())
    texts += asides.texts()
    try:
        reading.attached += pages.attached()
    except Exception as error:
        reading.left_out.append(f"attachments cannot be read ({type(error).__name__})")
    reading.text = "\n\n".join(text for text in texts if text)
    _tell_characters(seen, reading)
    unread = [index for index, page in enumerate(seen) if page.is_picture or _is_illegible(page)]
    if picture_bytes and unread:
        reading.pictures = pictures.drawn(pages, unread, picture_bytes)
    else:
        _tell_pages(seen, reading)
    return reading


def _page(pages: Pages, index: int, reading: Reading) -> Page:
    try:
        return pages.read(index)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        reading.left_out.append(f"page {index + 1} cannot be read ({type(error).__name__})")
        return Page("")


def _is_illegible(page: Page) -> bool:
    return page.unknown > MAX_UNKNOWN * (page.unknown + len(page.text))


def _tell_characters(pages: list[Page], reading: Reading) -> None:
    outside = sum(page.outside for page in pages)
    if outside:
        reading.left_out.append(f"{outside:,} characters outside of the pages")
    unknown = sum(page.unknown for page in pages if not _is_illegible(page))
    if unknown:
        reading.left_out.append(f"{unknown:,} characters that their fonts do not name")


def _tell_pages(pages: list[Page], reading: Reading) -> None:
    """Raises `Unreadable` if most pages are pictures, or illegible, or nothing has a text."""
    illegible = sum(map(_is_illegible, pages))
    pictured = sum(page.is_picture for page in pages)
    for count, what in (
        (illegible, "have fonts that do not say which characters they show"),
        (pictured, "are pictures"),
    ):
        told = f"{count:,} of {len(pages):,} pages {what}: not read"
        if count * 2 > len(pages):
            raise Unreadable(f"{told}. Fix: --pictures, or run OCR over it first")
        if count:
            reading.left_out.append(told)
    if not reading.text and not reading.attached:
        raise Unreadable("its pages hold no text")
