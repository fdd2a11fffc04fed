"""Anthropic's messages as Anthropic and the servers that imitate it send them. Pure."""

from typing import Any

from .answers import Answer, text_and_reasoning
from .bodies import Json, items, mapping, text_of
from .sources import of_anthropic
from .statuses import bad_response
from .tool_calls import RawCall
from .usages import anthropic_usage

API = "anthropic"


def read(found: list[Json]) -> Answer:
    """The answer in the objects of a body: one, or the events of a stream.

    Raises `ProviderError` for a body without an answer in it.
    """
    if not found:
        raise bad_response("a 200 that is not the API's JSON")
    body = found[0]
    if any(each.get("type") == "message_start" for each in found):
        body = _joined(found)
    answer = Answer(
        finish=body.get("stop_reason"),
        model=text_of(body.get("model")),
        stated=anthropic_usage(body.get("usage")),
    )
    answer.ended = found[-1].get("type") == "message_stop"
    answer.api = API
    for block in items(body.get("content")):
        _take(answer, block)
    return answer


def _take(answer: Answer, block: Any) -> None:
    """Add what a block says."""
    fields = mapping(block)
    kind = fields.get("type")
    if kind == "tool_use" or "input" in fields:
        if kind in (None, "tool_use"):
            answer.call(RawCall(fields.get("name"), fields.get("input")))
    elif kind == "thinking" and isinstance(fields.get("signature"), str):
        answer.think(text_of(fields.get("thinking")), text_of(fields["signature"]))
    elif kind == "redacted_thinking":
        answer.think(None, text_of(fields.get("data")))
    else:
        text, reasoning = text_and_reasoning(block)
        start = len(answer.text)
        answer.say(text)
        answer.reasoning += reasoning
        answer.citations += of_anthropic(fields, start, len(answer.text))


def _joined(events: list[Json]) -> Json:
    """One message out of the events of a stream."""
    whole: Json = {}
    blocks: dict[object, Json] = {}
    for event in events:
        delta = mapping(event.get("delta"))
        match event.get("type"):
            case "message_start":
                whole = dict(mapping(event.get("message")))
                # What it says of the answer is of its first token only.
                whole["usage"] = dict(mapping(whole.get("usage")))
                whole["usage"].pop("output_tokens", None)
            case "content_block_start":
                block = dict(mapping(event.get("content_block")))
                blocks[_index(event, blocks)] = block
            case "content_block_delta":
                _join(blocks.setdefault(_index(event, blocks), {}), delta)
            case "message_delta":
                whole["stop_reason"] = delta.get("stop_reason") or whole.get("stop_reason")
                usage = mapping(event.get("usage")).items()
                stated = {name: value for name, value in usage if value is not None}
                whole["usage"] = mapping(whole.get("usage")) | stated
    whole["content"] = [_finished(block) for block in blocks.values()]
    return whole


def _index(event: Json, blocks: dict[object, Json]) -> object:
    index = event.get("index")
    return index if isinstance(index, int) else len(blocks)


def _join(block: Json, delta: Json) -> None:
    """Put a piece to its block; the pieces of a call's input are texts."""
    names = {
        "text": "text",
        "thinking": "thinking",
        "signature": "signature",
        "partial_json": "input_text",
    }
    for name, target in names.items():
        piece = delta.get(name)
        if isinstance(piece, str):
            block[target] = text_of(block.get(target)) + piece
    if "citation" in delta:
        block["citations"] = [*items(block.get("citations")), delta["citation"]]


def _finished(block: Json) -> dict[str, Any]:
    if block.get("input_text"):
        block["input"] = block.pop("input_text")
    return block
