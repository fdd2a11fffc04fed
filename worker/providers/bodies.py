"""The JSON in a response's body, read as generously as it can be without guessing. Pure.

Read are: one value, whatever stands behind it; blank lines or a byte-order mark before it; a stream
of server-sent events or of lines of JSON that was not asked for.
"""

import json
import math
import re
from typing import Any

Json = dict[str, Any]

MOST_DIGITS = 400
"""Of an integer. A longer one is no count of anything, and Python would refuse to read it."""


def documents(body: bytes | str) -> list[Json]:
    """Every JSON object in the body, in order; of an array its objects. [] if there is none."""
    text = body
    if isinstance(text, bytes):
        text = text.decode(_encoding(text), "replace")
    text = text.lstrip("\ufeff \t\r\n\0")
    if re.match(r"(data|event|id|retry)?:", text):
        text = _events(text)
    found = []
    while text:
        try:
            value, end = _DECODER.raw_decode(text)
        except (ValueError, RecursionError):
            break
        found += _objects(value)
        text = text[end:].lstrip()
    return found


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
        return "\n".join(line for line in lines if not line.startswith(":")).lstrip()
    data = (line.removeprefix("data:").strip() for line in lines if line.startswith("data:"))
    return "\n".join(each for each in data if each.startswith(("{", "[{")))


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
