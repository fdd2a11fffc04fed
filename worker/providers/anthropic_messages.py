"""Our messages and tools in the shape of Anthropic's Messages API. Pure."""

import re
from typing import Any

from producer.contract.messages import ImagePart, Message, TextPart
from producer.contract.requests import CompletionRequest

from .turns import GO_ON, Part, arguments, image_urls, merged, plain, system

_DATA = re.compile(r"data:(image/(?:jpeg|png|gif|webp));base64,(.+)", re.DOTALL)


def unsupported(request: CompletionRequest) -> str:
    """What of the request the API has no word for, "" if nothing."""
    if request.response_format and request.response_format.type == "json_object":
        return "response_format json_object (json_schema works)"
    foreign = any(url.startswith("data:") and not _DATA.match(url) for url in image_urls(request))
    return "an image that is neither jpeg, png, gif nor webp" if foreign else ""


def conversation(request: CompletionRequest, prefill: bool) -> tuple[str, list[dict[str, Any]]]:
    """(system, messages). Systems are joined, turns of one role merged, blank texts dropped (each
    would be a 400). The first turn is the user's; so is the last, unless the model goes on from the
    assistant's, which must not end in white space.
    """
    go_on = {"type": "text"} | GO_ON
    turns = merged(request, "assistant", _blocks)
    if not turns or turns[0][0] == "assistant":
        turns.insert(0, ("user", [go_on]))
    if turns[-1][0] == "assistant":
        last = turns[-1][1][-1]
        if prefill and last["type"] == "text":
            last["text"] = last["text"].rstrip()
        else:
            turns.append(("user", [go_on]))
    return system(request.messages), [{"role": role, "content": blocks} for role, blocks in turns]


def remember(parameters: dict[str, Any]) -> None:
    """Mark where the shared beginning ends: after the system prompt, or the tools if there is none,
    and before the newest turn.

    The API caches everything up to a mark, tools before system before messages; what is too short
    for it, it leaves.
    """
    mark = {"cache_control": {"type": "ephemeral"}}
    if parameters.get("system"):
        parameters["system"] = [{"type": "text", "text": parameters["system"]} | mark]
    elif parameters.get("tools"):
        parameters["tools"][-1] |= mark
    if len(parameters["messages"]) > 1:
        parameters["messages"][-2]["content"][-1] |= mark


def tools(request: CompletionRequest) -> list[dict[str, Any]]:
    """Function tools; one without parameters takes an empty object."""
    return [
        {"name": tool.function.name, "input_schema": tool.function.parameters or {"type": "object"}}
        | ({"description": tool.function.description} if tool.function.description else {})
        for tool in request.tools
    ]


def _blocks(message: Message) -> list[Part]:
    if message.role == "tool":
        return [
            {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": plain(message)}
        ]
    if isinstance(message.content, str):
        blocks = _text(message.content)
    else:
        blocks = [block for part in message.content or () for block in _part(part)]
    for call in message.tool_calls or ():
        blocks.append(
            {
                "type": "tool_use",
                "id": call.id,
                "name": call.function.name,
                "input": arguments(call.function.arguments),
            }
        )
    return blocks


def _part(part: TextPart | ImagePart) -> list[Part]:
    if isinstance(part, TextPart):
        return _text(part.text)
    url = part.image_url.url
    if found := _DATA.match(url):
        return [
            {
                "type": "image",
                "source": {"type": "base64", "media_type": found[1], "data": found[2]},
            }
        ]
    return [{"type": "image", "source": {"type": "url", "url": url}}]


def _text(text: str) -> list[Part]:
    return [{"type": "text", "text": text}] if text.strip() else []
