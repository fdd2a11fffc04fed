"""Output filters: what an answer must or must not contain, and what happens otherwise.

Operators choose in `LLM_OUTPUT_FILTERS`; a filter of their own is "package.module:function".
"""

import json
import re
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

import jsonschema_rs

from producer.contract.requests import CompletionRequest, pattern

from .settings import FilterSettings

Filter = Callable[[CompletionRequest, str], str]
"""(request, answer) -> what is wrong with the answer, "" if nothing is.

The words quote nothing of the answer.
"""

LEAK_WORDS = 12
"""So many words in a row of a system prompt are a leak."""

_SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a Google API key": re.compile(r"\bAIza[\w-]{35}\b"),
    "an API key (sk-...)": re.compile(r"\bsk-[\w-]{20,}"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_\w{36}|github_pat_\w{22,})"),
    "a Slack token": re.compile(r"\bxox[abprs]-[\w-]{10,}"),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
}


def secrets(request: CompletionRequest, text: str) -> str:
    """Something that looks like a credential."""
    return ", ".join(name for name, pattern in _SECRETS.items() if pattern.search(text))


def system_prompt(request: CompletionRequest, text: str) -> str:
    """A run of the system prompt's words."""
    prompts = [message for message in request.messages if message.role in ("system", "developer")]
    prompt = " ".join(part for message in prompts for _, part in message.texts())
    if _runs(prompt).isdisjoint(_runs(text)):
        return ""
    return f"repeats {LEAK_WORDS} or more words of the system prompt"


def schema(request: CompletionRequest, text: str) -> str:
    """JSON that breaks the request's schema, or no JSON where the request asks for it."""
    wanted = request.response_format
    if wanted is None or wanted.type == "text":
        return ""
    try:
        answer = json.loads(text)
    except ValueError:
        return "is no JSON"
    if wanted.json_schema is None:
        return ""
    try:
        validator = jsonschema_rs.validator_for(
            wanted.json_schema.schema_, pattern_options=jsonschema_rs.RegexOptions()
        )
    except ValueError:
        return ""  # not a schema of the standard; the provider accepted it all the same
    for error in validator.iter_errors(answer):
        path = "/".join(map(str, error.schema_path))
        return f"breaks its schema at /{path}"
    return ""


def expected(request: CompletionRequest, text: str) -> str:
    """A text that does not match the pattern that the request expects."""
    if request.expect is None:
        return ""
    try:
        pattern(request.expect).validate_python(text)
    except ValueError:
        return "does not match the expected pattern"
    return ""


KNOWN: dict[str, Filter] = {
    "secrets": secrets,
    "system_prompt": system_prompt,
    "schema": schema,
    "pattern": expected,
}


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

    def check(self, request: CompletionRequest, text: str) -> Verdict:
        """What they find in an answer."""
        flags: list[str] = []
        for name, find, action in self._chosen:
            reason = find(request, text)
            if reason and action != "flag":
                return Verdict(tuple(flags), action, name, reason)
            if reason:
                flags.append(f"{name}: {reason}")
        return Verdict(tuple(flags))


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


def _runs(text: str) -> set[tuple[str, ...]]:
    """Every run of `LEAK_WORDS` words."""
    words = re.findall(r"\w+", text.lower())
    starts = range(len(words) - LEAK_WORDS + 1)
    return {tuple(words[start : start + LEAK_WORDS]) for start in starts}
