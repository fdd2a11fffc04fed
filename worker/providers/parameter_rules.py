"""Why a model cannot be told a parameter that its API has, or not beside another one. Pure."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from producer.contract.requests import CompletionRequest
from producer.contract.tools import ChosenTool, ToolsAllowed

from ..model_catalog import NO_FACTS, Model
from ..settings import Link
from .dialects import DIALECTS, dialect_of
from .fates import ANTHROPIC_TIERS, APIS, GEMINI_TIERS, MOST_CANDIDATES
from .thinking import LEAST_BUDGET, NEVER, Style, budget, style_of

SAMPLING: Mapping[str, tuple[str, ...]] = {
    "openai": (
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
    ),
    "openai-responses": ("top_p", "logprobs", "top_logprobs"),
    "anthropic": ("top_p", "top_k"),
}
"""API -> what models refuse that take no temperature ("Reasoning models" of OpenAI's guide; the
errors of Anthropic's API).
"""
_EITHER = ("claude-opus-4-1", "claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")
"""Models that take a temperature or a top_p, and not both (400 of the API)."""
_LEAST_TOP_P = 0.95
"""Beside a budget of thinking, by Anthropic's "Extended thinking"."""


class Target(NamedTuple):
    """Where a request would go, and how long its answer may be."""

    link: Link
    model: Model
    max_tokens: int

    @property
    def api(self) -> str:
        return self.link.adapter

    @property
    def is_vendor(self) -> bool:
        """Whether the rules of the API's own vendor hold there."""
        if self.api == "openai":
            return DIALECTS[dialect_of(self.link)].vendor
        return self.api in APIS

    @property
    def style(self) -> Style:
        return style_of(self.api.removesuffix("-responses"), self.link.model)


def in_the_way(name: str, request: CompletionRequest, target: Target) -> str:
    """Which parameter cannot be told and why, in a few words; "" if `name` can be."""
    if not target.is_vendor:
        return ""
    if target.model.temperature is False and name in SAMPLING.get(target.api, ()):
        return f"{name} (the model samples in its own way)"
    rule = _RULES.get((target.api, name))
    return rule(request, target) if rule else ""


def _effort(request: CompletionRequest, target: Target) -> str:
    effort = request.reasoning_effort or "none"
    style = target.style
    if style == NEVER:
        return "" if effort == "none" else "reasoning_effort (the model does not think)"
    level = style.level(effort)
    if level is None:
        return f"reasoning_effort={effort} (the model's thinking cannot be turned off)"
    return ""


def _effort_at_anthropic(request: CompletionRequest, target: Target) -> str:
    if reason := _effort(request, target):
        return reason
    level = target.style.level(request.reasoning_effort or "none")
    if level in (None, "none"):
        return ""
    chosen = request.tool_choice
    if isinstance(chosen, ToolsAllowed):
        chosen = chosen.allowed_tools.mode
    if chosen == "required" or isinstance(chosen, ChosenTool):
        return "reasoning_effort beside a tool_choice that forces a call"
    if target.style.kind == "budget" and budget(str(level), target.max_tokens) < LEAST_BUDGET:
        return f"reasoning_effort with max_tokens={target.max_tokens:,} (it needs 1,400)"
    return ""


def _top_p(request: CompletionRequest, target: Target) -> str:
    if request.temperature is not None and target.link.model.startswith(_EITHER):
        return "top_p beside temperature"
    if _has_budget(request, target) and (request.top_p or 0) < _LEAST_TOP_P:
        return f"top_p={request.top_p} beside reasoning_effort (at least {_LEAST_TOP_P})"
    return ""


def _top_k(request: CompletionRequest, target: Target) -> str:
    return "top_k beside reasoning_effort" if _has_budget(request, target) else ""


def _has_budget(request: CompletionRequest, target: Target) -> bool:
    effort = request.reasoning_effort or "none"
    return effort != "none" and target.style.kind == "budget"


def _verbosity(request: CompletionRequest, target: Target) -> str:
    """Since GPT-5; models that are not known may have it."""
    older = target.model != NO_FACTS and target.link.model.startswith(("gpt-3", "gpt-4", "o"))
    return "verbosity" if older else ""


def _prediction(request: CompletionRequest, target: Target) -> str:
    """ "Predicted Outputs" of OpenAI's guide."""
    if target.model.thinks:
        return "prediction (the model thinks)"
    beside = ("n", "logprobs", "presence_penalty", "frequency_penalty")
    for name in beside:
        if getattr(request, name) not in (None, False, 0, 1):
            return f"prediction beside {name}"
    return "prediction beside tools" if request.tools else ""


def _search_at_openai(request: CompletionRequest, target: Target) -> str:
    """Of chat completions only models search that are made for it."""
    can = target.model == NO_FACTS or "search" in target.link.model
    return "" if can else "web_search_options (the model does not search)"


def _search_at_anthropic(request: CompletionRequest, target: Target) -> str:
    size = request.web_search_options and request.web_search_options.search_context_size
    return "web_search_options.search_context_size" if size in ("low", "high") else ""


def _search_at_gemini(request: CompletionRequest, target: Target) -> str:
    if request.web_search_options and request.web_search_options.user_location:
        return "web_search_options.user_location"
    if request.tools:
        return "web_search_options beside tools"
    return _search_at_anthropic(request, target)


def _tier(request: CompletionRequest, target: Target) -> str:
    tiers = ANTHROPIC_TIERS if target.api == "anthropic" else GEMINI_TIERS
    if request.service_tier in tiers:
        return ""
    return f"service_tier={request.service_tier}"


def _seed(request: CompletionRequest, target: Target) -> str:
    fits = -(2**31) <= (request.seed or 0) < 2**31
    return "" if fits else "a seed of more than 32 bits"


def _candidates(request: CompletionRequest, target: Target) -> str:
    return f"n={request.n} (at most {MOST_CANDIDATES})" if request.choices > MOST_CANDIDATES else ""


_RULES: Mapping[tuple[str, str], Callable[[CompletionRequest, Target], str]] = {
    ("openai", "reasoning_effort"): _effort,
    ("openai", "verbosity"): _verbosity,
    ("openai", "prediction"): _prediction,
    ("openai", "web_search_options"): _search_at_openai,
    ("openai-responses", "reasoning_effort"): _effort,
    ("openai-responses", "verbosity"): _verbosity,
    ("anthropic", "reasoning_effort"): _effort_at_anthropic,
    ("anthropic", "top_p"): _top_p,
    ("anthropic", "top_k"): _top_k,
    ("anthropic", "service_tier"): _tier,
    ("anthropic", "web_search_options"): _search_at_anthropic,
    ("gemini", "reasoning_effort"): _effort,
    ("gemini", "service_tier"): _tier,
    ("gemini", "seed"): _seed,
    ("gemini", "n"): _candidates,
    ("gemini", "web_search_options"): _search_at_gemini,
}
"""(API, parameter) -> what may be in its way."""
