"""Output filters: what an answer must or must not contain, and what happens otherwise.

Operators choose in `LLM_OUTPUT_FILTERS`; a filter of their own is "package.module:function".
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from importlib import import_module
from typing import NamedTuple

from pydantic import TypeAdapter

from producer.contract import schemas
from producer.contract.requests import CompletionRequest, pattern

from ..settings import FilterSettings
from .checker import NOBODY, NotChecked, Whose, checker

logger = logging.getLogger(__name__)

Filter = Callable[[CompletionRequest, str], str]
"""(request, answer) -> what is wrong with the answer, "" if nothing is.

The words quote nothing of the answer.
"""

LEAK_WORDS = 12
"""So many words in a row of a system prompt are a leak."""

PIECE = 100_000
"""Characters of a text that are searched for words at once."""

MAX_REASON = 500
"""Characters of what a filter says."""

LEAST_S = 0.5
"""What a check has even if its job must end sooner: the answer is there."""

_whose: ContextVar[Whose] = ContextVar("whose", default=NOBODY)

NOT_CHECKED = "could not be checked within the limits of time and memory"

_SECRETS = {
    "a private key": "-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an AWS access key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a Google API key": r"\bAIza[\w-]{35}\b",
    "an API key (sk-...)": r"\bsk-[\w-]{20}",
    "a GitHub token": r"\b(gh[pousr]_\w{36}|github_pat_\w{22})",
    "a Slack token": r"\bxox[abprs]-[\w-]{10}",
    "a JSON Web Token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10}",
}
"""Searched in linear time, whatever the text: by Rust's regular expressions. ASCII only."""

_SEARCHED: dict[str, TypeAdapter[str]] = {
    name: pattern(f"(?-u){regex}") for name, regex in _SECRETS.items()
}


def secrets(request: CompletionRequest, text: str) -> str:
    """Something that looks like a credential."""
    return ", ".join(name for name, regex in _SEARCHED.items() if _matches(regex, text))


def system_prompt(request: CompletionRequest, text: str) -> str:
    """A run of the system prompt's words."""
    prompts = [message for message in request.messages if message.role in ("system", "developer")]
    prompt = " ".join(part for message in prompts for _, part in message.texts())
    if not prompt:
        return ""
    told = set(_runs(text))  # of the two, the answer is what a provider bounds
    if told and any(run in told for run in _runs(prompt)):
        return f"repeats {LEAK_WORDS} or more words of the system prompt"
    return ""


def schema(request: CompletionRequest, text: str) -> str:
    """JSON that breaks the request's schema, or no JSON where the request asks for it."""
    if unusable(request):
        return NOT_CHECKED
    return broken_schema(request, text, _whose.get())


def unusable(request: CompletionRequest) -> bool:
    """Whether its schema is one that no request is accepted with any more."""
    wanted = request.response_format
    found = wanted and wanted.json_schema
    return bool(found and schemas.problem(found.schema_))


def broken_schema(request: CompletionRequest, text: str, whose: Whose) -> str:
    """What of the form that the request asks for a text does not have. Raises `NotChecked`."""
    wanted = request.response_format
    if wanted is None or wanted.type == "text":
        return ""
    shape = '{"type": "object"}'
    if wanted.json_schema:
        shape = json.dumps(wanted.json_schema.schema_)
    return checker.check(b"S", shape, text, whose)


def expected(request: CompletionRequest, text: str) -> str:
    """A text that does not match the pattern that the request expects."""
    if request.expect is None:
        return ""
    return checker.check(b"P", request.expect, text, _whose.get())


KNOWN: dict[str, Filter] = {
    "secrets": secrets,
    "system_prompt": system_prompt,
    "schema": schema,
    "pattern": expected,
}

OF_ITS_FORM = frozenset({"schema", "pattern"})
"""Filters that look for what was asked for, which a refusal is not."""


class Verdict(NamedTuple):
    """What the filters found.

    `flags`: of filters that only flag. `action`, `filter`, `reason`: of the first filter with the
    action "fail" or "retry" that found something, "" if none did.
    """

    flags: tuple[str, ...] = ()
    action: str = ""
    filter: str = ""
    reason: str = ""


class OutputFilters:
    """The chosen filters, in the order of the setting."""

    def __init__(self, settings: FilterSettings) -> None:
        self._chosen = [
            (name, load(name), action)
            for name, action in settings.output.items()
            if action != "off"
        ]

    def check(
        self,
        request: CompletionRequest,
        text: str,
        whose: Whose = NOBODY,
        fine: frozenset[str] = frozenset(),
    ) -> Verdict:
        """What they find in an answer. `fine`: filters that are known to find nothing.

        A filter that fails has found that the answer could not be checked, which no second answer
        would mend: its action "retry" becomes "fail".
        """
        flags: list[str] = []
        token = _whose.set(whose._replace(within_s=max(whose.within_s, LEAST_S)))
        try:
            for name, find, action in self._chosen:
                if name in fine:
                    continue
                reason, failed = _found(name, find, request, text)
                if not reason:
                    continue
                if action == "flag":
                    flags.append(f"{name}: {reason}")
                    continue
                if failed:
                    action = "fail"
                return Verdict(tuple(flags), action, name, reason)
            return Verdict(tuple(flags))
        finally:
            _whose.reset(token)


def load(name: str) -> Filter:
    """The filter of that name. Raises `LookupError` if there is none."""
    if name in KNOWN:
        return KNOWN[name]
    module, _, function = name.partition(":")
    try:
        return getattr(import_module(module), function)  # type: ignore[no-any-return]
    except (ImportError, AttributeError, ValueError):
        known = ", ".join(sorted(KNOWN))
        raise LookupError(
            f"no filter called {name!r}: known are {known}, or package.module:function"
        ) from None


def _found(name: str, find: Filter, request: CompletionRequest, text: str) -> tuple[str, bool]:
    """What a filter found, and whether it failed. The answer is paid for: nothing is raised."""
    try:
        reason = find(request, text)
    except NotChecked:
        return NOT_CHECKED, True
    except Exception:
        logger.exception("the output filter %s failed", name)
        return "could not be checked: the filter failed", True
    if not isinstance(reason, str):
        logger.error("the output filter %s returned no text", name)
        return "could not be checked: the filter failed", True
    return reason[:MAX_REASON], False


def _matches(regex: TypeAdapter[str], text: str) -> bool:
    try:
        regex.validate_python(text)
    except ValueError:
        return False
    return True


class _WordCharacters(dict[int, str]):
    """For `str.translate`: everything that is no part of a word becomes a space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isalnum() or character == "_":
            return character
        return " "


_WORDS = _WordCharacters()
_WORDS.update({code: _WORDS[code] for code in range(128)})


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    """Every run of `LEAK_WORDS` words."""
    run: deque[str] = deque(maxlen=LEAK_WORDS)
    for word in _words(text):
        run.append(word)
        if len(run) == LEAK_WORDS:
            yield tuple(run)


def _words(text: str) -> Iterator[str]:
    """In lower case, a piece of the text at a time: all of them at once take ten times its room."""
    begun = ""
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE].lower().translate(_WORDS)
        *whole, begun = (begun + piece).split(" ")
        yield from filter(None, whole)
    if begun:
        yield begun
