"""Signs whose font does not say which they are: whether their codes make words all the same.

Drawings of programs (matplotlib, LaTeX) have fonts that keep ASCII and do not say so. Fonts of
other programs number the letters they have: their codes make no words.
"""

import re

LEAST_LETTERS = 12
"""Fewer say nothing."""
LEAST_SMALL = 0.6
"""The share of small letters among letters: codes that are shifted make capitals and signs."""
LEAST_FREQUENT = 0.45
"""The share of the eight most frequent ones among small letters: 0.6 in European languages."""
LEAST_USUAL = 0.7
"""The share of letters, digits and what stands beside numbers."""

_LETTER = re.compile("[A-Za-zÀ-ÖØ-öø-ÿ]")
_SMALL = re.compile("[a-zß-öø-ÿ]")
_FREQUENT = re.compile("[etaoinsr]")
_USUAL = re.compile(r"[\w.,:%()/+−-]")


def make_words(signs: str) -> bool:
    """Whether what `signs` show is what they are."""
    letters = len(_LETTER.findall(signs))
    small = len(_SMALL.findall(signs))
    if letters < LEAST_LETTERS or small < LEAST_SMALL * letters:
        return False
    if len(_USUAL.findall(signs)) < LEAST_USUAL * len(signs):
        return False
    return len(_FREQUENT.findall(signs)) >= LEAST_FREQUENT * small
