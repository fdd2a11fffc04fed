"""Pages as pictures, for models that see: as good as one request holds all of them."""

from base64 import b64encode
from io import BytesIO
from typing import Any, NamedTuple

from ..extras import needs
from .pdfium import Pages
from .reading import Unreadable

MAX_BYTES = 12_000_000
"""Of all pages of a document, encoded: what every API takes in one request (Gemini 20 MB)."""
MAX_PAGES = 100
"""As pictures: so many Anthropic takes."""
_BRIGHT = 150
"""Of 255; what is darker is ink."""


class _Form(NamedTuple):
    side: int
    """Pixels of the longer side."""
    quality: int = 0
    """Of a JPEG; 0: a PNG in black and white, as by fax."""


_FORMS = (_Form(1500, 50), _Form(1000, 30), _Form(1200), _Form(900))
"""The best first. A full page takes some 190, 80, 30 and 20 KB. Models see no more than 1,568
pixels (Anthropic) or 2,048 (OpenAI).
"""


def drawn(pages: Pages, indexes: list[int], most: int) -> list[str]:
    """Data URIs of these pages, of `most` bytes at most.

    Raises `Unreadable` if they are too many, or without Pillow.
    """
    try:
        for form in _FORMS if len(indexes) <= MAX_PAGES else ():
            pictures = _all(pages, indexes, form, min(most, MAX_BYTES))
            if pictures:
                return pictures
    except ImportError:
        raise Unreadable(needs("drawing pages as pictures", "documents")) from None
    raise Unreadable(
        f"{len(indexes):,} of its pages are pictures, more than a request holds. "
        "Fix: split it, or run OCR over it first"
    )


def _all(pages: Pages, indexes: list[int], form: _Form, most: int) -> list[str]:
    """None of them if they are too large together."""
    pictures = []
    left = most
    for index in indexes:
        pictures.append(_encoded(pages.picture(index, form.side), form.quality))
        left -= len(pictures[-1])
        if left < 0:
            return []
    return pictures


def _encoded(picture: Any, quality: int) -> str:
    file = BytesIO()
    if quality:
        picture.save(file, "JPEG", quality=quality)
        kind = "jpeg"
    else:
        ink = picture.point(lambda shade: 255 * (shade > _BRIGHT)).convert("1")
        ink.save(file, "PNG", optimize=True)
        kind = "png"
    return f"data:image/{kind};base64,{b64encode(file.getvalue()).decode()}"
