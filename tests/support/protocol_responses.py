"""OpenAI's Responses on the wire: answers, refusals and usage, as plain JSON."""

import json

from support.protocol import tokens
from support.protocol_openai import ChatCompletions


class Responses(ChatCompletions):
    """Errors are those of OpenAI's chat completions."""

    reasons = {"length": "max_output_tokens", "filter": "content_filter"}

    def answer(self, request: dict, name: str, options: dict, reply: dict) -> dict:
        output: list[dict] = []
        if reply["text"]:
            output.append(_message({"type": "output_text", "text": reply["text"]}))
        if name == "refusal":
            output = [_message({"type": "refusal", "refusal": "I cannot help with that"})]
        output += [self.tool_call(call) for call in reply.get("calls", ())]
        reason = self.reasons.get(name)
        body: dict = {
            "id": "resp_1",
            "object": "response",
            "status": "incomplete" if reason else "completed",
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "model": request["model"],
            "output": [] if name == "empty" else output,
        }
        if name != "nousage":
            body["usage"] = self.usage(*tokens(request, options), options)
        return body

    def tool_call(self, call: dict) -> dict:
        return {
            "type": "function_call",
            "id": f"fc_{call['id']}",
            "call_id": call["id"],
            "name": call["name"],
            "arguments": json.dumps(call["args"]),
        }

    def usage(self, tokens_in: int, tokens_out: int, options: dict) -> dict:
        return {
            "input_tokens": tokens_in,
            "input_tokens_details": {
                "cached_tokens": int(options.get("cached", 0)),
                "cache_write_tokens": int(options.get("written", 0)),
            },
            "output_tokens": tokens_out,
            "output_tokens_details": {"reasoning_tokens": int(options.get("reasoning", 0))},
            "total_tokens": tokens_in + tokens_out,
        }


def _message(part: dict) -> dict:
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}
