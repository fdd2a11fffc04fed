"""A request's parameters in the words of Gemini's generateContent. Pure.

Both of Google's SDKs take these dicts.
"""

import hashlib
import re
from typing import Any

from producer.contract.requests import CompletionRequest
from producer.contract.tools import ChosenTool

from .base import Call
from .fates import GEMINI_TIERS
from .thinking import LEAST_AT_GEMINI, NEVER, budget, style_of

_MODES = {"none": "NONE", "auto": "AUTO", "required": "ANY"}
_SENT = {
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logprobs": "response_logprobs",
    "top_logprobs": "logprobs",
    "n": "candidate_count",
    "store": "store",
}
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
"""The form of a label's value (cloud.google.com: Labels overview)."""


def told(call: Call) -> dict[str, Any]:
    """What goes into the config beside tools, stop and the answer's format."""
    request = call.request
    config: dict[str, Any] = {}
    for name, theirs in _SENT.items():
        if (value := getattr(request, name)) is not None:
            config[theirs] = value
    if calling := function_calling(request):
        config["tool_config"] = {"function_calling_config": calling}
    if thinking := _thinking(call):
        config["thinking_config"] = thinking
    if tier := GEMINI_TIERS.get(request.service_tier or ""):
        config["service_tier"] = tier
    who = request.safety_identifier or request.user or call.identifier
    if who and "labels" not in call.refused:
        config["labels"] = {"user": _label(who)}
    return config


def function_calling(request: CompletionRequest) -> dict[str, Any]:
    """Empty if the request says nothing of it."""
    wanted = request.tool_choice
    if wanted is None or not request.tools:
        return {}
    if isinstance(wanted, ChosenTool):
        return {"mode": "ANY", "allowed_function_names": [wanted.function.name]}
    return {"mode": _MODES[str(wanted)]}


def _thinking(call: Call) -> dict[str, Any]:
    effort = call.request.reasoning_effort
    style = style_of("gemini", call.model)
    level = style.level(effort) if effort else None
    if level is None or style == NEVER:
        return {}
    if style.kind == "budget":
        tokens = budget(level, call.max_tokens)
        return {"thinking_budget": max(tokens, LEAST_AT_GEMINI) if tokens else 0}
    return {"thinking_level": level.upper()}


def _label(who: str) -> str:
    if _LABEL.fullmatch(who):
        return who
    return hashlib.sha256(who.encode()).hexdigest()[:32]
