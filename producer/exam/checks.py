"""What an answer must be: each kind of check, by the name that a suite calls it."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaError

from ..contract.completions import Completion
from ..contract.errors import InvalidRequest
from ..contract.requests import pattern
from .json_schemas import breaks, checked_schema

MOST_SHOWN = 120
"""Characters of an answer that a reason shows."""


class Check(NamedTuple):
    """One check of one input."""

    kind: str
    wanted: Any
    """As the suite says it."""

    def wrong_in(self, answer: Completion) -> str:
        """Why the answer does not pass; "" if it does."""
        return _KINDS[self.kind].wrong(self.wanted, answer)


def checked(place: str, kind: str, wanted: Any) -> Check:
    """Raises `InvalidRequest` for what could never be checked."""
    reason = _KINDS[kind].refused(wanted)
    if reason:
        raise InvalidRequest(f"{place}.{kind}: {reason}")
    return Check(kind, wanted)


def shown(text: str) -> str:
    """The beginning of an answer, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_SHOWN else f"{line[:MOST_SHOWN]}..."


def _texts(wanted: Any) -> list[str]:
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _no_texts(wanted: Any) -> str:
    listed = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(listed, list) and listed and all(isinstance(x, str) and x for x in listed):
        return ""
    return "needs a text, or a list of texts. Fix: quote it"


def _no_number(wanted: Any) -> str:
    is_number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    return "" if is_number and wanted >= 0 else "needs a number from 0"


def _no_pattern(wanted: Any) -> str:
    if reason := _no_texts(wanted):
        return reason
    try:
        for each in _texts(wanted):
            pattern(each)
    except SchemaError:
        return "no regular expression of Rust's dialect (no look-around, no back-references)"
    return ""


def _without(texts: Any, answer: Completion) -> str:
    missing = [text for text in _texts(texts) if text not in answer.text]
    return f"does not contain {missing[0]!r}: {shown(answer.text)!r}" if missing else ""


def _with(texts: Any, answer: Completion) -> str:
    there = [text for text in _texts(texts) if text in answer.text]
    return f"contains {there[0]!r}: {shown(answer.text)!r}" if there else ""


def _unmatched(texts: Any, answer: Completion) -> str:
    for each in _texts(texts):
        matcher: TypeAdapter[str] = pattern(each)
        try:
            matcher.validate_python(answer.text)
        except ValidationError:
            return f"does not match {each!r}: {shown(answer.text)!r}"
    return ""


def _differs(wanted: Any, answer: Completion) -> str:
    """A text is compared without blanks around it; anything else as JSON."""
    if isinstance(wanted, str):
        if answer.text.strip() == wanted.strip():
            return ""
    elif _json_of(answer.text) == [wanted]:
        return ""
    return f"is not {shown(str(wanted))!r}: {shown(answer.text)!r}"


def _json_of(text: str) -> list[Any]:
    """The value in it; none if it is no JSON."""
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return []


def _breaks_schema(schema: Any, answer: Completion) -> str:
    values = _json_of(answer.text)
    if not values:
        return f"is no JSON: {shown(answer.text)!r}"
    return breaks(schema, values[0])


def _too_dear(usd: Any, answer: Completion) -> str:
    cost = answer.cost_usd + answer.maybe_billed_usd
    return f"cost ${cost:.6f}, more than ${usd:.6f}" if cost > usd else ""


def _too_slow(ms: Any, answer: Completion) -> str:
    if answer.cached or answer.latency_ms <= ms:
        return ""
    return f"took {answer.latency_ms:,} ms, more than {ms:,}"


class _Kind(NamedTuple):
    refused: Callable[[Any], str]
    """Why what is wanted can never be checked; "" if it can."""
    wrong: Callable[[Any, Completion], str]


_KINDS = {
    "contains": _Kind(_no_texts, _without),
    "not_contains": _Kind(_no_texts, _with),
    "regex": _Kind(_no_pattern, _unmatched),
    "equals": _Kind(lambda wanted: "needs a value" if wanted is None else "", _differs),
    "json_schema": _Kind(checked_schema, _breaks_schema),
    "max_usd": _Kind(_no_number, _too_dear),
    "max_ms": _Kind(_no_number, _too_slow),
}
RUBRIC = "rubric"
"""The check that another model makes (`judging.py`)."""
KINDS = (*_KINDS, RUBRIC)
