"""What the gate sees of a question: its words, and those that no paraphrase may change.

`gate.toml` says what words mean. Of a text without a known language it knows neither negations nor
opposites.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any
from unicodedata import normalize

LEAST_VOTES = 0.2
"""Share of a text's words that a language must have for the text to count as written in it."""
MOST_KNOWN = 2_000
"""Texts whose words are remembered: those of popular questions are read again and again."""
LEAST_STEM = 4
"""Letters."""

_CASED = {
    f"{prefix}{unit}": f"{prefix}{unit}"
    for prefixes, units in (("kKMGT", ("b", "bps", "bit", "bits")), ("m", ("W", "Hz", "B")))
    for prefix in prefixes
    for unit in units
}
"""Units that mean another thing in this spelling: Gb and mW are neither GB nor MW."""
_TOKEN = re.compile(r"[$€£¥₹%]|\d+(?:[.,:/-]\d+)*|[^\W\d_]+(?:['-][^\W\d_]+)*")
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|«([^»]+)»|„([^“”]+)[“”]|(?<!\w)'([^']+)'(?!\w)")
_CODE = re.compile(
    r"`[^`]+`"
    r"|https?://\S+"
    r"|[\w.+-]+@[\w-]+\.[\w.]+"
    r"|[\w.]+\(\)"
    r"|\w+_\w+"
    r"|(?<!\S)[.~]?/[\w./-]+"
    r"|(?<!\S)--?[A-Za-z][\w-]*"
    r"|\w*[A-Za-z]\d\w*"
    r"|\b[\w-]+\.[a-z]{2,4}\b"
    r"|[<>=!+*^&|#]+"
)
_STARTS = re.compile(r"(?:^|[.?!:\n]\s*)[\"'(]*([^\W\d_]+)")
_ENDS = re.compile(r"([^\W\d_]+)\s*(?:[.,;:?!]|$)")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


@dataclass(frozen=True)
class Language:
    """Its row of the table."""

    negations: frozenset[str] = frozenset()
    particles: frozenset[str] = frozenset()
    """That a verb leaves at the end of its clause: schalte ... ein."""
    directions: frozenset[str] = frozenset()
    """Words that say who does what to whom: the words around them have an order."""
    function: frozenset[str] = frozenset()
    amounts: frozenset[str] = frozenset()
    """Words that ask for a number."""
    numbers: dict[str, str] | None = None
    units: dict[str, str] | None = None
    dates: dict[str, str] | None = None
    asks: dict[str, str] | None = None
    opposites: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()
    alike: tuple[frozenset[str], ...] = ()

    @cached_property
    def own(self) -> frozenset[str]:
        """By which a text is known to be written in it."""
        return self.function | self.negations | self.amounts


UNKNOWN = Language()


@dataclass(frozen=True)
class Words:
    """A question as the gate compares it."""

    language: str
    """"" = unknown."""
    all: tuple[str, ...]
    content: tuple[str, ...]
    """Without function words, in order."""
    numbers: tuple[str, ...]
    """With their units, in order."""
    dates: tuple[str, ...]
    quoted: tuple[str, ...]
    code: tuple[str, ...]
    names: frozenset[str]
    negations: int
    particles: tuple[str, ...]
    """At ends of clauses."""
    directed: bool
    asks: frozenset[str]


@cache
def languages() -> dict[str, Language]:
    return {name: _language(row) for name, row in _table()["languages"].items()}


@cache
def negating_prefixes() -> tuple[str, ...]:
    return tuple(_table()["signs"]["prefixes"].split())


def same_word(one: str, two: str) -> bool:
    """Whether they differ in an ending only."""
    return not _stems(one).isdisjoint(_stems(two))


def stem(word: str) -> str:
    """What is left of it without an ending."""
    return min(_stems(word, LEAST_STEM - 1), key=len)


def _stems(word: str, least: int = LEAST_STEM) -> set[str]:
    found = {word.removesuffix(each) for each in _table()["signs"]["endings"].split()}
    return {word, *(each for each in found if len(each) >= least)}


