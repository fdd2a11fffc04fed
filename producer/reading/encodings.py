"""Which encoding a text is in that does not say so: what chardet proposes, if it makes sense."""

import codecs
import re
import unicodedata
from collections import Counter
from typing import NamedTuple

from .eastern import count, is_japanese
from .languages import fit
from .reading import Unreadable

SAMPLE = 50_000
"""Bytes that an encoding is found by."""
FEW = 4
"""Bytes beyond ASCII; fewer say little."""
USUAL = "cp1252"
"""What browsers take without a word."""
NEARLY = 0.7
"""Of another's confidence: enough for the usual one."""
_QUOTES = frozenset("‘’“”–—…€£°§")
_ILL_PLACED = re.compile(
    r"[…™‚]\w|\w[£°]\w|(?<![^\W\d_])(?![àáéèíóòæøåÀÉ])[^\W\d_\0-\x7f](?![^\W\d_])"
)
"""Signs that are letters elsewhere, and letters that are no words."""
_NOT_JAPANESE = ("gb18030", "big5hkscs", "cp949", "johab")
"""These have kana, too: at the places of EUC-JP, beside other ideographs."""
_TRIED = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp874",
    "iso8859_2",
    "iso8859_5",
    "iso8859_6",
    "iso8859_7",
    "iso8859_8",
    "iso8859_9",
    "iso8859_13",
    "iso8859_15",
    "iso8859_16",
    "koi8_r",
    "koi8_u",
    "cp866",
    "cp855",
    "cp850",
    "cp852",
    "cp437",
    "mac_roman",
    "mac_cyrillic",
    "mac_latin2",
    "cp932",
    "euc_jis_2004",
    "gb18030",
    "big5hkscs",
    "cp949",
    "johab",
]
LEAST_ZEROS = 0.05
"""The share of characters of a text in UTF-16 that are ASCII: spaces, ends of lines."""
MAX_BLOCKS = 5
"""Of 256 characters each, that a text in UTF-16 is made of."""
LONG_SHIFT = 6
"""Signs of UTF-7 that stand for two of Chinese, or for more; fewer are found in formulas, too."""
CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f]")
_SHIFT = re.compile(rb"\+[A-Za-z0-9+/]+-?")


class _Sense(NamedTuple):
    """Of a text that an encoding gives."""

    words: float
    """The share that are frequent ones of its language."""
    proposed: float
    """The confidence of the library."""
    encoding: str
    script: str
    """Of its letters beyond ASCII, as Unicode calls it."""

    def is_another(self, best: "_Sense") -> bool:
        """Whether it is nearly as likely, and in another alphabet."""
        return self.script != best.script and self.proposed > NEARLY * best.proposed

    def likely(self) -> tuple[float, float]:
        return self.proposed, self.words

    def share_beside(self, rivals: "list[_Sense]") -> float:
        """By the library's confidence, else by the words: 0.5 beside one that is as likely."""
        if self.proposed:
            most = max((each.proposed for each in rivals), default=0.0)
            return self.proposed / (self.proposed + most)
        return self.words / (self.words + max((each.words for each in rivals), default=0.0))


def found(data: bytes) -> tuple[str, int]:
    """The encoding, and how sure that is in per cent. Raises `Unreadable`.

    The first proposal whose text can be one of a language. If others have frequent words of a
    language and it has none, it is not believed.
    """
    ranked = _ranked(data[:SAMPLE])
    spoken = [each for each in ranked if each.words]
    if not ranked and (encoding := wide(data)):
        return encoding, 100
    if not spoken and not any(each.proposed for each in ranked):
        raise Unreadable("no text in an encoding that can be told. Fix: save it as UTF-8")
    best = max(ranked, key=_Sense.likely)
    if spoken and not best.words:
        named = " or ".join(each.encoding for each in (best, *spoken))
        raise Unreadable(f"its encoding may be {named}, and it does not say. Fix: save it as UTF-8")
    rivals = [each for each in spoken or ranked if each is not best]
    if not best.words and any(each.is_another(best) for each in rivals):
        raise Unreadable("its encoding may be any of several. Fix: save it as UTF-8")
    return best.encoding, min(99, round(100 * best.share_beside(rivals)))


