"""`fit="slide"`: which of a conversation's oldest turns to leave out so that the rest fits. Pure."""

from collections.abc import Callable

from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest

SYSTEM = ("system", "developer")


def slide(
    request: CompletionRequest, room: int, tokens: Callable[[CompletionRequest], int]
) -> int | None:
    """How many of the oldest messages to leave out so that at most `room` tokens are left; None if
    no cut is enough.

    System messages stay, and so does the last turn. A tool call and its results go together.
    """
    cuts = _cuts(request.messages)
    low, high = 0, len(cuts)
    while low < high:
        middle = (low + high) // 2
        if tokens(without(request, cuts[middle])) <= room:
            high = middle
        else:
            low = middle + 1
    return cuts[low] if low < len(cuts) else None


def without(request: CompletionRequest, oldest: int) -> CompletionRequest:
    """The request without its `oldest` first messages, system messages not counted."""
    if not oldest:
        return request
    kept, left = [], oldest
    for message in request.messages:
        if message.role in SYSTEM or not left:
            kept.append(message)
        else:
            left -= 1
    return request.model_copy(update={"messages": tuple(kept)})


def _cuts(messages: tuple[Message, ...]) -> list[int]:
    """Every number of messages that may go, ascending: a cut falls before any message that is not a
    tool's result.
    """
    turns = [message for message in messages if message.role not in SYSTEM]
    return [number for number, message in enumerate(turns) if message.role != "tool"]
