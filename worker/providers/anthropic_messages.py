"""Our messages and tools in the shape of Anthropic's Messages API. Pure."""

import re
from typing import Any

from producer.contract.messages import ImagePart, Message, TextPart, ToolCall
from producer.contract.requests import CompletionRequest, Tool

from .turns import (
    CONTINUE,
    Part,
    arguments,
    image_urls,
    merged_turns,
    system_text,
    text_of,
)

_DATA = re.compile(r"data:(image/(?:jpeg|png|gif|webp));base64,(.+)", re.DOTALL)


def unsupported(request: CompletionRequest) -> str:
    """The part of the request that the API cannot express, "" if there is none."""
    wanted = request.response_format
    if wanted and wanted.type == "json_object":
        return "response_format json_object (json_schema works)"
    for url in image_urls(request):
        if url.startswith("data:") and not _DATA.match(url):
            return "an image that is neither jpeg, png, gif nor webp"
    return ""


def conversation(request: CompletionRequest, prefill: bool) -> tuple[str, list[dict[str, Any]]]:
    """(system prompt, messages).

    System messages are joined, turns of one role merged, and blank texts dropped (each would be a
    400). The first turn is the user's. So is the last, unless `prefill`: then the model continues
    a last text of the assistant, which must not end in white space.
    """
    turns = merged_turns(request, "assistant", _blocks)
    if not turns or turns[0][0] == "assistant":
        turns.insert(0, ("user", [_text_block(CONTINUE)]))
    role, blocks = turns[-1]
    if role == "assistant":
        last = blocks[-1]
        if prefill and last["type"] == "text":
            last["text"] = last["text"].rstrip()
        else:
            turns.append(("user", [_text_block(CONTINUE)]))
    messages = [{"role": role, "content": blocks} for role, blocks in turns]
    return system_text(request.messages), messages


def mark_for_cache(parameters: dict[str, Any]) -> None:
    """Mark where the beginning ends that later requests share.

    That is after the system prompt (after the tools if there is none), and before the newest turn.
    The API caches everything up to a mark: tools, then system, then messages. What is too short to
    be cached it ignores.
    """
    mark = {"cache_control": {"type": "ephemeral"}}
    if parameters.get("system"):
        block = _text_block(parameters["system"])
        parameters["system"] = [block | mark]
    elif parameters.get("tools"):
        parameters["tools"][-1] |= mark
    if len(parameters["messages"]) > 1:
        before_newest = parameters["messages"][-2]
        before_newest["content"][-1] |= mark


def tools(request: CompletionRequest) -> list[dict[str, Any]]:
    """Function tools; one without parameters takes an empty object."""
    return [_tool(tool) for tool in request.tools]


def _tool(tool: Tool) -> dict[str, Any]:
    function = tool.function
    translated: dict[str, Any] = {
        "name": function.name,
        "input_schema": function.parameters or {"type": "object"},
    }
    if function.description:
        translated["description"] = function.description
    return translated


def _blocks(message: Message) -> list[Part]:
    if message.role == "tool":
        return [_tool_result(message)]
    if isinstance(message.content, str):
        blocks = _text(message.content)
    else:
        blocks = [block for part in message.content or () for block in _part(part)]
    blocks += [_tool_use(call) for call in message.tool_calls or ()]
    return blocks


def _tool_result(message: Message) -> Part:
    return {
        "type": "tool_result",
        "tool_use_id": message.tool_call_id,
        "content": text_of(message),
    }


def _tool_use(call: ToolCall) -> Part:
    return {
        "type": "tool_use",
        "id": call.id,
        "name": call.function.name,
        "input": arguments(call.function.arguments),
    }


def _part(part: TextPart | ImagePart) -> list[Part]:
    if isinstance(part, TextPart):
        return _text(part.text)
    url = part.image_url.url
    source: Part = {"type": "url", "url": url}
    if found := _DATA.match(url):
        media_type, data = found.groups()
        source = {"type": "base64", "media_type": media_type, "data": data}
    return [{"type": "image", "source": source}]


def _text(text: str) -> list[Part]:
    """One block, or none for a blank text."""
    if not text.strip():
        return []
    return [_text_block(text)]


def _text_block(text: str) -> Part:
    return {"type": "text", "text": text}
