"""What the three providers check of a conversation with tools, before they read it."""

import base64
import json

SIGNATURE = base64.b64encode(b"of gemini").decode()
FOREIGN = base64.b64encode(b"skip_thought_signature_validator").decode()
SIGNED = {"type": "thinking", "thinking": "Let me see.", "signature": "of claude"}
REDACTED = {"type": "redacted_thinking", "data": "sealed by claude"}


def refuse(request: dict) -> str:
    """Why the provider would answer 400; "" if it would not."""
    if "contents" in request:
        return _gemini(request["contents"])
    if "max_completion_tokens" in request or "stream_options" in request:
        return _openai(request["messages"])
    return _anthropic(request["messages"])


def _openai(messages: list[dict]) -> str:
    seen: set[str] = set()
    waiting: list[str] = []
    for message in messages:
        known = {"role", "content", "name", "tool_calls", "tool_call_id", "refusal"}
        if unknown := set(message) - known:
            return f"unknown {unknown}"
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return "a result without a call"
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            return "a call without a result"
        waiting = [call["id"] for call in message.get("tool_calls", ())]
        for call in message.get("tool_calls", ()):
            if not isinstance(json.loads(call["function"]["arguments"]), dict):
                return "arguments that are no object"
        if seen & set(waiting) or len(set(waiting)) < len(waiting):
            return "an id twice"
        seen |= set(waiting)
    return "a call without a result" if waiting else ""


def _anthropic(messages: list[dict]) -> str:
    seen: set[str] = set()
    waiting: list[str] = []
    role = "assistant"
    for message in messages:
        if message["role"] == role:
            return "two turns of one role"
        role = message["role"]
        kinds = [block["type"] for block in message["content"]]
        results = [b["tool_use_id"] for b in message["content"] if b["type"] == "tool_result"]
        if role == "user" and sorted(results) != sorted(waiting):
            return "results that are not those of the calls just before"
        if kinds[: len(results)] != ["tool_result"] * len(results):
            return "results that do not come first"
        waiting = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        if seen & set(waiting) or len(set(waiting)) < len(waiting):
            return "an id twice"
        seen |= set(waiting)
        for block in message["content"]:
            if block["type"] in ("thinking", "redacted_thinking") and block not in (
                SIGNED,
                REDACTED,
            ):
                return "a thought that is not signed"
    return "the assistant's turn is the last" if role == "assistant" else ""


def _gemini(contents: list[dict]) -> str:
    waiting: list[tuple] = []
    role = "model"
    for content in contents:
        if content["role"] == role:
            return "two turns of one role"
        role = content["role"]
        parts = content["parts"]
        results = [part["functionResponse"] for part in parts if "functionResponse" in part]
        answered = [(each["id"], each["name"]) for each in results]
        if role == "user" and answered != waiting:
            return "results that are not those of the calls, in their order"
        calls = [part for part in parts if "functionCall" in part]
        waiting = [(part["functionCall"]["id"], part["functionCall"]["name"]) for part in calls]
        if calls and _signature(calls[0]) not in (SIGNATURE, FOREIGN):
            return "a first call without its signature"
    return "the model's turn is the last" if role == "model" else ""


def _signature(part: dict) -> str:
    """The SDK writes the other alphabet of base64."""
    sealed = part.get("thoughtSignature") or part.get("thought_signature") or ""
    return sealed.replace("-", "+").replace("_", "/")
