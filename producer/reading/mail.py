"""Mail: headers and the text that a reader of it sees; attachments are named."""

import email
from email.message import EmailMessage
from email.policy import default
from typing import cast

from . import page
from .reading import Reading, Unreadable
from .text import decoded

HEADERS = ("From", "To", "Cc", "Date", "Subject")


def read(data: bytes) -> Reading:
    message = email.message_from_bytes(data, policy=default)
    reading = Reading("")
    lines = [f"{name}: {value}" for name in HEADERS if (value := _header(message, name))]
    body = message.get_body(("plain", "html"))
    if body is not None:
        lines.append("\n" + _text(cast(EmailMessage, body), reading))
    for part in message.walk():
        if part is not body and not part.is_multipart() and _is_other(message, part):
            reading.left_out.append(f"attachment {_name(part)}")
    reading.text = "\n".join(lines)
    if not lines:
        raise Unreadable("no mail: it has neither headers nor a text")
    return reading


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = str(message.get(name, "") or "")
        return " ".join(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())
    except Exception:  # the standard library's parser has its limits, and the text is worth more
        return "(unreadable)"


def _text(part: EmailMessage, reading: Reading) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    charset = str(part.get_content_charset("") or "")
    if part.get_content_type() == "text/html":
        found = page.read(data, charset)
        reading.left_out += found.left_out
        return found.text
    text, told = decoded(data, charset)
    reading.left_out += told
    return text


def _is_other(message: EmailMessage, part: object) -> bool:
    """Another form of the body is none of what is left out."""
    content_type = cast(EmailMessage, part).get_content_type()
    return content_type not in ("text/plain", "text/html") or bool(
        cast(EmailMessage, part).get_filename()
    )


def _name(part: object) -> str:
    message = cast(EmailMessage, part)
    return str(message.get_filename() or message.get_content_type())
