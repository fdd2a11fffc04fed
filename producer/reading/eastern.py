"""Whether a text makes sense in Chinese, Japanese or Korean: its signs are common, or frequent."""

import re
import tomllib
from pathlib import Path

LEAST = 0.12
"""The share of signs that are the language's most frequent ones."""
COMMON = 0.9
"""The share that are in the first part of a standard, where the usual ones are."""
SHORT = 4
"""Signs in a row; where so few on average touch Latin letters, they are these letters' accents."""

_SIGNS = "\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff01-\uff9f"
_SIGN = re.compile(f"[{_SIGNS}]")
_RUN = re.compile(f"[{_SIGNS}]+")
_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_LATIN = re.compile("[A-Za-z]")
_TOUCHING = re.compile(f"(?<=[A-Za-z])[{_SIGNS}]+|[{_SIGNS}]+(?=[A-Za-z])")
_USUAL = {
    "gb2312": (0xA1, 0xD7),
    "big5": (0xA1, 0xC6),
    "euc_jp": (0xA1, 0xCF),
    "euc_kr": (0xA1, 0xC8),
}
"""Standard -> the first bytes of its signs that are in use every day: those at its beginning."""
_FREQUENT: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("languages.toml").read_text("utf-8")
)["unspaced"]


def count(text: str) -> int:
    """Its signs."""
    return len(_SIGN.findall(text))


def has_kana(text: str) -> bool:
    return bool(_KANA.search(text))


def fit(text: str) -> float | None:
    """The share of frequent signs; 0.0: they are common at least; None: neither."""
    signs = _SIGN.findall(text)
    if not signs or _are_accents(text, len(signs)):
        return None
    language = "zh"
    if has_kana(text):
        language = "ja"
    elif _HANGUL.search(text):
        language = "ko"
    share = sum(sign in _FREQUENT[language] or has_kana(sign) for sign in signs) / len(signs)
    if share >= LEAST:
        return share
    if any(_are_usual(signs, standard) for standard in _USUAL):
        return 0.0
    return None


def _are_accents(text: str, signs: int) -> bool:
    runs = len(_RUN.findall(text))
    if signs > min(len(_LATIN.findall(text)), SHORT * runs):
        return False
    return 2 * len(_TOUCHING.findall(text)) > runs


def _are_usual(signs: list[str], standard: str) -> bool:
    first, last = _USUAL[standard]
    bytes_of = (sign.encode(standard, "ignore") for sign in signs)
    return sum(len(each) > 1 and first <= each[0] <= last for each in bytes_of) > COMMON * len(
        signs
    )
