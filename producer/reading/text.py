"""Bytes as text: by what the file says of its encoding, else by what a library finds."""

import codecs
import re

from . import encodings
from .reading import Binary, Unreadable

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte-order marks; those of UTF-32 begin as those of UTF-16 do and go first."""

_SHIFTED = (
    ("iso2022_kr", re.compile(rb"\x1b\$\)C")),
    ("iso2022_jp_ext", re.compile(rb"\x1b(\$[@B]|\([IJ])")),
    ("hz", re.compile(rb"~\{([!-w][!-~])+~\}")),
    ("utf-7", re.compile(rb"\+[A-Za-z0-9+/]{3,}")),
)
"""Encodings whose bytes are all ASCII, and what only their texts hold."""

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
_NO_CHARSETS = {"unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined"}

_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)((?:\\u[0-9a-fA-F]{4})+)")

MAX_WRONG = 0.001
"""The share of bytes that may be no UTF-8 in a text that is UTF-8 otherwise."""


def decoded(data: bytes, declared: str = "") -> tuple[str, list[str]]:
    """The text, and what had to be guessed or replaced.

    By byte-order mark, then what the file or its envelope (`declared`) says, then strict UTF-8,
    then UTF-8 with a few wrong bytes, then by what a library finds if the text then makes sense in
    one language. Raises `Unreadable`.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _replaced(data, encoding)
    if b"\0" in data:
        if encoding := encodings.wide(data):
            return data.decode(encoding, "replace"), []
        raise Binary
    for encoding in (_shifted(data), _codec(declared), _codec(_said(data)), "utf-8"):
        if text := _strictly(data, encoding):
            return _believed(data, text, encoding)
    return _guessed(data)


def unescaped(json_text: str) -> str:
    """JSON with its letters instead of their numbers, which are six signs each."""
    return _ESCAPED.sub(_letters, json_text)


def _letters(escaped: re.Match[str]) -> str:
    """Signs that JSON needs escaped, and half ones, stay."""
    numbers = escaped[2].split("\\u")[1:]
    units = b"".join(int(number, 16).to_bytes(2, "big") for number in numbers)
    text = units.decode("utf-16-be", "replace")
    if not text.isprintable() or "\ufffd" in text or '"' in text or "\\" in text:
        return escaped[0]
    return f"{escaped[1]}{text}"


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding) if encoding else ""
    except (UnicodeError, ValueError):
        return ""


def _believed(data: bytes, text: str, said: str) -> tuple[str, list[str]]:
    """What is said of a text is not believed if only in another encoding it has words."""
    if data.isascii() or said == "utf-8" or encodings.makes_sense(text):
        return text, []
    utf8 = _strictly(data, "utf-8")
    other = "utf-8" if utf8 else encodings.spoken(data)
    if not other or other == said:
        return text, []
    return data.decode(other, "replace"), [f"it says that it is {said}, but it is {other}"]


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


def _shifted(data: bytes) -> str:
    """Encodings whose bytes are all ASCII."""
    for encoding, mark in _SHIFTED:
        if mark.search(data) and (encoding != "utf-7" or encodings.is_utf7(data)):
            return encoding
    return ""


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


def _guessed(data: bytes) -> tuple[str, list[str]]:
    """A few wrong bytes make a text no other's: neither one in UTF-8, nor one in ASCII."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd") - data.count("\ufffd".encode())
    right = sum(sign > "\x7f" for sign in text) - wrong
    is_nearly = wrong <= max(1, len(data) * MAX_WRONG)
    if is_nearly and right > wrong:
        return text, _told(wrong, "utf-8")
    try:
        return _found(data)
    except Unreadable:
        if is_nearly and not encodings.CONTROL.search(text):
            return text, _told(wrong, "utf-8")
        raise


def _found(data: bytes) -> tuple[str, list[str]]:
    encoding, sure = encodings.found(data)
    try:
        text = data.decode(encoding)
    except UnicodeError:
        raise Unreadable(f"its encoding begins as {encoding} and goes on as another") from None
    return text, [f"its encoding was found to be {encoding} ({sure} % sure): it does not say so"]
