"""How much models think: `reasoning_effort` in the words of each API. Data, and how it is read.

A level that a model does not have becomes its nearest one; "none" only what turns thinking off.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from producer.contract.parameters import Effort

LEVELS: tuple[Effort, ...] = ("minimal", "low", "medium", "high", "xhigh", "max")
"""From the least to the most."""


class Style(NamedTuple):
    """Of a model. `kind`: how it is told; "" = it never thinks. `levels`: those that it has."""

    kind: Literal["effort", "budget", "level", ""]
    levels: tuple[Effort, ...] = LEVELS
    off: bool = True
    """Whether thinking can be turned off."""

    def level(self, effort: Effort) -> Effort | None:
        """The nearest one that it has; None if there is none."""
        if effort == "none":
            return "none" if self.off else None
        if effort in self.levels or not self.levels:
            return effort if self.levels else None
        wanted = LEVELS.index(effort)
        return min(self.levels, key=lambda each: abs(LEVELS.index(each) - wanted))


NEVER = Style("", ())
_THREE: tuple[Effort, ...] = ("low", "medium", "high")
_BUDGETS: tuple[Effort, ...] = ("minimal", "low", "medium", "high")
_CLAUDE: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")

STYLES: Mapping[str, Mapping[str, Style]] = {
    # The SDK's ReasoningEffort and the models' pages of OpenAI.
    "openai": {
        "": Style("effort"),
        "o": Style("effort", _THREE, off=False),
        "gpt-3": NEVER,
        "gpt-4": NEVER,
        "gpt-5": Style("effort", ("minimal", *_THREE), off=False),
        "gpt-5-pro": Style("effort", ("high",), off=False),
        "gpt-5-chat": NEVER,
        "gpt-5.1": Style("effort", _THREE),
        "gpt-5.1-chat": NEVER,
        "gpt-5.2": Style("effort", (*_THREE, "xhigh")),
        "gpt-5.2-chat": NEVER,
        "gpt-5.3": Style("effort", (*_THREE, "xhigh")),
        "gpt-5.3-chat": NEVER,
        "gpt-5.4": Style("effort", (*_THREE, "xhigh")),
        "gpt-5.5": Style("effort", (*_THREE, "xhigh")),
    },
    # "Extended thinking" and "Adaptive thinking" of Anthropic's guide: before Opus 4.6 a budget.
    "anthropic": {
        "": Style("effort", _CLAUDE),
        "claude-3": NEVER,
        "claude-3-7": Style("budget", _BUDGETS),
        "claude-opus-4": Style("effort", _CLAUDE),
        "claude-opus-4-0": Style("budget", _BUDGETS),
        "claude-opus-4-2025": Style("budget", _BUDGETS),
        "claude-opus-4-1": Style("budget", _BUDGETS),
        "claude-opus-4-5": Style("budget", _BUDGETS),
        "claude-sonnet-4": Style("effort", _CLAUDE),
        "claude-sonnet-4-0": Style("budget", _BUDGETS),
        "claude-sonnet-4-2025": Style("budget", _BUDGETS),
        "claude-sonnet-4-5": Style("budget", _BUDGETS),
        "claude-haiku-4-5": Style("budget", _BUDGETS),
    },
    # "Gemini thinking" of Google's guide: levels from Gemini 3 on, which cannot be turned off.
    "gemini": {
        "": Style("level", _BUDGETS, off=False),
        "gemini-1": NEVER,
        "gemini-2.0": NEVER,
        "gemini-2.5": Style("budget", _BUDGETS),
        "gemini-2.5-pro": Style("budget", _BUDGETS, off=False),
        "gemini-3-pro": Style("level", _THREE, off=False),
        "gemini-3.1-pro": Style("level", _THREE, off=False),
    },
}
"""API -> beginning of a model's id, the longest that matches -> its style."""

BUDGETS: Mapping[str, int] = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
"""Tokens, as Google's own OpenAI-compatible endpoint maps the levels ("OpenAI compatibility")."""
LEAST_BUDGET = 1_024
"""Anthropic takes no smaller one."""
LEAST_AT_GEMINI = 512
"""Of Gemini 2.5 Flash-Lite; the others take less."""
BUDGET_SHARE = 0.75
"""Of max_tokens, which a budget is a part of: an answer must have room beside it."""


def style_of(api: str, model: str) -> Style:
    styles = STYLES[api]
    bare = model.removeprefix("models/").removeprefix("ft:")
    return styles[max((key for key in styles if bare.startswith(key)), key=len)]


def budget(level: str, max_tokens: int) -> int:
    """Tokens of thinking within an answer of at most `max_tokens`; 0 = off."""
    if level == "none":
        return 0
    return min(BUDGETS[level], int(max_tokens * BUDGET_SHARE))
