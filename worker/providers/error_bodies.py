"""What the body of an error states, in any vendor's shape: codes, a parameter, words. Pure.

What comes out is bounded. Only names leave this package; the words may repeat a prompt.
"""

import re
from typing import Any, NamedTuple

from .bodies import Json, documents, items, mapping, text_of, written

MOST_CHARACTERS = 2_000
"""Of a message: what it means stands at its beginning."""
MOST_CODES = 16
_MARKS = r"[\s\"'`\u2018\u2019\u201c\u201d()\[\]\\,\uff0c\u3002\u3001\uff1a\uff01]+"


class ErrorBody(NamedTuple):
    """`is_json`: whether it can be an API's. `code`, `type`, `param`: "" unless they are names.

    `codes`: everything in it that can be one, the most telling first. `status`: the HTTP status
    that it states, 0 if none. `words`: its message, without marks.
    """

    is_json: bool = False
    code: str = ""
    type: str = ""
    param: str = ""
    codes: tuple[str, ...] = ()
    status: int = 0
    words: tuple[str, ...] = ()
    wait: str = ""
    """Google's `retryDelay`."""


def error_body(body: object) -> ErrorBody:
    """Of a body as bytes, as text, or as an SDK has parsed it.

    A gateway may have put the body of the server behind it into its own: that one tells more.
    """
    text = ""
    if isinstance(body, bytes | str):
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        body = next(iter(documents(text)), None)
    if isinstance(body, list):
        body = next((each for each in body if isinstance(each, dict)), None)
    if not isinstance(body, dict):
        return ErrorBody(words=words_of(text))
    stated = _of_object(body)
    within = _within(body)
    if not within:
        return stated
    inner = _of_object(within)
    return inner._replace(codes=(*inner.codes, *stated.codes), status=stated.status or inner.status)


def _within(outer: Json) -> Json:
    """The body in `metadata.raw` (OpenRouter), or which the message is (gateways); {} if none."""
    stated = mapping(outer.get("error"))
    for place in (mapping(stated.get("metadata")).get("raw"), stated.get("message")):
        if isinstance(place, dict):
            return place
        if isinstance(place, str) and place.lstrip()[:1] in ("{", "["):
            return next(iter(documents(place)), {})
    return {}


def _of_object(outer: Json) -> ErrorBody:
    stated = outer.get("error")
    if stated is None:
        stated = next(iter(items(outer.get("errors"))), None)  # Cloudflare, IBM watsonx.ai
    if isinstance(stated, list):
        stated = next(iter(stated), None)  # Hugging Face
    inner = mapping(stated)
    details = _details(inner)
    kinds = [inner.get("type"), inner.get("status"), outer.get("type"), outer.get("error_type")]
    kinds += [outer.get("__type")]
    codes = [
        *(each.get("error_code") for each in details),
        *(each.get("reason") for each in details),
        *(_quota(each) for each in details),
        mapping(inner.get("innererror")).get("code"),
        inner.get("code"),
        outer.get("code"),
        *kinds,
        *list(mapping(inner.get("metadata")))[:MOST_CODES],
    ]
    named = [found for found in map(name_of, codes) if found]
    return ErrorBody(
        is_json=True,
        code=name_of(inner.get("code")) or name_of(outer.get("code")),
        type=next((found for found in map(name_of, kinds) if found and found != "error"), ""),
        param=name_of(inner.get("param") or outer.get("param")),
        codes=tuple(named[:MOST_CODES]),
        status=_status(inner) or _status(outer),
        words=_message(outer, stated),
        wait=next((text_of(each["retryDelay"]) for each in details if "retryDelay" in each), ""),
    )


def _details(inner: Json) -> list[Json]:
    """Google's list of them, and the violations in it; Anthropic has one object."""
    found = [mapping(each) for each in items(inner.get("details"))[:MOST_CODES]]
    for each in found[:]:
        found += [mapping(violation) for violation in items(each.get("violations"))[:MOST_CODES]]
    return found


def _quota(detail: Json) -> str:
    return "PerDay" if "PerDay" in text_of(detail.get("quotaId")) else ""


def _message(outer: Json, stated: object) -> tuple[str, ...]:
    """The words of the first of the usual places that has any."""
    inner = mapping(stated)
    places = [inner.get("message"), outer.get("message"), outer.get("detail"), inner.get("detail")]
    if isinstance(stated, str):
        places.insert(0, stated)
    for place in places:
        if place:
            return words_of(place if isinstance(place, str) else written(place))
    return ()


def words_of(text: str, lower: bool = False) -> tuple[str, ...]:
    """The words of a message, so that quotes, brackets, commas and colons make no difference."""
    bare = re.sub(_MARKS, " ", text[:MOST_CHARACTERS])
    if not lower:
        bare = bare.replace("{", " ").replace("}", " ")
    words = (word.strip(":;!?").rstrip(".") for word in bare.split())
    return tuple(word.lower() if lower else word for word in words if word)


def name_of(value: Any) -> str:
    """The value if it can be the name of a code, a type or a parameter, else "".

    No text, and no key: longer ones with digits are none.
    """
    if not isinstance(value, str) or len(value) > 64 or value in ("None", "null"):
        return ""
    if not re.fullmatch(r"[A-Za-z_][\w.\[\]]*|[a-z]+(-[a-z]+){1,7}", value, re.ASCII):
        return ""
    letters = re.sub(r"[\[.][0-9]+\]?", "", value)
    if len(letters) > 20 and re.search(r"[0-9]", letters):
        return ""
    return value


def _status(stated: Json) -> int:
    for name in ("code", "status", "status_code", "http_status_code"):
        value = stated.get(name)
        if isinstance(value, int | str) and re.fullmatch(r"[45][0-9][0-9]", str(value)):
            return int(value)
    return 0
