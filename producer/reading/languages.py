"""Whether a text makes sense in a language: its letters are the language's, its words are frequent.

That tells an encoding from another one that gives letters, too: Polish read as French has letters
that French lacks, Russian read in a wrong code page has none of Russian's words.
"""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from . import eastern
from .torn import JOINING, POINTS, is_torn

LEAST_WORDS = 0.04
"""The share of words that are a language's most frequent ones. In prose it is 0.2 to 0.4."""
LEAST_DIFFERENT = 2
"""How many of them there are: one may be chance."""
LEAST_THAI = 0.06
"""The same for signs of Thai, which has no spaces between words."""
LEAST_LETTERS = 12
"""Of another alphabet than the Latin one, if there is no frequent word."""
MOST_WORDS = 80
"""Different ones, of a text without any frequent one: more of them have some."""
MAX_STRANGE = 0.02
"""The share of letters beyond ASCII that may be another language's: names and quotations."""
MAX_ACCENTS = 0.5
"""The share of Latin letters that are beyond ASCII: in Czech some 0.15."""
MAX_RARE = 0.5
"""The share of those that are rare ones of the language."""

_TAG = re.compile(r"<[^<>]{0,2000}>")
_WORD = re.compile(r"[^\W\d_]+")


class Language(NamedTuple):
    letters: frozenset[str]
    """Small ones, beyond ASCII."""
    rare: frozenset[str]
    words: frozenset[str]


_TABLE = tomllib.loads(Path(__file__).with_name("languages.toml").read_text("utf-8"))
_SIGNS = frozenset(_TABLE["signs"])
_SPACED = [
    Language(
        letters=frozenset(each["letters"]),
        rare=frozenset(each.get("rare", "")),
        words=frozenset(each["words"].split()),
    )
    for each in _TABLE["spaced"]
]
_THAI: list[str] = _TABLE["thai"].split()
_JOINING = JOINING | POINTS | {"\u0307"} | {chr(code) for code in range(0x591, 0x5C8)}
"""What belongs to letters; the dot of a Turkish capital I in small and Hebrew points, too."""
_THAI_SIGN = re.compile("[\u0e01-\u0e5b]")


def fit(text: str) -> float | None:
    """How much sense `text`, which has more than ASCII, makes in one language; None: none.

    The share of its words, or signs, that are the language's most frequent ones; 0.0: its letters
    are the language's, its words too few to tell.
    """
    text = _TAG.sub(" ", text)
    strange = [sign for sign in text if sign > "\x7f" and sign not in _SIGNS]
    if any(_is_broken(sign) for sign in strange):
        return None
    if eastern.count(text) > (len(strange) - eastern.marks(text)) * (1 - MAX_STRANGE):
        return eastern.fit(text)
    if len(_THAI_SIGN.findall(text)) > len(strange) * (1 - MAX_STRANGE):
        frequent = sum(text.count(word) * len(word) for word in _THAI)
        return _above(LEAST_THAI, frequent / len(strange)) or None
    words = _WORD.findall(text)
    signs = sum(not sign.isalpha() and sign not in _JOINING for sign in strange)
    if is_torn(text, words) or signs > MAX_STRANGE * len(strange):
        return None
    letters = Counter(sign.lower() for sign in strange)
    small = Counter(word.lower() for word in words)
    shares = [share for each in _SPACED if (share := _in(each, letters, small)) is not None]
    if not shares:
        return None
    share = _above(LEAST_WORDS, max(shares))
    if not share and _says_little(strange, words):
        return None
    return share


def _above(least: float, share: float) -> float:
    if share < least:
        return 0.0
    return share


def _says_little(strange: list[str], words: list[str]) -> bool:
    """Whether its letters alone do not tell its language.

    Capitals of Cyrillic and Greek are small letters in another encoding.
    """
    others = [sign for sign in strange if "\u0370" <= sign <= "\u052f"]
    if others:
        is_told = len(others) >= LEAST_LETTERS and len(set(words)) <= MOST_WORDS
        return not is_told or len({sign.islower() for sign in others}) == 1
    return len(strange) > MAX_ACCENTS * len("".join(words)) and max(strange, default="") < "\u0250"


def _in(language: Language, letters: Counter[str], words: Counter[str]) -> float | None:
    """A capital may be two small characters: a Turkish one is an i and a dot."""
    others = sum(
        count
        for letter, count in letters.items()
        if not all(part < "\x7f" or part in language.letters for part in letter)
    )
    if others > MAX_STRANGE * letters.total():
        return None
    frequent = language.words.intersection(words)
    if len(frequent) >= LEAST_DIFFERENT:
        return sum(words[word] for word in frequent) / words.total()
    rare = sum(letters[letter] for letter in language.rare)
    if rare > max(1, MAX_RARE * letters.total()):
        return None
    return 0.0


def _is_broken(sign: str) -> bool:
    """Control characters, private use, and what is no character."""
    return (
        "\x7f" <= sign < "\xa0"
        or "\ue000" <= sign <= "\uf8ff"
        or sign >= "\U000f0000"
        or sign == "\ufffd"
    )
