"""What the pages of a PDF show, by pdfium: their text, line by line."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pypdfium2
from pypdfium2 import raw

from .legible import make_words
from .reading import Attached, Unreadable

FAR = 20.0
"""Points beyond its page from which on a character is not meant to be seen."""
WIDE = 1.5
"""Ems between two words from which on they stand in different columns."""
MAX_SPACES = 40
SAME_LINE = 0.5
"""The share of a sign's height that it has in common with another one in its line."""
LITTLE = 100
"""Characters; less on a page that a picture fills are not what it says."""
_SHAPES = (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING)
SAMPLE = 500
"""Characters that tell the direction of a page's lines."""
QUARTER = 1.5708
_HYPHEN = "\x02"
"""What pdfium says for a hyphen at the end of a line."""
_MARK = "\uf8ff"
"""Before a sign whose font does not name it. Itself it is private, and in no text."""
_UNNAMED = re.compile(f"(?<={_MARK}).", re.DOTALL)
_UNNAMED_WITH_MARK = re.compile(f"{_MARK}.", re.DOTALL)

Box = tuple[float, float, float, float]
"""Left, bottom, right, top; in points."""


class Page(NamedTuple):
    text: str
    outside: int = 0
    """Characters that stand outside of the page."""
    unknown: int = 0
    """Characters whose fonts do not say which they are."""
    is_picture: bool = False
    """Whether it shows something, and no text that says what."""


class Pages:
    """The pages of a PDF. Raises `Unreadable` if it is none, or encrypted with a password."""

    def __init__(self, data: bytes) -> None:
        try:
            self._document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise Unreadable("encrypted. Fix: save it without a password") from None
            raise Unreadable("damaged: no readable PDF") from None

    def __len__(self) -> int:
        return len(self._document)

    def read(self, index: int) -> Page:
        """Raises the library's errors."""
        page = self._document[index]
        text = page.get_textpage()
        turned = _turned(text)
        if turned != page.get_rotation():
            page.set_rotation(turned)
            text = page.get_textpage()
        found = _Reader(text, page.get_cropbox()).page()
        return found._replace(is_picture=_is_picture(page, found.text.strip()))

    def picture(self, index: int, side: int) -> Any:
        """A page in grey, as Pillow's `Image`, its longer side of so many pixels.

        Raises `ImportError` without Pillow.
        """
        page = self._document[index]
        return page.render(scale=side / max(page.get_size()), grayscale=True).to_pil()

    def attached(self) -> list[Attached]:
        """The files in it. Raises the library's errors."""
        files = map(self._document.get_attachment, range(self._document.count_attachments()))
        return [Attached(file.get_name(), bytes(file.get_data())) for file in files]


def _is_picture(page: Any, text: str) -> bool:
    """Also if a scanner's name or a number stands on it."""
    shapes = [each for each in page.get_objects(max_depth=3) if each.type in _SHAPES]
    if not text:
        return bool(shapes)
    left, bottom, right, top = page.get_cropbox()
    half = (right - left) * (top - bottom) / 2
    pictures = (each for each in shapes if each.type == raw.FPDF_PAGEOBJ_IMAGE)
    return len(text) < LITTLE and any(_area(each.get_bounds()) > half for each in pictures)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _turned(text: Any) -> int:
    """The degrees by which the page must be turned for most of its lines to be level."""
    count = text.count_chars()
    looked_at = range(0, count, 1 + count // SAMPLE)
    angles = (raw.FPDFText_GetCharAngle(text, index) for index in looked_at)
    quarters = Counter[int](round(angle / QUARTER) % 4 for angle in angles if angle >= 0)
    if not quarters:
        return 0
    return 90 * (-quarters.most_common(1)[0][0] % 4)


class _Reader:
    """Reads the text of one page, sign by sign."""

    def __init__(self, text: Any, page: Box) -> None:
        self._text = text
        left, bottom, right, top = page
        self._seen = left - FAR, bottom - FAR, right + FAR, top + FAR
        self._outside = 0
        self._unknown = 0

    def page(self) -> Page:
        text = "\n".join(line.rstrip() for line in self._lines())
        if make_words("".join(_UNNAMED.findall(text))):
            text = text.replace(_MARK, "")
        text, unnamed = _UNNAMED_WITH_MARK.subn("", text)
        self._unknown += unnamed
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return Page(text.strip("\n"), self._outside, self._unknown)

    def _lines(self) -> Iterator[str]:
        line: list[str] = []
        before: Box | None = None
        is_broken = False
        for index in range(self._text.count_chars()):
            sign = chr(raw.FPDFText_GetUnicode(self._text, index))
            if sign in "\r\n":
                is_broken = True
                continue
            if sign.isspace():
                line.append(" ")
                continue
            box = self._text.get_charbox(index)
            if not self._is_shown(index, sign, box):
                continue
            is_rightward = not _is_right_to_left(sign, *line)
            if is_broken and not (is_rightward and _is_beside(before, box)):
                yield "".join(line)
                line = []
                before = None
            if is_rightward:
                line.append(self._gap(index, before, box) or " " * (is_broken and bool(line)))
            if raw.FPDFText_HasUnicodeMapError(self._text, index) == 1:
                line.append(_MARK)
            line.append("-" if sign == _HYPHEN else sign)
            is_broken = sign == _HYPHEN
            before = box
        yield "".join(line)

    def _is_shown(self, index: int, sign: str, box: Box) -> bool:
        """Counts what is not."""
        left, bottom, right, top = self._seen
        if box[2] < left or box[3] < bottom or box[0] > right or box[1] > top:
            self._outside += 1
            return False
        if _is_private(sign):
            self._unknown += 1
            return False
        return True

    def _gap(self, index: int, before: Box | None, box: Box) -> str:
        """As many spaces as the page has between two columns, "" within one."""
        if before is None:
            return ""
        em: float = raw.FPDFText_GetFontSize(self._text, index)
        wide = _distance(before, box)
        if em <= 0 or wide < WIDE * em:
            return ""
        return " " * min(MAX_SPACES, round(wide / (em / 2)) - 1)


def _distance(one: Box, other: Box) -> float:
    """In the direction in which they are apart, whichever the page is turned to."""
    across = max(one[0], other[0]) - min(one[2], other[2])
    up = max(one[1], other[1]) - min(one[3], other[3])
    return max(across, up)


def _is_beside(one: Box | None, other: Box) -> bool:
    """Whether the other one stands to the right of it, in the same line."""
    if one is None or other[0] < one[2]:
        return False
    common = min(one[3], other[3]) - max(one[1], other[1])
    return common > SAME_LINE * min(one[3] - one[1], other[3] - other[1])


def _is_private(sign: str) -> bool:
    return "\ue000" <= sign <= "\uf8ff" or sign >= "\U000f0000"


def _is_right_to_left(*signs: str) -> bool:
    """Numbers in such a line run against it, so that neighbours are far apart."""
    return any("\u0590" <= sign <= "\u08ff" for sign in signs)