def spoken(data: bytes) -> str:
    """The encoding in which it has frequent words of a language; "" if there is none such."""
    by_words = [each for each in _ranked(data[:SAMPLE]) if each.words]
    if not by_words:
        return ""
    return max(by_words, key=_Sense.likely).encoding


def makes_sense(text: str) -> bool:
    """Whether it can be of one language, by its letters."""
    return text.isascii() or fit(text[:SAMPLE]) is not None


def wide(data: bytes) -> str:
    """UTF-16 or UTF-32 without a mark; "" if it is none."""
    if len(data) % 4 == 0 and len(data) >= 8:
        for encoding in ("utf-32-le", "utf-32-be"):
            if _text(data, encoding):
                return encoding
    if len(data) % 2:
        return ""
    for encoding, high in (("utf-16-le", 1), ("utf-16-be", 0)):
        text = _text(data, encoding)
        if text and _is_text(text, data[high:SAMPLE:2]):
            return encoding
    return ""


def _is_text(text: str, high: bytes) -> bool:
    """By the first bytes of its characters: ASCII is among them, and few blocks of Unicode."""
    words = fit(text)
    if high.count(0) < LEAST_ZEROS * len(high):
        return bool(words)
    return words is not None or (len(set(high)) <= MAX_BLOCKS and not count(text))


def is_utf7(data: bytes) -> bool:
    """Whether all that looks like its shifts was written by an encoder, and gives a text."""
    shifts = _SHIFT.findall(data)
    text = _text(data, "utf-7")
    if not text or not all(map(_is_encoded, shifts)):
        return False
    words = fit(text)
    if count(text) and len(b"".join(shifts)) < LONG_SHIFT * len(shifts):
        return bool(words)
    return words is not None or (len(shifts) > 1 and text.isprintable())


def _is_encoded(shift: bytes) -> bool:
    try:
        text = shift.decode("utf-7")
    except UnicodeError:
        return False
    return text.encode("utf-7").rstrip(b"-") == shift.rstrip(b"-") and not text.isascii()


def _ranked(sample: bytes) -> list[_Sense]:
    """Texts that can be of one language, each once."""
    from chardet import detect_all  # of an extra

    by_text: dict[str, _Sense] = {}
    proposals = detect_all(
        sample,
        ignore_threshold=True,
        compat_names=False,
        include_encodings=_TRIED,
        empty_input_encoding=USUAL,
    )
    proposed = {_python_s(each["encoding"]): each["confidence"] for each in proposals}
    for encoding in map(_python_s, _TRIED):
        text = _text(sample, encoding)
        words = fit(text) if text else None
        if words is None or (encoding in _NOT_JAPANESE and is_japanese(text)):
            continue
        first = by_text.get(text, _Sense(words, 0.0, encoding, _script(text)))
        most = max(first.proposed, proposed.get(encoding, 0.0))
        by_text[text] = first._replace(proposed=most)
    if sum(sign > 0x7F for sign in sample) < FEW:
        return _of_few(by_text, _text(sample, USUAL))
    return list(by_text.values())


def _of_few(by_text: dict[str, _Sense], usual: str) -> list[_Sense]:
    """What can be made of few signs: the usual, else a letter beside words."""
    beyond = [sign for sign in usual if sign > "\x7f"]
    if usual in by_text and _ILL_PLACED.search(usual):
        del by_text[usual]
    if usual in by_text:
        most = max(each.proposed for each in by_text.values())
        is_likely = by_text[usual].proposed >= NEARLY * most
        is_spoken = by_text[usual].words or not any(each.words for each in by_text.values())
        if _QUOTES.issuperset(beyond) or (is_likely and is_spoken):
            return [by_text[usual]]
    return [
        each
        for text, each in by_text.items()
        if each.words and any(sign > "\x7f" and sign.isalpha() for sign in text)
    ]


def _script(text: str) -> str:
    letters = Counter(sign for sign in text if sign > "\x7f" and sign.isalpha())
    names = (unicodedata.name(letter, "").partition(" ")[0] for letter, _ in letters.most_common(1))
    return next(names, "")


def _python_s(name: str | None) -> str:
    """Python's name of an encoding."""
    return codecs.lookup(name or USUAL).name


def _text(data: bytes, encoding: str) -> str:
    """Its beginning as text; "" if that is wrong in this encoding, or has control characters."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data[:SAMPLE])
    except (UnicodeError, ValueError):
        return ""
    return "" if CONTROL.search(text) else text
