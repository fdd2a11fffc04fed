"""What three providers answer an agent in turn, and what its tools say."""

import json

from support.strict_turns import REDACTED, SIGNATURE, SIGNED

TURNS = 12
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]
MODELS = {"openai": "gpt-5.4-mini", "anthropic": "claude-sonnet-5-5", "gemini": "gemini-3.8-flash"}


def body(api, turn, named=("f", "f", "g"), words="Now."):
    """Two calls of one function and one of another, under the ids of every turn before."""
    args = [{"turn": turn, "place": place} for place in range(len(named))]
    ids = [f"call_{place}" for place in range(len(named))]
    if api == "openai":
        calls = [
            {"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for i, n, a in zip(ids, named, args, strict=True)
        ]
        message = {"role": "assistant", "content": words, "tool_calls": calls or None}
        usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
        return {"model": MODELS[api], "choices": [{"message": message}], "usage": usage}
    if api == "anthropic":
        blocks = [SIGNED, {"type": "text", "text": words}, REDACTED]
        blocks += [
            {"type": "tool_use", "id": i, "name": n, "input": a}
            for i, n, a in zip(ids, named, args, strict=True)
        ]
        usage = {"input_tokens": 9, "output_tokens": 9}
        return {"type": "message", "model": MODELS[api], "content": blocks, "usage": usage}
    parts = [{"text": "Hm.", "thought": True}, {"text": words}]
    parts += [{"functionCall": {"name": n, "args": a}} for n, a in zip(named, args, strict=True)]
    if named:
        parts[2]["thoughtSignature"] = SIGNATURE
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 9, "totalTokenCount": 18}
    return {"candidates": [{"content": {"parts": parts}}], "usageMetadata": usage}


def results(completion, turn):
    """Out of order; each says what its call asked, one that it went wrong."""
    found = [
        {"role": "tool", "tool_call_id": call.id, "content": call.function.arguments}
        for call in completion.tool_calls
    ]
    found[1]["is_error"] = True
    return [found[2], found[0], found[1]] if turn % 2 else found[::-1]
