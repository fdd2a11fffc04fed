"""What the translations of our messages share, whatever the provider's shape. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from producer.contract.content import ImagePart, Part, RefusalPart, TextPart
from producer.contract.messages import Message

Piece = dict[str, Any]
"""A piece of a turn, in the provider's shape."""

CONTINUE = "Continue."
"""The user's turn after the assistant's, for models that cannot continue from the assistant's."""

SYSTEM_ROLES = ("system", "developer")


def parts_of(message: Message) -> tuple[Part, ...]:
    """Its content, and the words with which the assistant declined."""
    if message.refusal and not any(isinstance(part, RefusalPart) for part in message.parts):
        return (*message.parts, RefusalPart(type="refusal", refusal=message.refusal))
    return message.parts


def word_of(part: Part) -> str | None:
    """The text of a part that is one; None of any other."""
    if isinstance(part, RefusalPart):
        return part.refusal
    if isinstance(part, TextPart):
        return part.text
    return None


def text_of(message: Message) -> str:
    """The text of a message, its parts joined by a blank line."""
    words = (word_of(part) for part in parts_of(message))
    return "\n\n".join(word for word in words if word is not None)


def named(message: Message) -> Message:
    """A user's message with the user's name in its text, for APIs that have no names.

    Of other roles the name says nothing that their place does not.
    """
    if not message.name or message.role != "user":
        return message
    lead = f"{message.name}: "
    if isinstance(message.content, str):
        return message.model_copy(update={"content": lead + message.content})
    first, *others = message.parts
    if isinstance(first, TextPart):
        texts = (first.model_copy(update={"text": lead + first.text}), *others)
    else:
        texts = (TextPart(type="text", text=lead.rstrip()), first, *others)
    return message.model_copy(update={"content": texts})


def system_text(messages: Iterable[Message]) -> str:
    """All system and developer messages, joined by a blank line; "" if there are none."""
    texts = [text_of(message) for message in messages if message.role in SYSTEM_ROLES]
    return "\n\n".join(text for text in texts if text.strip())


def merged_turns(
    messages: Iterable[Message],
    assistant: str,
    pieces_of: Callable[[Message], list[Piece]],
) -> list[tuple[str, list[Piece]]]:
    """(role, pieces) of each turn, without the system messages.

    Neighbours of one role become one turn; a message without pieces becomes none. `assistant`: the
    provider's name of that role. Every other role is "user".
    """
    turns: list[tuple[str, list[Piece]]] = []
    for message in messages:
        if message.role in SYSTEM_ROLES:
            continue
        role = "user"
        if message.role == "assistant":
            role = assistant
        pieces = pieces_of(named(message))
        if pieces and turns and turns[-1][0] == role:
            turns[-1][1].extend(pieces)
        elif pieces:
            turns.append((role, pieces))
    return turns


def all_parts(messages: Iterable[Message]) -> Iterator[tuple[Message, Part]]:
    """Every part of every message, with its message."""
    for message in messages:
        if isinstance(message.content, tuple):
            for part in message.content:
                yield message, part


def image_urls(messages: Iterable[Message]) -> list[str]:
    """The web address or data URI of every image."""
    return [part.image_url.url for _, part in all_parts(messages) if isinstance(part, ImagePart)]
