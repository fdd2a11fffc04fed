"""Whether what a reader made of a file is text, and what in it is none."""

import re
from collections.abc import Callable

from .reading import NoDocument, Unreadable

_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.{0,400}?[A-Za-z0-9+/]{24}"
    r"|^PuTTY-User-Key-File-\d|^AGE-SECRET-KEY-1[A-Z0-9]{40}",
    re.DOTALL | re.MULTILINE,
)
_URI = (
    r"data:(?P<kind>[a-z0-9.+/-]{1,80})?(?:;[a-z0-9=_.-]{1,80})*;base64,"
    r"(?P<data>[A-Za-z0-9+/=_%-]++)"
)
_DATA_URI = re.compile(_URI, re.IGNORECASE)
_PLAIN_URI = re.compile(
    r"data:(?P<kind>[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,40})(?:;[a-z0-9=_.-]{1,80})*,"
    r"(?P<data>[^\s()\"'<>]{100,})",
    re.IGNORECASE,
)
"""One whose data are not encoded, or by signs of per cent."""
_PICTURE = re.compile(
    rf"!\[(?P<shown>[^\]\n]{{0,300}})\]\([ \t]*<?{_URI}[^)\n]{{0,300}}\)", re.IGNORECASE
)
"""One in Markdown, with the text that stands for it."""
_BASE64 = re.compile(
    r"(?:^[A-Za-z0-9+/]{60,}={0,2}[ \t]*\r?\n?){5,}[A-Za-z0-9+/]*={0,2}", re.MULTILINE
)
"""Five lines or more as encoders write them."""
_UUENCODED = re.compile(
    r"^begin [0-7]{3,4} [^\n]{1,200}\n(?:[!-`]{2,62}\r?\n)+(?:[ `]\r?\n)?end$", re.MULTILINE
)
_LONG = re.compile(r"[A-Za-z0-9+/_-]{2000,}={0,2}")
_LATE = bytes(range(0x80, 0xC0)).decode("cp1252", "ignore") + "\x81\x8d\x8f\x90\x9d"
_TWICE = re.compile(f"[\u00c2-\u00f4][{re.escape(_LATE)}]")
"""UTF-8 that was read as Windows-1252."""

MAX_CONTROLS = 0.005
MAX_PRIVATE = 0.05
"""Shares of a text's characters."""
LEAST_SPACES = 0.02
"""Of a text in an alphabet, which has some 0.15."""
MANY = 1000
"""Characters from which on a share says something."""

NO_WORDS = "no words but encoded data"
_ASCII = re.compile("[!-~]")
_NAMED = re.compile(r"\[[^\[\]\n]{1,120}\]")
_CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_BREAK = re.compile(r"[\s,;|:/\-–—]")


def checked(text: str) -> tuple[str, list[str]]:
    """`text` without encoded data, and what was left out.

    Raises `Unreadable` if it is no text, `NoDocument` if it has a private key.
    """
    if found := _KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise NoDocument(f"holds a private key (line {line}), which is sent to nobody")
    left_out: list[str] = []
    text = _without(_PICTURE, text, left_out, _uri)
    text = _without(_DATA_URI, text, left_out, _uri)
    text = _without(_PLAIN_URI, text, left_out, _uri)
    text = _without(_BASE64, text, left_out, _block)
    text = _without(_UUENCODED, text, left_out, _block)
    text = _without(_LONG, text, left_out, _block)
    text, repaired = _decoded_once(text)
    if reason := _nonsense(text):
        raise Unreadable(reason)
    if not _something(text):
        raise Unreadable("empty")
    if left_out and not _something(_NAMED.sub("", text)):
        raise Unreadable(f"{NO_WORDS} ({left_out[0].removesuffix(', left out')})")
    return text, left_out + repaired


def _something(text: str) -> bool:
    """Marks of direction and joiners are nothing to read."""
    return any(not sign.isspace() and sign.isprintable() for sign in text)


def _without(
    pattern: re.Pattern[str], text: str, left_out: list[str], name: Callable[[re.Match[str]], str]
) -> str:
    found: list[str] = []

    def named(match: re.Match[str]) -> str:
        found.append(name(match))
        shown = match.groupdict().get("shown") or found[-1].partition(",")[0]
        return f"[{shown}]"

    text = pattern.sub(named, text)
    left_out += [f"{each}, left out" for each in found[:5]]
    if len(found) > 5:
        left_out.append(f"{len(found) - 5:,} more such blocks, left out")
    return text


def _uri(match: re.Match[str]) -> str:
    return f"{match['kind'] or 'data'}, {len(match['data']) * 3 // 4:,} bytes"


def _block(match: re.Match[str]) -> str:
    return f"encoded data, {len(match[0]) * 3 // 4:,} bytes"


def _decoded_once(text: str) -> tuple[str, list[str]]:
    """Undoes a second encoding, if all of the text had one."""
    if len(_TWICE.findall(text)) < 3:
        return text, []
    try:
        once = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text, []
    return once, ["it was encoded twice as UTF-8, which was undone"]


def _nonsense(text: str) -> str:
    """Why it is no text, "" if it is one."""
    signs = len(text)
    controls = len(_CONTROL.findall(text))
    if controls > max(3, MAX_CONTROLS * signs):
        return "no text but binary data (control characters). Fix: leave it out, or convert it"
    private = len(_PRIVATE.findall(text))
    if private > max(3, MAX_PRIVATE * signs):
        return "its fonts do not say which characters they show. Fix: run OCR over it first"
    unknown = text.count("\ufffd")
    if unknown > max(3, MAX_PRIVATE * signs):
        return "many of its characters cannot be decoded. Fix: save it as UTF-8"
    breaks = len(_BREAK.findall(text))
    if signs > MANY and breaks < LEAST_SPACES * signs and len(_ASCII.findall(text)) * 2 > signs:
        return f"{NO_WORDS}. Fix: leave it out, or decode it"
    return ""
