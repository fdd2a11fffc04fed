"""OpenAI's chat completions on the wire: answers, refusals and usage, as plain JSON."""

import json

from support.protocol import SAID, Protocol, tokens


class ChatCompletions(Protocol):
    """OpenAI and the servers that are compatible with it."""

    errors = {
        "408": "request_timeout",
        "409": "conflict",
        "500": None,
        "502": None,
        "503": "server_overloaded",
        "504": None,
        "529": None,
        "400": "invalid_value",
        "context": "context_length_exceeded",
        "policy": "invalid_prompt",
        "401": "invalid_api_key",
        "403": "model_not_allowed",
        "404": "model_not_found",
        "413": "request_too_large",
        "422": None,
        "429": "rate_limit_exceeded",
        "quota": "insufficient_quota",
        "402": None,
        "refused": "unsupported_value",
    }
    statuses = {"context": 400, "policy": 400, "quota": 429, "refused": 400}
    finishes = {
        "length": "length",
        "filter": "content_filter",
        "unknown_finish": "novel",
        "tool_calls": "tool_calls",
    }

    def error(self, name: str, options: dict) -> tuple[int, dict]:
        code = options.get("code", self.errors[name])
        error = {
            "message": SAID,
            "type": "invalid_request_error",
            "code": code,
            "param": options.get("param"),
        }
        return self.statuses.get(name) or int(name), {"error": error}

    def answer(self, request: dict, name: str, options: dict, reply: dict) -> dict:
        message: dict = {"role": "assistant", "content": reply["text"] or None}
        if name == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that"}
        if calls := reply.get("calls"):
            message["tool_calls"] = [self.tool_call(call) for call in calls]
        finish = self.finishes.get(name, "stop")
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        if name == "empty":
            choices = []
        body: dict = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": choices,
        }
        if name != "nousage":
            body["usage"] = self.usage(*tokens(request, options), options)
        return body

    def tool_call(self, call: dict) -> dict:
        function = {"name": call["name"], "arguments": json.dumps(call["args"])}
        return {"id": call["id"], "type": "function", "function": function}

    def usage(self, tokens_in: int, tokens_out: int, options: dict) -> dict:
        usage: dict = {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        }
        if "cached" in options:
            written = int(options.get("written", 0))
            usage["prompt_tokens_details"] = {
                "cached_tokens": int(options["cached"]),
                "cache_write_tokens": written,
            }
        if "reasoning" in options:
            usage["completion_tokens_details"] = {"reasoning_tokens": int(options["reasoning"])}
        return usage
