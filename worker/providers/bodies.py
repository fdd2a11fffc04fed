"""The JSON in a response's body, read as generously as it can be without guessing. Pure.

Read are: one value, whatever stands behind it; blank lines or a byte-order mark before it; a stream
of server-sent events or of lines of JSON that was not asked for.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

MOST_BYTES = 64_000_000
"""Of a reply: a stream has some 300 bytes for each token, and no model writes 200,000."""

MOST_MARKS = 500_000
"""Of JSON in one piece: while it is parsed, no other call of this process goes on, which takes half
a second then. An answer of 100,000 tokens has some 50,000, one about JSON 200,000.
"""
MOST_IN_EVENTS = 10 * MOST_MARKS
"""Of all the events of a stream: some 15 in each, and one for each token."""

MOST_DIGITS = 400
"""Of an integer. A longer one is no count of anything, and Python would refuse to read it."""
END_MARKS = (
    b"data: [DONE]",
    b"data:[DONE]",
    b'"type":"message_stop"',
    b'"type": "message_stop"',
)
"""OpenAI's and Anthropic's; Gemini's streams have none."""
END_BYTES = 64
"""In which the mark stands, with what may follow it."""
_BLANKS = re.compile(r"\s*")


def documents(body: bytes | str) -> list[Json]:
    """Every JSON object in the body, in order; of an array its objects. [] if there is none."""
    text = body
    if isinstance(text, bytes):
        text = text.decode(_encoding(text), "replace")
    text = text.lstrip("\ufeff \t\r\n\0")
    if re.match(r"(data|event|id|retry)?:", text):
        text = _events(text)
    elif not is_moderate(text):
        return []
    found = []
    place = 0
    while place < len(text):
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, list | dict):
            break
        found += _objects(value)
        place = _BLANKS.match(text, place).end()  # type: ignore[union-attr]
    return found


def is_moderate(body: bytes | str, most: int = MOST_MARKS) -> bool:
    """Whether JSON has at most so many values, and so many of JSON's marks in its texts."""
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    return sum(map(body.count, (b"[", b"{", b","))) <= most


def is_stream(headers: Mapping[str, str]) -> bool:
    """Whether a body comes piece by piece, as its headers say."""
    kind = headers.get("content-type", "").lower()
    return "event-stream" in kind or "ndjson" in kind


def has_ended(stream: bytes | bytearray) -> bool:
    """Whether it says that it is whole, which some servers do and keep the connection open."""
    return any(mark in stream[-END_BYTES:] for mark in END_MARKS)


def clean(text: str) -> str:
    """Without lone surrogates, which no JSON, database or log would take."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def written(value: object) -> str:
    """A value as JSON text."""
    try:
        return clean(json.dumps(value, ensure_ascii=False))
    except (ValueError, TypeError, RecursionError):
        return "null"


def mapping(value: object) -> Json:
    """The object that the value is, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The values of an array; of anything else, itself; none of null."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text_of(value: object) -> str:
    """The text that the value is, or ""."""
    return clean(value) if isinstance(value, str) else ""


def _encoding(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return "utf-8"


def _events(text: str) -> str:
    """The data of server-sent events, an event a line; without any, what is no comment."""
    lines = [line.strip() for line in text.splitlines()]
    if not any(line.startswith("data:") for line in lines):
        whole = "\n".join(line for line in lines if not line.startswith(":")).lstrip()
        return whole if is_moderate(whole) else ""
    if not is_moderate(text, MOST_IN_EVENTS):
        return ""
    data = (line.removeprefix("data:").strip() for line in lines if line.startswith("data:"))
    events = (each for each in data if each.startswith(("{", "[{")))
    return "\n".join(each for each in events if is_moderate(each))


def _objects(value: object) -> list[Json]:
    return [each for each in items(value) if isinstance(each, dict)]


def _integer(digits: str) -> int | None:
    if len(digits) > MOST_DIGITS:
        return None
    return int(digits)


def _number(digits: str) -> float | None:
    value = float(digits)
    if math.isfinite(value):
        return value
    return None


_DECODER = json.JSONDecoder(
    strict=False,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=lambda _: None,
)
