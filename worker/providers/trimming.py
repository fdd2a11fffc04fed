"""`fit="slide"`: how many of a conversation's oldest turns to leave out so that it fits. Pure."""

from collections.abc import Callable

from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest

from .turns import SYSTEM_ROLES


def slide(
    request: CompletionRequest,
    room: int,
    tokens: Callable[[CompletionRequest], int],
) -> int | None:
    """How many of the oldest messages to leave out so that at most `room` tokens are left.

    None if no cut is enough. System messages stay, and so does the last turn. A tool call and its
    results stay or go together.
    """
    cuts = _cuts(request.messages)
    low = 0
    high = len(cuts)
    while low < high:
        middle = (low + high) // 2
        if tokens(without(request, cuts[middle])) <= room:
            high = middle
        else:
            low = middle + 1
    if low == len(cuts):
        return None
    return cuts[low]


def without(request: CompletionRequest, oldest: int) -> CompletionRequest:
    """The request without its `oldest` first messages, system messages not counted."""
    if not oldest:
        return request
    kept = []
    to_drop = oldest
    for message in request.messages:
        if message.role in SYSTEM_ROLES or not to_drop:
            kept.append(message)
        else:
            to_drop -= 1
    return request.model_copy(update={"messages": tuple(kept)})


def _cuts(messages: tuple[Message, ...]) -> list[int]:
    """Every number of messages that may be left out, ascending.

    A cut falls before any message that is not a tool's result.
    """
    turns = [message for message in messages if message.role not in SYSTEM_ROLES]
    return [number for number, message in enumerate(turns) if message.role != "tool"]
