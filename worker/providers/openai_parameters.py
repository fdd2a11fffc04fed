"""A request's parameters in OpenAI's words, in the dialect of the server. Pure."""

from typing import Any

from .base import Call
from .dialects import Dialect
from .thinking import NEVER, style_of

_AS_THEY_ARE = (
    "seed",
    "top_p",
    "top_k",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "n",
    "verbosity",
    "service_tier",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "store",
    "prediction",
    "web_search_options",
)
_OF_TOOLS = ("tool_choice", "parallel_tool_calls")
"""An API takes them beside tools only."""


def told(call: Call, request: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """By name, what of `request` (the dumped one of `call`) goes into the body."""
    names = [*_AS_THEY_ARE]
    if request.get("tools"):
        names += _OF_TOOLS
    told = {
        dialect.renamed.get(name, name): request[name]
        for name in names
        if name in request and name not in dialect.lacks
    }
    if effort := _effort(call, dialect):
        told["reasoning_effort"] = effort
    if call.identifier and dialect.identifier and not {"user", "safety_identifier"} & told.keys():
        told[dialect.identifier] = call.identifier
    return told


def told_to_responses(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """The same in the words of the Responses API."""
    names = ["top_p", "service_tier", "user", "safety_identifier", "prompt_cache_key"]
    names.append("top_logprobs")
    if request.get("tools"):
        names.append("parallel_tool_calls")
    told = {name: request[name] for name in names if name in request}
    if request.get("tools") and "tool_choice" in request:
        told["tool_choice"] = _flat(request["tool_choice"])
    if level := level_of(call):
        told["reasoning"] = {"effort": level}
    if call.identifier and not {"user", "safety_identifier"} & told.keys():
        told["safety_identifier"] = call.identifier
    return told


def search_tool(request: dict[str, Any]) -> dict[str, Any]:
    """For the Responses API, of `web_search_options`."""
    options = request["web_search_options"]
    tool: dict[str, Any] = {"type": "web_search"}
    if size := options.get("search_context_size"):
        tool["search_context_size"] = size
    if location := options.get("user_location"):
        tool["user_location"] = {"type": "approximate"} | location["approximate"]
    return tool


def _flat(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return choice
    if choice["type"] == "function":
        return {"type": "function", "name": choice["function"]["name"]}
    allowed = choice["allowed_tools"]
    return {
        "type": "allowed_tools",
        "mode": allowed["mode"],
        "tools": [_flat(each) for each in allowed["tools"]],
    }


def level_of(call: Call) -> str | None:
    """The level that a model of OpenAI's is told; None: none."""
    effort = call.request.reasoning_effort
    style = style_of("openai", call.model)
    return None if effort is None or style == NEVER else style.level(effort)


def _effort(call: Call, dialect: Dialect) -> str | None:
    effort = call.request.reasoning_effort
    if effort is None or "reasoning_effort" in dialect.lacks:
        return None
    return level_of(call) if dialect.vendor else effort
