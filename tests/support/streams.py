"""A whole answer as the stream of events that its API would send it in."""

import json
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
DONE = "data: [DONE]\n\n"


def events(body: Json, usage: bool = True) -> list[str]:
    """Server-sent events, one a text; `usage`: whether OpenAI's was asked to state it."""
    if body.get("type") == "message":
        return [f"event: {each['type']}\n{_data(each)}" for each in _messages(body)]
    if "output" in body:
        return [f"event: {each['type']}\n{_data(each)}" for each in _responded(body)]
    if "candidates" in body or "promptFeedback" in body:
        return [_data(each) for each in _generated(body)]
    return [*(_data(each) for each in _chunks(body, usage)), DONE]


def split(text: str) -> list[str]:
    """In a few pieces, as tokens come."""
    return [text[place : place + 7] for place in range(0, len(text), 7)]


def _data(value: object) -> str:
    return f"data: {json.dumps(value)}\n\n"


def _chunks(body: Json, usage: bool) -> Iterator[Json]:
    frame = {name: body[name] for name in body if name not in ("choices", "usage", "object")}
    frame["object"] = "chat.completion.chunk"
    for number, choice in enumerate(body.get("choices") or ()):
        rest = {name: choice[name] for name in choice if name not in ("message", "finish_reason")}
        rest |= {"index": choice.get("index", number), "finish_reason": None}
        for delta in _deltas(choice.get("message") or {}):
            yield frame | {"choices": [rest | {"delta": delta}]}
        end = {"delta": {}, "finish_reason": choice.get("finish_reason")}
        yield frame | {"choices": [rest | end]}
    if usage and "usage" in body:
        yield frame | {"choices": [], "usage": body["usage"]}


def _deltas(message: Json) -> Iterator[Json]:
    yield {"role": "assistant", "content": ""}
    for name, value in message.items():
        if name == "tool_calls" and isinstance(value, list):
            for index, call in enumerate(value):
                yield from _called(index, call)
        elif name == "function_call" and isinstance(value, dict):
            yield {name: value | {"arguments": ""}}
            yield from ({name: {"arguments": piece}} for piece in split(value["arguments"]))
        elif isinstance(value, str) and name != "role":
            yield from ({name: piece} for piece in split(value))
        elif value is not None and name != "role":
            yield {name: value}


def _called(index: int, call: Json) -> Iterator[Json]:
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if not isinstance(arguments, str):
        yield {"tool_calls": [call]}
        return
    first = {"index": index} | call | {"function": function | {"arguments": ""}}
    yield {"tool_calls": [first]}
    for piece in split(arguments):
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _messages(body: Json) -> Iterator[Json]:
    usage = body.get("usage")
    begun = body | {"content": [], "stop_reason": None}
    if isinstance(usage, dict):
        begun["usage"] = usage | {"output_tokens": 1}  # always, whatever comes
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, block in enumerate(body.get("content") or ()):
        yield from _block(index, block)
    end = {name: body[name] for name in ("stop_reason", "stop_sequence") if name in body}
    ended: Json = {"type": "message_delta", "delta": end}
    yield ended | ({"usage": usage} if usage is not None else {})
    yield {"type": "message_stop"}


def _block(index: int, block: Json) -> Iterator[Json]:
    kind = block.get("type")
    deltas: list[Json] = []
    begun = block
    if kind in ("text", "thinking"):
        begun = block | {kind: ""}
        deltas = [{"type": f"{kind}_delta", kind: piece} for piece in split(block[kind])]
    elif kind == "tool_use":
        begun = block | {"input": {}}
        given = block.get("input")
        pieces = split(given if isinstance(given, str) else json.dumps(given))
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    yield {"type": "content_block_start", "index": index, "content_block": begun}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _responded(body: Json) -> Iterator[Json]:
    yield {"type": "response.created", "response": body | {"output": [], "status": "in_progress"}}
    for index, item in enumerate(body["output"]):
        place = {"output_index": index}
        yield {"type": "response.output_item.added", "item": item | {"content": []}} | place
        for part in item.get("content") or ():
            for piece in split(part.get("text") or ""):
                yield {"type": "response.output_text.delta", "delta": piece} | place
        yield {"type": "response.output_item.done", "item": item} | place
    ends = {"incomplete": "incomplete", "failed": "failed"}
    ended = ends.get(str(body.get("status")), "completed")
    yield {"type": f"response.{ended}", "response": body}


def _generated(body: Json) -> Iterator[Json]:
    frame = {name: body[name] for name in body if name not in ("candidates", "usageMetadata")}
    last: Json = {}
    for candidate in (body.get("candidates") or ())[:1]:
        last = {name: candidate[name] for name in candidate if name != "content"}
        for part in (candidate.get("content") or {}).get("parts") or ():
            for piece in _parts(part):
                content = {"role": "model", "parts": [piece]}
                yield frame | {"candidates": [{"content": content, "index": 0}]}
    end = {"candidates": [last]} if last else {}
    usage = {"usageMetadata": body["usageMetadata"]} if "usageMetadata" in body else {}
    yield frame | end | usage


def _parts(part: Json) -> Iterator[Json]:
    if set(part) <= {"text", "thought"}:
        yield from (part | {"text": piece} for piece in split(part["text"]))
    else:
        yield part
