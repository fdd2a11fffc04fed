"""What the translations of our messages share, whatever the provider's shape. Pure."""

import json
from collections.abc import Callable
from typing import Any

from producer.contract.messages import ImagePart, Message, TextPart
from producer.contract.requests import CompletionRequest

Part = dict[str, Any]
"""A piece of a turn, in the provider's shape."""

CONTINUE = "Continue."
"""The user's turn after the assistant's, for models that cannot continue from the assistant's."""

SYSTEM_ROLES = ("system", "developer")


def text_of(message: Message) -> str:
    """The text of a message, its parts joined by a blank line."""
    if isinstance(message.content, str):
        return message.content
    texts = [part.text for part in message.content or () if isinstance(part, TextPart)]
    return "\n\n".join(texts)


def system_text(messages: tuple[Message, ...]) -> str:
    """All system and developer messages, joined by a blank line; "" if there are none."""
    texts = [text_of(message) for message in messages if message.role in SYSTEM_ROLES]
    return "\n\n".join(text for text in texts if text.strip())


def merged_turns(
    request: CompletionRequest,
    assistant: str,
    parts_of: Callable[[Message], list[Part]],
) -> list[tuple[str, list[Part]]]:
    """(role, parts) of each turn, without the system messages.

    Neighbours of one role become one turn; a message without parts becomes none. `assistant`: the
    provider's name of that role. Every other role is "user".
    """
    turns: list[tuple[str, list[Part]]] = []
    for message in request.messages:
        if message.role in SYSTEM_ROLES:
            continue
        role = "user"
        if message.role == "assistant":
            role = assistant
        parts = parts_of(message)
        if parts and turns and turns[-1][0] == role:
            turns[-1][1].extend(parts)
        elif parts:
            turns.append((role, parts))
    return turns


def image_urls(request: CompletionRequest) -> list[str]:
    """The web address or data URI of every image in the request."""
    parts = [
        part
        for message in request.messages
        if isinstance(message.content, tuple)
        for part in message.content
    ]
    return [part.image_url.url for part in parts if isinstance(part, ImagePart)]


def arguments(text: str) -> dict[str, Any]:
    """The arguments of a tool call as an object: the APIs take nothing else.

    A model may have written something that is no JSON object; it is passed on as text.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value
    return {"arguments": text}
