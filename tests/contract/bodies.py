"""Bodies of answers, as the three APIs shape them."""

USAGES = {
    "openai": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    "openai-responses": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
    "anthropic": {"input_tokens": 10, "output_tokens": 5},
    "gemini": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
}
TEXTS = {
    "openai": {"content": "Paris."},
    "openai-responses": [
        {"type": "message", "content": [{"type": "output_text", "text": "Paris."}]}
    ],
    "anthropic": [{"type": "text", "text": "Paris."}],
    "gemini": {"parts": [{"text": "Paris."}]},
}
THOUGHTS = {
    "openai": {"content": None, "reasoning_content": "Hm."},
    "openai-responses": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
    ],
    "anthropic": [{"type": "thinking", "thinking": "Hm.", "signature": "s"}],
    "gemini": {"parts": [{"text": "Hm.", "thought": True}]},
}
NOTHING = {"openai": {"content": ""}, "openai-responses": [], "anthropic": [], "gemini": {}}


def calls(adapter, *each):
    """A message with calls of f, given as (arguments, id)."""
    if adapter == "openai":
        made = [{"function": {"name": "f", "arguments": args}, "id": id_} for args, id_ in each]
        return {"content": None, "tool_calls": made}
    if adapter == "openai-responses":
        call = {"type": "function_call", "name": "f"}
        return [call | {"arguments": args, "call_id": id_} for args, id_ in each]
    if adapter == "anthropic":
        return [{"type": "tool_use", "name": "f", "input": args, "id": id_} for args, id_ in each]
    return {"parts": [{"functionCall": {"name": "f", "args": a, "id": i}} for a, i in each]}


def body(adapter, content, usage=None, **finish):
    """An answer as a server sends it; `finish` without a value: no finish reason."""
    stated = usage or USAGES[adapter]
    if adapter == "openai":
        reason = {"finish_reason": finish["finish"]} if finish else {}
        return {"model": "m", "choices": [{"message": content} | reason], "usage": stated}
    if adapter == "openai-responses":
        reason = {"status": finish["finish"]} if finish else {}
        return {"object": "response", "model": "m", "output": content, "usage": stated} | reason
    if adapter == "anthropic":
        reason = {"stop_reason": finish["finish"]} if finish else {}
        return {"type": "message", "model": "m", "content": content, "usage": stated} | reason
    reason = {"finishReason": finish["finish"]} if finish else {}
    return {"candidates": [{"content": content} | reason], "usageMetadata": stated}


for table in (USAGES, TEXTS, THOUGHTS, NOTHING):
    table["gemini-legacy"] = table["gemini"]
