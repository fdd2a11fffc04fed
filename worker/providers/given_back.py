"""What a provider wants back of its own turns, as the next request has it. Pure."""

import json
from typing import Any, NamedTuple

from producer.contract.kept import Kept
from producer.contract.messages import Message, ToolCall

from ..model_catalog import undated


class Back(NamedTuple):
    """One piece of a turn; a text, a call or a thought, which may be sealed."""

    text: str
    call: ToolCall | None
    thought: str | None
    seal: str


def kept_of(message: Message, api: str, model: str) -> Kept | None:
    """What this model at this API gave with the turn, under any of its dates; None of another's."""
    kept = message.kept
    if not kept or kept.api != api:
        return None
    return kept if undated(kept.model) == undated(model) else None


def given_back(message: Message, api: str, model: str) -> list[Back]:
    """The whole turn in its order.

    [] if the turn is another's or was changed since, so that its pieces are not known any more.
    """
    kept = kept_of(message, api, model)
    text = message.content or ""
    calls = {call.id: call for call in message.tool_calls or ()}
    if not kept or not isinstance(text, str):
        return []
    named = [piece.call for piece in kept.pieces if piece.call]
    if sorted(named) != sorted(calls):
        return []
    if sum(piece.characters for piece in kept.pieces) != len(text):
        return []
    found = []
    place = 0
    for piece in kept.pieces:
        end = place + piece.characters
        back = Back(
            text[place:end],
            calls.get(piece.call),
            piece.thought,
            piece.seal,
        )
        found.append(back)
        place = end
    return found


def sealed_list(seal: str) -> list[dict[str, Any]]:
    """The objects that a seal of ours is the JSON of; none if someone has changed it."""
    try:
        found = json.loads(seal)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list):
        return []
    return [each for each in found if isinstance(each, dict)]
