"""A request's parameters in the words of Anthropic's Messages API. Pure."""

from typing import Any

from producer.contract.parameters import WebSearch
from producer.contract.tools import ChosenTool

from ..budgets.search_fees import MOST_SEARCHES
from .base import Call
from .fates import ANTHROPIC_TIERS
from .thinking import NEVER, budget, style_of

IDENTIFIER_FIELDS = {"metadata", "metadata.user_id"}
SEARCH_TOOL = "web_search_20250305"
"""The version that all models take which search at all."""


def told(call: Call) -> dict[str, Any]:
    """By name, what goes into the body beside messages, tools, stop and the answer's format."""
    request = call.request
    body: dict[str, Any] = {}
    for name in ("top_p", "top_k"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    body |= _thinking(call)
    if request.tools and (choice := _tool_choice(call)):
        body["tool_choice"] = choice
    if request.service_tier:
        body["service_tier"] = ANTHROPIC_TIERS[request.service_tier]
    who = request.safety_identifier or request.user or call.identifier
    if who and not IDENTIFIER_FIELDS & call.refused:
        body["metadata"] = {"user_id": who}
    return body


def thinks_by_request(call: Call) -> bool:
    """Whether the request turns thinking on: then the API takes no temperature."""
    return "thinking" in call.options or call.request.wants_thinking


def search_tool(wanted: WebSearch) -> dict[str, Any]:
    tool: dict[str, Any] = {
        "type": SEARCH_TOOL,
        "name": "web_search",
        "max_uses": MOST_SEARCHES,
    }
    if wanted.user_location:
        place = wanted.user_location.approximate.model_dump(exclude_none=True)
        tool["user_location"] = {"type": "approximate"} | place
    return tool


def _thinking(call: Call) -> dict[str, Any]:
    effort = call.request.reasoning_effort
    style = style_of("anthropic", call.model)
    level = style.level(effort) if effort else None
    if level is None or style == NEVER:
        return {}
    if level == "none":
        return {"thinking": {"type": "disabled"}}
    if style.kind == "budget":
        tokens = budget(level, call.max_tokens)
        return {"thinking": {"type": "enabled", "budget_tokens": tokens}}
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": level}}


def _tool_choice(call: Call) -> dict[str, Any]:
    wanted = call.request.tool_choice
    choice: dict[str, Any] = {}
    if isinstance(wanted, ChosenTool):
        choice = {"type": "tool", "name": wanted.function.name}
    elif wanted:
        choice = {"type": "any" if wanted == "required" else wanted}
    alone = call.request.parallel_tool_calls is False
    if alone and choice.get("type") != "none":
        choice = {"type": "auto"} | choice | {"disable_parallel_tool_use": True}
    return choice
