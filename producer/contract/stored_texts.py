"""A request as the ledger keeps it: its large texts apart, each by its hash, so that a thousand
questions about one picture hold it once. Pure.

A request without large texts is stored as its JSON object. Of another one an array is stored, [the
object without them, [[place, hash], ...]]; a place is the path to the text from the object.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

LARGE_BYTES = 16_384
"""From here on a text of a request is kept apart."""

Place = list[str | int]


class Apart(NamedTuple):
    """`request`: as it is stored. `texts`: hash -> text of what is kept apart."""

    request: str
    texts: Mapping[str, str]


class Together(NamedTuple):
    """`complete` False: texts of it are gone, and are empty in the request."""

    request: str
    complete: bool


def sha_of(text: str) -> str:
    """The name that a stored text has."""
    return hashlib.sha256(text.encode()).hexdigest()


def taken_apart(request: str) -> Apart:
    """From a request's JSON."""
    if len(request) < LARGE_BYTES:
        return Apart(request, {})
    whole = json.loads(request)
    texts: dict[str, str] = {}
    places: list[tuple[Place, str]] = []
    for place, text in list(_large(whole, [])):
        sha = sha_of(text)
        texts[sha] = text
        places.append((place, sha))
        _put(whole, place, "")
    if not texts:
        return Apart(request, {})
    stored = json.dumps([whole, places], ensure_ascii=False, separators=(",", ":"))
    return Apart(stored, texts)


def put_together(stored: str, texts_of: Callable[[list[str]], list[str | None]]) -> Together:
    """The request's JSON again. `texts_of` gives the texts of hashes, None for one that is gone."""
    if not stored.startswith("["):
        return Together(stored, True)
    whole, places = json.loads(stored)
    hashes = list(dict.fromkeys(sha for _, sha in places))
    found = dict(zip(hashes, texts_of(hashes), strict=True))
    for place, sha in places:
        _put(whole, place, found[sha] or "")
    request = json.dumps(whole, ensure_ascii=False)
    return Together(request, None not in found.values())


def _large(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        if len(value) >= LARGE_BYTES or len(value.encode()) >= LARGE_BYTES:
            yield place, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _large(each, [*place, name])
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _large(each, [*place, number])


def _put(whole: Any, place: Place, text: str) -> None:
    *path, last = place
    for step in path:
        whole = whole[step]
    whole[last] = text
