"""Names of functions, schemas and users that an API takes, by its SDK's documentation. Pure.

Known before the call, so that it is not made; servers of one's own may take others.
"""

import re
from collections.abc import Iterator, Mapping

from producer.contract.requests import CompletionRequest

from ..settings import Link
from .dialects import DIALECTS, dialect_of

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")
FUNCTIONS: Mapping[str, re.Pattern[str]] = {
    "openai": _PLAIN,
    "openai-responses": _PLAIN,
    "anthropic": re.compile(r"[A-Za-z0-9_-]{1,128}"),
    "gemini": re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}"),
    "gemini-legacy": re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}"),
}
"""API -> names of functions (OpenAI: FunctionDefinition; Google: FunctionDeclaration; Anthropic's
guide "Tool use").
"""
_USER = re.compile(r"[^\s<|\\/>]+")
"""OpenAI: 400 of the API for `messages[].name`."""


def misnamed(link: Link, request: CompletionRequest) -> str:
    """Which name the API refuses, "" if none."""
    taken = FUNCTIONS.get(link.adapter)
    if not taken:
        return ""
    own = link.adapter == "openai"
    if own and not DIALECTS[dialect_of(link)].vendor:
        return ""
    for place, name in _functions(request):
        if not taken.fullmatch(name):
            return f"{place} (it takes {taken.pattern})"
    if not link.adapter.startswith("openai"):
        return ""
    wanted = request.response_format
    shape = wanted and wanted.json_schema
    if shape and not _PLAIN.fullmatch(shape.name):
        return f"response_format.json_schema.name (it takes {_PLAIN.pattern})"
    for number, message in enumerate(request.messages):
        speaker = message.name
        if own and speaker and not _USER.fullmatch(speaker):
            return f"messages[{number}].name (without blanks and <|\\/>)"
    return ""


def _functions(request: CompletionRequest) -> Iterator[tuple[str, str]]:
    """(place, name) of what can be called, and of what was."""
    for number, tool in enumerate(request.tools):
        name = tool.function.name
        yield f"tools[{number}].function.name", name
    for number, message in enumerate(request.messages):
        called = message.tool_calls or ()
        for which, call in enumerate(called):
            place = f"messages[{number}].tool_calls[{which}]"
            yield f"{place}.function.name", call.function.name
