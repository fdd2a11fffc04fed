"""Whether a text makes sense in Chinese, Japanese or Korean: its signs are common, or frequent."""

import re
import tomllib
from pathlib import Path

LEAST = 0.12
"""The share of signs that are the language's most frequent ones."""
COMMON = 0.9
"""The share that are in the first part of a standard, where the usual ones are."""
MANY = 60
"""Signs, some of which are frequent in any text."""
KANA = 0.1
"""The share of kana among the signs of a Japanese text, at least."""
SHORT = 4
"""Signs in a row; where so few on average touch Latin letters, they are these letters' accents."""

_SIGNS = "\u3005-\u3007\u3041-\u30ff\u3131-\u318e\u3400-\u9fff\uac00-\ud7a3\uff01-\uff9f"
_SIGN = re.compile(f"[{_SIGNS}]")
_MARK = re.compile("[\u2190-\u27bf\u3003\u3004\u3008-\u303f\uffe0-\uffe6]")
"""Arrows, numbers in circles, stars: what stands between its signs."""
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


def marks(text: str) -> int:
    """What may stand between its signs."""
    return len(_MARK.findall(text))


def is_japanese(text: str) -> bool:
    """Whether many of its signs are kana; a few are in other languages' texts, too."""
    return len(_KANA.findall(text)) > KANA * count(text)


def fit(text: str) -> float | None:
    """The share of frequent signs; 0.0: they are common at least; None: neither."""
    signs = _SIGN.findall(text)
    if not signs or _are_accents(text, len(signs)):
        return None
    language = "zh"
    if is_japanese(text):
        language = "ja"
    elif _HANGUL.search(text):
        language = "ko"
    share = sum(
        sign in _FREQUENT[language] or _KANA.match(sign) is not None for sign in signs
    ) / len(signs)
    if share >= LEAST:
        return share
    if len(signs) < MANY and any(_are_usual(signs, standard) for standard in _USUAL):
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
