"""Whether each tool call of a conversation has its result, and each result its call."""

from collections.abc import Sequence

from .messages import Message


def unpaired(messages: Sequence[Message]) -> tuple[str, str]:
    """(place, what is wrong there with its fix) of the first call or result that is alone.

    ("", "") if there is none. No provider takes such a conversation. A result may come late, and in
    any order; of calls that share an id it is the last one's that has none yet.
    """
    waiting: dict[str, list[int]] = {}
    for number, message in enumerate(messages):
        for call in message.tool_calls or ():
            waiting.setdefault(call.id, []).append(number)
        if message.role != "tool":
            continue
        if not waiting.get(message.tool_call_id or ""):
            return (
                f"messages[{number}].tool_call_id",
                "no call before it has this id and is without a result. "
                "Fix: keep the assistant's message with its tool_calls, and one result of each",
            )
        waiting[message.tool_call_id or ""].pop()
    alone = [number for numbers in waiting.values() for number in numbers]
    if alone:
        return (
            f"messages[{min(alone)}].tool_calls",
            "a call has no result. Fix: add a tool message with its id, "
            "or leave out the call and what was asked with it",
        )
    return "", ""
