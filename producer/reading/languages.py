"""Whether a text makes sense in a language: its letters are the language's, its words are frequent.

That tells an encoding from another one that gives letters, too: Polish read as French has letters
that French lacks, Russian read in a wrong code page has none of Russian's words.
"""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

LEAST_WORDS = 0.04
"""The share of words that are a language's most frequent ones. In prose it is 0.2 to 0.4."""
LEAST_DIFFERENT = 2
"""How many of them there are: one may be chance."""
LEAST_SIGNS = 0.06
"""The same for signs of texts without spaces between words."""
MAX_STRANGE = 0.02
"""The share of letters beyond ASCII that may be another language's: names and quotations."""
MAX_CASES = 0.05
"""The share of words in which a capital follows a small letter."""

_TAG = re.compile(r"<[^<>]{0,2000}>")
_WORD = re.compile(r"[^\W\d_]+")
_JOINING = frozenset("’·•\u00ad–—‐‑")
"""Beyond ASCII, what may stand between two letters."""
_CASES = re.compile(r"[a-zà-öø-ÿа-яё][A-ZÀ-ÖØ-ÞА-ЯЁ]")
_MIXED = re.compile("[a-zA-Z][\u0370-\u1dff]|[\u0370-\u1dff][a-zA-Z]")
"""Latin letters beside those of another script, in one word."""

_GLUED = re.compile("[а-яё]€|[^\\W\\d_]\\d[^\\W\\d_]\\d[^\\W\\d_]\\d")
"""A euro that is a letter elsewhere; letters and digits in turn."""


class Language(NamedTuple):
    letters: frozenset[str]
    """Small ones, beyond ASCII."""
    words: frozenset[str]


_TABLE = tomllib.loads(Path(__file__).with_name("languages.toml").read_text("utf-8"))
_SIGNS = frozenset(_TABLE["signs"])
_SPACED = [
    Language(frozenset(each["letters"]), frozenset(each["words"].split()))
    for each in _TABLE["spaced"]
]
_UNSPACED: dict[str, str] = _TABLE["unspaced"]
_POINTS = frozenset(
    "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0640\u060c\u061f\u061b\u0307"
)
"""Of Arabic, and the dot of a Turkish capital I in small."""
_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_EAST = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_THAI_SIGN = re.compile("[\u0e01-\u0e5b]")


def fit(text: str) -> float:
    """How much sense `text`, which has more than ASCII, makes in one language; 0.0: none.

    The share of its words, or signs, that are the language's most frequent ones.
    """
    text = _TAG.sub(" ", text)
    strange = [sign for sign in text if sign > "\x7f" and sign not in _SIGNS]
    if any(_is_broken(sign) for sign in strange):
        return 0.0
    if len(_EAST.findall(text)) > len(strange) * (1 - MAX_STRANGE):
        return _above(2 * LEAST_SIGNS, _eastern(text))
    if len(_THAI_SIGN.findall(text)) > len(strange) * (1 - MAX_STRANGE):
        frequent = sum(text.count(word) * len(word) for word in _UNSPACED["th"].split())
        return _above(LEAST_SIGNS, frequent / max(1, len(strange)))
    if _is_torn(text) or not all(sign.isalpha() or sign in _POINTS for sign in strange):
        return 0.0
    words = _WORD.findall(text)
    return _above(LEAST_WORDS, max(_in(language, strange, words) for language in _SPACED))


def _above(least: float, share: float) -> float:
    if share < least:
        return 0.0
    return share


def _is_torn(text: str) -> bool:
    """Whether its words hold signs, letters of two scripts, or capitals after small letters."""
    words = _WORD.findall(text)
    if not words or len(_CASES.findall(text)) > MAX_CASES * len(words):
        return True
    if any(_MIXED.search(word) for word in words) or _GLUED.search(text):
        return True
    return any(
        sign > "\x7f"
        and not sign.isalpha()
        and sign not in _JOINING | _POINTS
        and before.isalpha()
        and after.isalpha()
        for before, sign, after in zip(text, text[1:], text[2:], strict=False)
    )


def has_kana(text: str) -> bool:
    return bool(_KANA.search(text))


def _in(language: Language, strange: list[str], words: list[str]) -> float:
    others = sum(not _belongs(sign, language) for sign in strange)
    if others > MAX_STRANGE * len(strange):
        return 0.0
    frequent = [small for word in words if (small := word.lower()) in language.words]
    if len(set(frequent)) < LEAST_DIFFERENT:
        return 0.0
    return len(frequent) / len(words)


def _belongs(sign: str, language: Language) -> bool:
    """A capital may be two small characters: a Turkish one is an i and a dot."""
    return all(part < "\x7f" or part in language.letters for part in sign.lower())


def _eastern(text: str) -> float:
    language = "zh"
    if _KANA.search(text):
        language = "ja"
    elif _HANGUL.search(text):
        language = "ko"
    signs = _EAST.findall(text)
    return sum(sign in _UNSPACED[language] for sign in signs) / max(1, len(signs))


def _is_broken(sign: str) -> bool:
    """Control characters, private use, and what is no character."""
    return (
        "\x7f" <= sign < "\xa0"
        or "\ue000" <= sign <= "\uf8ff"
        or sign >= "\U000f0000"
        or sign == "\ufffd"
    )