@lru_cache(MOST_KNOWN)
def read(text: str) -> Words:
    """Never fails, whatever the text is."""
    text = normalize("NFKC", text).replace("\u2019", "'")
    tokens = _TOKEN.findall(text)
    spelt = [part for token in tokens for part in _parts(token)]
    plain = tuple(part.lower() for part in spelt)
    name = _written_in(text, plain)
    known = languages().get(name, UNKNOWN)
    function = known.function | known.negations
    return Words(
        language=name,
        all=plain,
        content=tuple(word for word in plain if word not in function),
        numbers=tuple(_numbers(spelt, known)),
        dates=_meanings(plain, known.dates),
        quoted=tuple("".join(found).strip().lower() for found in _QUOTED.findall(text)),
        code=tuple(found.lower() for found in _CODE.findall(text)),
        names=_names(text, spelt, function),
        negations=sum(word in known.negations for word in plain),
        particles=tuple(word for word in _ENDS.findall(text.lower()) if word in known.particles),
        directed=not known.directions.isdisjoint(plain),
        asks=frozenset(_meanings(plain, known.asks)),
    )


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("gate.toml").read_text())


def _language(row: dict[str, str]) -> Language:
    sides = (pair.split("/") for pair in row["opposites"].split(";"))
    units = _groups(_table()["signs"]["units"]) | _groups(row["units"])
    return Language(
        frozenset(row["negations"].split()),
        frozenset(row.get("particles", "").split()),
        frozenset(row["directions"].split()),
        frozenset(row["function"].split()),
        frozenset(row["amounts"].split()),
        _groups(row["numbers"]),
        units,
        _groups(row["dates"]),
        _groups(row["asks"]),
        tuple((frozenset(one.split()), frozenset(two.split())) for one, two in sides),
        tuple(frozenset(group.split()) for group in row["alike"].split(";")),
    )


def _groups(row: str) -> dict[str, str]:
    """Each word of "a b c; d e" -> the first of its group."""
    groups = [group.split() for group in row.split(";")]
    return {word: group[0] for group in groups for word in group}


def _meanings(words: Iterable[str], known: dict[str, str] | None) -> tuple[str, ...]:
    return tuple(known[word] for word in words if word in known) if known else ()


def _parts(found: str) -> Iterable[str]:
    """Contractions as words: don't = do n't, Canada's = Canada, l'eau = l eau."""
    if found.lower().endswith("n't"):
        return (found[:-3], "n't")
    if found == "aujourd'hui":
        return (found,)
    parts = re.split(r"['-]", found) if found[0].isalpha() else [found]
    return tuple(part for part in parts if part and part.lower() != "s")


def _written_in(text: str, words: tuple[str, ...]) -> str:
    """The language that most of the words are of; "" if none has enough of them."""
    if not words or not all(map(_LATIN.match, filter(str.isalpha, text))):
        return ""
    votes = {name: sum(word in each.own for word in words) for name, each in _known()}
    best = max(votes, key=lambda name: votes[name])
    if votes[best] < max(1, LEAST_VOTES * len(words)):
        return ""
    return best


def _known() -> Iterable[tuple[str, Language]]:
    return languages().items()


def _numbers(spelt: list[str], known: Language) -> Iterable[str]:
    """Each number, and each unit that stands beside one."""
    numbers, units = known.numbers or {}, known.units or {}
    words = [word.lower() for word in spelt]
    for place, word in enumerate(words):
        if word[0].isdigit():
            yield word
        elif word in numbers:
            yield numbers[word]
        elif word in units:
            beside = words[max(0, place - 1) : place + 2]
            asked = not known.amounts.isdisjoint(words[max(0, place - 2) : place])
            if asked or any(each[0].isdigit() or each in numbers for each in beside):
                yield _CASED.get(spelt[place], units[word])


def _names(text: str, spelt: list[str], function: frozenset[str]) -> frozenset[str]:
    """Capitalised within a sentence, or in capitals."""
    starts = {match[1] for match in _STARTS.finditer(text)}
    return frozenset(
        word.lower()
        for word in spelt
        if word[0].isupper()
        and (word not in starts or (len(word) > 1 and word.isupper()))
        and word.lower() not in function
    )
