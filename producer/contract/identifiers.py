"""What may be the name of something: ids, keys, labels and the names of items and files.

An id becomes a header's value, a part of a path and a word on a command line, so it is plain ASCII.
A label is one line of a terminal.
"""

import re
from typing import Any

from .errors import InvalidRequest

MAX_JOB_ID = 255
MAX_BATCH_ID = 200
MAX_LABEL = 1024

_ID = re.compile(r"[!$&'()*+,.0-9:;=@A-Z\[\]^_`a-z{|}~][!$&'()*+,\-.0-9:;=@A-Z\[\]^_`a-z{|}~]*")
"""Visible ASCII without what ends a part of a URL or quotes a text; "-" would begin an option."""

_ITEM = re.compile(r".*\.[0-9]+(~[0-9]+)?")
"""An item of a batch, `<batch>.3`, and its second try, `<batch>.3~1`."""

_MARKS = "\u200e\u200f\u061c\ufeff\u200b\u2060\u00ad"
"""Marks of direction and signs without width: invisible, and two texts look the same."""


def checked_id(field: str, value: Any, most: int = MAX_JOB_ID) -> str:
    """`value`, or `InvalidRequest` that says what is wrong with it as an id."""
    reason = ""
    if not isinstance(value, str):
        reason = f"is a {type(value).__name__}"
    elif not 1 <= len(value) <= most:
        reason = f"has {len(value)} characters"
    elif value in (".", "..") or not _ID.fullmatch(value):
        reason = "cannot be a header's value, a part of a path and a word of a command"
    if not reason:
        return str(value)
    raise InvalidRequest(
        f"{field}: needs 1 to {most} characters, letters, digits and signs like . _ - : @, "
        f'no spaces and no "/", and no "-" at its beginning; this one {reason}. '
        "Fix: pass for example a uuid4 as text",
        {"fields": [field]},
    )


def checked_job_id(field: str, value: Any) -> str:
    """Of a job that is no item of a batch: ids like `<batch>.3` are the batch's own."""
    job_id = checked_id(field, value)
    if _ITEM.fullmatch(job_id):
        raise InvalidRequest(
            f'{field}: an id that ends in "." and a number is an item of a batch. '
            'Fix: write another sign before the number, for example "-"',
            {"fields": [field]},
        )
    return job_id


def checked_label(field: str, value: Any, most: int = MAX_LABEL) -> str:
    """`value`, or `InvalidRequest` if it is no text of one line. "" is none."""
    if not isinstance(value, str):
        raise InvalidRequest(
            f"{field}: needs a text, this one is a {type(value).__name__}", {"fields": [field]}
        )
    if len(value) > most:
        raise InvalidRequest(
            f"{field}: {len(value):,} characters, at most {most:,}. Fix: shorten it",
            {"fields": [field]},
        )
    shown = visible(value, keep="")
    if shown != value:
        raise InvalidRequest(
            f"{field}: holds characters that a line of a terminal cannot show ({shown[:200]}). "
            "Fix: remove them",
            {"fields": [field]},
        )
    return value


def visible(text: str, keep: str = "\n\t") -> str:
    """`text` with everything that is no visible sign written as an escape like \\x1b.

    Control sequences, changes of direction, signs without width and halves of characters; what is
    in `keep` stays.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(sign, keep) for sign in text)


def _shown(sign: str, keep: str) -> str:
    """Printable is what Unicode calls so, any space, and the joiners within words and emoji."""
    printable = sign.isprintable() and sign not in _MARKS
    if printable or sign in keep or sign in _SPACES_AND_JOINERS:
        return sign
    if sign in _NAMED:
        return _NAMED[sign]
    code = ord(sign)
    if code < 256:
        return f"\\x{code:02x}"
    if code < 65_536:
        return f"\\u{code:04x}"
    return f"\\U{code:08x}"


_SPACES_AND_JOINERS = "\u00a0\u2002\u2003\u2009\u202f\u3000\u200c\u200d"
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
