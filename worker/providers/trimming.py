"""`fit="slide"`: how many of a conversation's oldest turns to leave out so that it fits. Pure."""

from collections.abc import Callable
from itertools import accumulate

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

    No cut falls between a call and its result, which may come late.
    """
    turns = [message for message in messages if message.role not in SYSTEM_ROLES]
    waiting: dict[str, list[int]] = {}
    # At the place of each call and behind that of its result: how many more are open from there.
    opened = [0] * (len(turns) + 1)
    for number, message in enumerate(turns):
        for call in message.tool_calls or ():
            waiting.setdefault(call.id, []).append(number)
        if message.role == "tool":
            asked = waiting.get(message.tool_call_id or "") or [number - 1]
            opened[asked.pop() + 1] += 1
            opened[number + 1] -= 1
    return [number for number, open_ in enumerate(accumulate(opened[:-1])) if not open_]
