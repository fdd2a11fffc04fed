"""What the translations of our messages have in common, whatever the provider's shape. Pure."""

import json
from collections.abc import Callable
from typing import Any

from producer.contract.messages import ImagePart, Message, TextPart
from producer.contract.requests import CompletionRequest

Part = dict[str, Any]
"""A piece of a turn, in the provider's shape."""

GO_ON = {"text": "Continue."}
"""The user's last word where the assistant had it: models without prefill refuse to begin from
there.
"""


def plain(message: Message) -> str:
    """The text of a message, its parts joined by a blank line."""
    if isinstance(message.content, str):
        return message.content
    return "\n\n".join(part.text for part in message.content or () if isinstance(part, TextPart))


def system(messages: tuple[Message, ...]) -> str:
    """All system and developer messages, joined by a blank line; "" if there are none."""
    texts = [plain(message) for message in messages if message.role in ("system", "developer")]
    return "\n\n".join(text for text in texts if text.strip())


def merged(
    request: CompletionRequest, assistant: str, parts_of: Callable[[Message], list[Part]]
) -> list[tuple[str, list[Part]]]:
    """(role, parts) of each turn, system messages left out: neighbours of one role become one turn,
    empty ones none.

    `assistant`: what the provider calls that role; every other speaker is the user.
    """
    turns: list[tuple[str, list[Part]]] = []
    for message in request.messages:
        if message.role in ("system", "developer"):
            continue
        role, parts = assistant if message.role == "assistant" else "user", parts_of(message)
        if parts and turns and turns[-1][0] == role:
            turns[-1][1].extend(parts)
        elif parts:
            turns.append((role, parts))
    return turns


def image_urls(request: CompletionRequest) -> list[str]:
    """Of every image in the request, web address or data URI."""
    parts = [
        part
        for message in request.messages
        if isinstance(message.content, tuple)
        for part in message.content
    ]
    return [part.image_url.url for part in parts if isinstance(part, ImagePart)]


def arguments(text: str) -> dict[str, Any]:
    """A model may have written something that is no JSON object; the APIs take objects only."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"arguments": text}
