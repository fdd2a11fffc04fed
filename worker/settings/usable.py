"""Keys, headers and base URLs that a request can be sent with."""

import re
from urllib.parse import urlsplit

from pydantic import SecretStr

QUOTES = "\"'`\u2018\u2019\u201c\u201d"


def usable_url(text: str | None) -> str | None:
    """The URL without blanks around it. Raises `ValueError` if no request can be sent there."""
    text = (text or "").strip()
    if not text:
        return None
    if not text.isprintable() or any(sign in text for sign in (*QUOTES, " ", "\\")):
        raise ValueError("it has a quote, a blank or a control character")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must begin with http:// or https:// and name a host")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("it must end with its path: no ? and no #")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it must hold no user and no password")
    if parts.port == 0:
        raise ValueError("port 0 cannot be reached")
    return text


def usable_key(secret: SecretStr | None) -> SecretStr | None:
    """The key without blanks around it. Raises `ValueError` if no header can hold it."""
    if secret is None:
        return None
    key = secret.get_secret_value().strip()
    if not key:
        return None
    if any(sign in key for sign in QUOTES):
        raise ValueError("the key has quotes: leave them out")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("the key has a blank, a control character or a letter outside ASCII")
    return SecretStr(key)


def usable_headers(given: dict[str, str]) -> dict[str, SecretStr]:
    """Raises `ValueError` for what no request can be sent with, or what the adapters send."""
    for name, text in given.items():
        if not _HEADER.fullmatch(name):
            raise ValueError("a header's name has letters, digits and - only")
        if name.lower() in _OURS:
            raise ValueError(f"the header {name} is sent anyway")
        if not text.isascii() or not text.isprintable():
            raise ValueError(f"the header {name} has a control character or a letter outside ASCII")
    return {name: SecretStr(text) for name, text in given.items()}


_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_OURS = {
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "x-client-request-id",
}
