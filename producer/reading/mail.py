"""Mail: headers and the text that a reader of it sees; what is attached is still to be read."""

import base64
import email
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from . import page
from .reading import Attached, Reading, Unreadable
from .text import decoded

HEADERS = ("From", "To", "Cc", "Date", "Subject")
_TEXTS = ("text/plain", "text/html")
_NO_TEXTS = re.compile(
    r"(image|audio|video|font)/.*|text/css|.*/(x-)?javascript"
    r"|application/(pgp-encrypted|(pgp|(x-)?pkcs7)-signature)"
)
_NEXT = re.compile(rb"\r?\n\r?\n(?=From \S+ [^\r\n]*\d{4})")
"""Between two messages of a file of many (mbox, RFC 4155)."""
STUB = 0.1
"""Of the page beside it, a text that is shorter only says that there is a page."""


def read(data: bytes) -> Reading:
    first, _, rest = data.partition(b"\n")
    if first.strip().isdigit():
        data = rest  # Apple's .emlx begins with the length
    if not data.startswith(b"From "):
        return _message(data)
    reading = Reading("")
    for each in _NEXT.split(data):
        found = _message(each)
        reading.text += found.text + "\n\n"
        reading.left_out += found.left_out
        reading.attached += found.attached
    return reading


def _message(data: bytes) -> Reading:
    message = email.message_from_bytes(data, policy=default)
    reading = Reading("")
    lines = [f"{name}: {value}" for name in HEADERS if (value := _header(message, name, reading))]
    texts = [_text(part, reading) for part in _seen(message, reading)]
    lines += [f"\n{text.strip()}" for text in texts if text.strip()]
    reading.text = "\n".join(lines)
    if not lines:
        raise Unreadable("no mail: it has neither headers nor a text")
    return reading


def _header(message: EmailMessage, name: str, reading: Reading) -> str:
    try:
        value = str(message.get(name, "") or "").encode("utf-8", "surrogateescape")
    except Exception:  # the standard library's parser has its limits, and the text is worth more
        reading.left_out.append(f"the header {name} cannot be read")
        return ""
    text = value.decode("utf-8", "replace")
    if "\ufffd" in text:
        reading.left_out.append(f"bytes of the header {name} that are no UTF-8 were replaced")
    return " ".join(text.split())


def _seen(part: EmailMessage, reading: Reading) -> Iterator[EmailMessage]:
    """The texts that a reader sees, in order. Others are put into the reading."""
    kind = part.get_content_type()
    if kind == "multipart/alternative":
        yield from _best([list(_seen(form, reading)) for form in _parts(part)])
    elif part.is_multipart() and not kind.startswith("message/"):
        for each in _parts(part):
            yield from _seen(each, reading)
    elif kind in _TEXTS and not part.get_filename() and not part.is_attachment():
        yield part
    elif kind.startswith("multipart/"):
        yield part  # damaged: its parts cannot be told apart
    elif _NO_TEXTS.fullmatch(kind):
        reading.left_out.append(f"attachment {_name(part)}: no text ({kind})")
    else:
        is_shown = kind.startswith(("message/", "text/")) and not part.get_filename()
        reading.attached.append(Attached(_name(part), _content(part), is_shown))


def _parts(part: EmailMessage) -> list[EmailMessage]:
    return cast(list[EmailMessage], part.get_payload())


def _best(forms: list[list[EmailMessage]]) -> list[EmailMessage]:
    """Of the same in several forms the plain one, if it says what the page does."""
    forms = [form for form in forms if form]
    plain = [form for form in forms if form[0].get_content_type() == "text/plain"]
    others = [form for form in forms if form not in plain]
    if not plain or not others:
        return (plain or others or [[]])[-1]
    told = Reading("")
    says = [sum(len(_text(part, told).strip()) for part in form) for form in (plain[0], others[-1])]
    if says[0] <= STUB * says[1]:
        return others[-1]
    return plain[0]


def _text(part: EmailMessage, reading: Reading) -> str:
    """One that cannot be read is told."""
    kind = part.get_content_type()
    charset = str(part.get_content_charset("") or "")
    try:
        if kind == "text/html":
            found = page.read(_content(part), charset)
        else:
            found = Reading(*decoded(_content(part), charset))
    except Unreadable as error:
        reading.left_out.append(f"a part ({kind}): {error}")
        return ""
    reading.left_out += found.left_out
    return found.text


def _content(part: EmailMessage) -> bytes:
    """Nothing of what the standard library cannot decode."""
    try:
        if part.get_content_type().startswith("message/") and part.is_multipart():
            return b"".join(map(_inner, _parts(part)))
        data: Any = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AttributeError):
        return b""
    return data or b""


def _inner(message: EmailMessage) -> bytes:
    """Also of one that is encoded as a whole, which the standard library leaves so."""
    if message.keys():
        return message.as_bytes()
    return base64.b64decode(str(message.get_payload()))


def _name(part: EmailMessage) -> str:
    if name := part.get_filename():
        return name
    if part.get_content_type() == "message/rfc822":
        return "a message"
    return str(part.get_content_type())
