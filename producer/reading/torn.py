"""What words of no language look like: those of a text that was read in a wrong encoding."""

import re
from collections import Counter

MAX_CASES = 0.05
"""The share of words beyond ASCII in which a capital follows a small letter."""
MAX_TORN = 0.01
"""The share of words that may be torn."""
MAX_OF_ONE = 0.35
"""The share of a text's letters that are one letter: the first byte of two, read as one."""
LETTERS = 20
"""From which on that says something."""

JOINING = frozenset("’·•\u00ad–—‐‑")
"""Beyond ASCII, what may stand between two letters."""
POINTS = frozenset("\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0640\u060c\u061f\u061b")
"""Of Arabic."""
_WITHIN = re.compile(r"(?<=[^\W\d_])[^\w\s\x00-\x7f]+(?=[^\W\d_])")
"""Signs between two letters."""
_CASES = re.compile("[a-zà-öø-ÿ\u03b1-\u03c9\u0430-\u045f][A-ZÀ-ÖØ-Þ\u0391-\u03a9\u0400-\u042f]")
_MIXED = re.compile("[a-zA-Z][\u0370-\u1dff]|[\u0370-\u1dff][a-zA-Z]")
"""Latin letters beside those of another script, in one word."""
_GLUED = re.compile("[а-яё]€|[A-Za-z]–[a-z]|[^\\W\\d_]\\d[^\\W\\d_]\\d[^\\W\\d_]\\d")
"""A euro or a dash that is a letter elsewhere; letters and digits in turn."""


def is_torn(text: str, words: list[str]) -> bool:
    """Whether its words hold signs, letters of two scripts, or capitals after small letters.

    A few do in texts of some length: names of products, and what was typed in haste.
    """
    strange = [word for word in words if not word.isascii()]
    if not words or sum(bool(_CASES.search(word)) for word in strange) > MAX_CASES * len(strange):
        return True
    torn = sum(bool(_MIXED.search(word)) for word in words) + len(_GLUED.findall(text))
    torn += sum(not (JOINING | POINTS).intersection(run[0]) for run in _WITHIN.finditer(text))
    return torn > MAX_TORN * len(words) or _is_of_one_letter(words) or _is_read_by_bytes(words)


def _is_of_one_letter(words: list[str]) -> bool:
    letters = "".join(words).lower()
    if len(letters) < LETTERS:
        return False
    return Counter(letters).most_common(1)[0][1] > MAX_OF_ONE * len(letters)


def _is_read_by_bytes(words: list[str]) -> bool:
    """Two bytes of one sign are two Latin letters beyond ASCII elsewhere, without others."""
    latin = [word for word in words if "\xc0" <= max(word) <= "\u024f"]
    alone = sum(len(word) > 1 and min(word) > "\x7f" for word in latin)
    return 2 * alone > len(latin)
