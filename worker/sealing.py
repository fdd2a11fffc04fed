"""Sealing: the public key can seal, and only the private key can open.

HPKE (RFC 9180) in base mode with X25519, HKDF-SHA256 and ChaCha20-Poly1305: a fresh key for every
text, wrapped for one reader. Only this file imports cryptography.
"""

import base64
import binascii
import hashlib
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class Pair(NamedTuple):
    """Both halves of a key, as text: 32 bytes each, base64 for URLs."""

    public: str
    private: str


class Unopened(Exception):
    """The key is not in the keyring, or the text is not what was sealed."""


class Seal:
    """Closes texts. `id` names the key that opens them. Raises `ValueError` for an invalid key."""

    def __init__(self, public: str) -> None:
        raw = _bytes(public)
        self.id = _id(raw)
        self._key = X25519PublicKey.from_public_bytes(raw)

    def close(self, text: str, about: str) -> str:
        """`text`, sealed, in base64.

        It opens for the same `about` only, so that it cannot be passed off as another job's.
        """
        sealed = _SUITE.encrypt(text.encode(), self._key, about.encode())
        return base64.b64encode(sealed).decode()


class Keyring:
    """Opens texts with any of some private keys. Raises `ValueError` for an invalid key."""

    def __init__(self, private: list[str]) -> None:
        self._keys: dict[str, X25519PrivateKey] = {}
        for text in private:
            key = X25519PrivateKey.from_private_bytes(_bytes(text))
            public = key.public_key().public_bytes_raw()
            self._keys[_id(public)] = key

    def open(self, key_id: str, sealed: str, about: str) -> str:
        """What was sealed. Raises `Unopened`."""
        if key_id not in self._keys:
            raise Unopened(
                f"sealed with key {key_id}, whose private half is not in LLM_AUDIT_PRIVATE_KEYS"
            )
        key = self._keys[key_id]
        try:
            text = _SUITE.decrypt(base64.b64decode(sealed), key, about.encode())
        except InvalidTag:
            raise Unopened("the entry was changed, or belongs to another job") from None
        return text.decode()


def new_pair() -> Pair:
    """A new key."""
    key = X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return Pair(_text(public), _text(key.private_bytes_raw()))


def _id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:12]


def _bytes(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise ValueError("no key: 32 bytes in base64, as `completions audit key` prints them")
    return raw


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
