"""Our messages and tools in the shape of Anthropic's Messages API. Pure."""

import re
from typing import Any

from producer.contract.requests import CompletionRequest
from producer.contract.tools import Tool

from . import anthropic_blocks
from .anthropic_blocks import blocks_of, system_of, text_block
from .pairing import paired
from .turns import CONTINUE, Piece, merged_turns

ONE_OBJECT = "Answer with one JSON object and nothing else."
_FENCED = re.compile(r"```(?:json)?\s*\n(.*)\n```", re.DOTALL | re.IGNORECASE)


def unsupported(request: CompletionRequest) -> str:
    """The part of the request that the API cannot express, "" if there is none."""
    return anthropic_blocks.unsupported(request.messages)


def conversation(
    request: CompletionRequest, prefill: bool, model: str
) -> tuple[str | list[Piece], list[dict[str, Any]]]:
    """(system prompt, messages).

    System messages are joined, turns of one role merged, and blank texts dropped (each would be a
    400). The first turn is the user's. So is the last, unless `prefill`: then the model continues
    a last text of the assistant, which must not end in white space.
    """
    turns = merged_turns(
        paired(request.messages), "assistant", lambda message: blocks_of(message, model)
    )
    if not turns or turns[0][0] == "assistant":
        turns.insert(0, ("user", [text_block(CONTINUE)]))
    role, blocks = turns[-1]
    if role == "assistant":
        last = blocks[-1]
        if prefill and last["type"] == "text":
            last["text"] = last["text"].rstrip()
        else:
            turns.append(("user", [text_block(CONTINUE)]))
    messages = [{"role": role, "content": blocks} for role, blocks in turns]
    return system_of(request.messages), messages


def ask_for_object(messages: list[dict[str, Any]]) -> None:
    """The API has no word for "any JSON object": the user's last turn says it."""
    turn = next(each for each in reversed(messages) if each["role"] == "user")
    turn["content"].append(text_block(ONE_OBJECT))


def unfenced(text: str) -> str:
    """JSON without the fence of Markdown that models like to put around it."""
    found = _FENCED.fullmatch(text.strip())
    return found[1] if found else text


def mark_for_cache(parameters: dict[str, Any]) -> None:
    """Mark where the beginning ends that later requests share.

    That is after the system prompt (after the tools if there is none), and before the newest turn.
    The API caches everything up to a mark: tools, then system, then messages. What is too short to
    be cached it ignores.
    """
    mark = {"cache_control": {"type": "ephemeral"}}
    if parameters.get("system"):
        block = text_block(parameters["system"])
        parameters["system"] = [block | mark]
    elif parameters.get("tools"):
        parameters["tools"][-1] |= mark
    if len(parameters["messages"]) > 1:
        last = parameters["messages"][-2]["content"][-1]
        if "thinking" not in last["type"]:  # which takes no mark
            last |= mark


def tools(request: CompletionRequest) -> list[dict[str, Any]]:
    """Function tools; one without parameters takes an empty object."""
    return [_tool(tool) for tool in request.tools]


def _tool(tool: Tool) -> dict[str, Any]:
    function = tool.function
    translated: dict[str, Any] = {
        "name": function.name,
        "input_schema": function.arguments,
    }
    if function.description:
        translated["description"] = function.description
    return translated
