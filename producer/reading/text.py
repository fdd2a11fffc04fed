"""Bytes as text: by what the file says of its encoding, else by what a library finds."""

import codecs
import re

from charset_normalizer import from_bytes

from .languages import fit, has_kana
from .reading import Unreadable

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte-order marks; those of UTF-32 begin as those of UTF-16 do and go first."""

_SHIFTS = {
    b"\x1b$)C": "iso2022_kr",
    b"\x1b$B": "iso2022_jp",
    b"\x1b$@": "iso2022_jp",
    b"\x1b(J": "iso2022_jp",
}
"""Sequences that only such texts hold; all their bytes are ASCII."""

_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([\w.:-]{1,40})"""
    rb"""|<meta\s[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_AS_BROWSERS_DO = {
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "windows-874": "cp874",
    "windows-31j": "cp932",
    "iso-8859-8-i": "iso8859_8",
}
"""What the names of encodings mean in practice (WHATWG Encoding Standard, section 4.2)."""
_NO_CHARSETS = {"utf_7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined"}

MAX_WRONG = 0.001
"""The share of bytes that may be no UTF-8 in a text that is UTF-8 otherwise."""
_NOT_JAPANESE = ("gb18030", "big5hkscs", "cp949", "johab")
"""These have kana, too: at the places of EUC-JP, beside other ideographs."""
SAMPLE = 50_000
"""Bytes and characters that an encoding is found by."""
_TRIED = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("iso8859_2", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9"),
    *("iso8859_13", "iso8859_15", "iso8859_16", "koi8_r", "koi8_u"),
    *("cp866", "cp850", "cp852", "cp437", "mac_roman", "mac_cyrillic", "mac_latin2"),
    *("cp932", "euc_jp", "gb18030", "big5hkscs", "cp949", "johab"),
]


def decoded(data: bytes, declared: str = "") -> tuple[str, list[str]]:
    """The text, and what had to be guessed or replaced.

    By byte-order mark, then what the file or its envelope (`declared`) says, then strict UTF-8,
    then UTF-8 with a few wrong bytes, then by what a library finds if the text then makes sense in
    one language. Raises `Unreadable`.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _replaced(data, encoding)
    if encoding := _wide(data):
        return data.decode(encoding, "replace"), []
    if b"\0" in data:
        raise Unreadable("no text but binary data. Fix: leave it out, or convert it")
    for encoding in (_shifted(data), _codec(declared), _codec(_said(data)), "utf-8"):
        if encoding:
            try:
                return data.decode(encoding), []
            except (UnicodeError, ValueError):
                continue
    return _mostly_utf8(data) or _found(data)


def _replaced(data: bytes, encoding: str) -> tuple[str, list[str]]:
    text = data.decode(encoding, "replace")
    wrong = text.count("\ufffd") - data.count("\ufffd".encode())
    if wrong > 0 and encoding != "utf-8-sig":
        wrong = text.count("\ufffd")
    return text, _told(wrong, encoding.removesuffix("-sig"))


def _told(wrong: int, encoding: str) -> list[str]:
    if wrong <= 0:
        return []
    return [f"{wrong:,} bytes that are no {encoding.upper()} were replaced"]


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: most characters have a zero byte, all of them at one side."""
    sample = data[:4096]
    if len(sample) < 4 or len(data) % 2:
        return ""
    even = sample[0::2].count(0)
    odd = sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.6 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.6 and odd < half * 0.05:
        return "utf-16-be"
    return ""


def _shifted(data: bytes) -> str:
    if b"~{" in data and b"~}" in data and fit(data[:SAMPLE].decode("hz", "ignore")):
        return "hz"
    return next((encoding for shift, encoding in _SHIFTS.items() if shift in data), "")


def _said(data: bytes) -> str:
    found = _DECLARED.search(data[:4096])
    if not found:
        return ""
    return (found[1] or found[2]).decode()


def _codec(name: str) -> str:
    """Python's name of an encoding of texts; "" if it is none."""
    name = name.strip().lower()
    try:
        codec = codecs.lookup(_AS_BROWSERS_DO.get(name, name))
    except (LookupError, ValueError):
        return ""
    is_charset = codec._is_text_encoding and codec.name.replace("-", "_") not in _NO_CHARSETS
    if not is_charset or codec.name.startswith(("utf-16", "utf-32")):
        return ""  # these have a zero byte or a mark, whatever the file says
    return codec.name


def _mostly_utf8(data: bytes) -> tuple[str, list[str]] | None:
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd") - data.count("\ufffd".encode())
    right = sum(character > "\x7f" for character in text) - wrong
    if wrong > max(1, len(data) * MAX_WRONG) or right <= wrong:
        return None
    return text, _told(wrong, "utf-8")


def _found(data: bytes) -> tuple[str, list[str]]:
    """What makes sense in a language, if nothing else makes half as much."""
    found: dict[str, tuple[float, str]] = {}
    for encoding in (*_TRIED, *_proposed(data)):
        sample = _sample(data, encoding)
        sense = fit(sample)
        if sense and not (encoding in _NOT_JAPANESE and has_kana(sample)):
            found.setdefault(sample, (sense, encoding))
    ranked = sorted(found.values(), reverse=True)
    if not ranked:
        raise Unreadable("no text in an encoding that can be told. Fix: save it as UTF-8")
    if len(ranked) > 1 and ranked[1][0] * 2 > ranked[0][0]:
        named = " or ".join(encoding for _, encoding in ranked)
        raise Unreadable(f"its encoding may be {named}, and it does not say. Fix: save it as UTF-8")
    _, encoding = ranked[0]
    try:
        text = data.decode(encoding)
    except UnicodeError:
        raise Unreadable(f"its encoding begins as {encoding} and goes on as another") from None
    return text, [f"its encoding was found to be {encoding}: it does not say so itself"]


def _sample(data: bytes, encoding: str) -> str:
    """Its beginning as text; "" if that is wrong in this encoding."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data[:SAMPLE])
    except (UnicodeError, ValueError):
        return ""


def _proposed(data: bytes) -> set[str]:
    """What charset-normalizer finds beyond the usual ones."""
    best = from_bytes(data[:SAMPLE]).best()
    if best is None:
        return set()
    return {best.encoding}
