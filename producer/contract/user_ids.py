"""Which user an id means. Ids of one person that are spelt in several ways would have limits each:
`LLM_USER_IDS` says what is spelt alike before anything counts.
"""

import unicodedata
from collections.abc import Collection
from typing import Any, Literal, get_args

from .errors import InvalidRequest

Form = Literal["casefold", "nfc"]
"""casefold: without the difference of capital letters; nfc: composed signs (Unicode's NFC)."""
FORMS: tuple[Form, ...] = get_args(Form)
MOST = 128


def forms_of(text: str) -> frozenset[str]:
    """From "casefold,nfc"."""
    return frozenset(each.strip() for each in text.split(",") if each.strip())


def alike(user_id: str, forms: Collection[str]) -> str:
    """The id as all that mean the same are spelt. Twice is as once.

    Both together are the canonical caseless match of the Unicode Standard (section 3.13, D145).
    """
    composed, folded = "nfc" in forms, "casefold" in forms
    if composed and folded:
        user_id = unicodedata.normalize("NFD", user_id)
    if folded:
        user_id = user_id.casefold()
    return unicodedata.normalize("NFC", user_id) if composed else user_id


def checked_user(user_id: Any, forms: Collection[str] = ()) -> str:
    """`user_id` as it counts, or `InvalidRequest`."""
    if isinstance(user_id, str) and len(user_id) <= MOST:
        counted = alike(user_id, forms)
        if 1 <= len(counted) <= MOST and counted.isprintable():
            return counted
    got = f"a {type(user_id).__name__}"
    if user_id is None:
        got = "missing"
    raise InvalidRequest(
        f"user_id: needs a printable string of 1 to {MOST} characters, this one is {got}. "
        "Fix: pass str(user.id)",
        {"fields": ["user_id"]},
    )
