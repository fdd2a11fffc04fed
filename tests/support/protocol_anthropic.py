"""Anthropic's messages on the wire: answers, refusals and usage, as plain JSON."""

from support.protocol import SAID, Protocol, tokens


class Messages(Protocol):
    """Anthropic."""

    errors = {
        "400": "invalid_request_error",
        "context": "invalid_request_error",
        "policy": "invalid_request_error",
        "credit": "invalid_request_error",
        "401": "authentication_error",
        "402": "billing_error",
        "403": "permission_error",
        "404": "not_found_error",
        "408": "timeout_error",
        "409": "conflict_error",
        "413": "request_too_large",
        "422": "invalid_request_error",
        "429": "rate_limit_error",
        "quota": "rate_limit_error",
        "500": "api_error",
        "502": "api_error",
        "503": "api_error",
        "504": "timeout_error",
        "529": "overloaded_error",
        "refused": "invalid_request_error",
    }
    statuses = {"context": 400, "policy": 400, "credit": 400, "quota": 429, "refused": 400}
    texts = {
        "context": "prompt is too long: 250000 tokens > 200000 maximum",
        "policy": "Output blocked by content filtering policy",
        "refused": "`temperature` is deprecated for this model.",
        "credit": "Your credit balance is too low to access the API",
    }
    finishes = {
        "length": "max_tokens",
        "filter": "refusal",
        "refusal": "refusal",
        "unknown_finish": "novel",
        "tool_calls": "tool_use",
        "pause": "pause_turn",
    }

    def error(self, name: str, options: dict) -> tuple[int, dict]:
        error: dict = {
            "type": options.get("code", self.errors[name]),
            "message": self.texts.get(name, SAID),
        }
        if name == "quota":
            error["details"] = {"error_code": "enforced_spend_limit_reached"}
        return self.statuses.get(name) or int(name), {
            "type": "error",
            "error": error,
            "request_id": "req_wire",
        }

    def answer(self, request: dict, name: str, options: dict, reply: dict) -> dict:
        content: list[dict] = []
        if reply["text"]:
            content.append({"type": "text", "text": reply["text"]})
        calls = reply.get("calls", ())
        content += [
            {"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["args"]}
            for call in calls
        ]
        if name in ("empty", "refusal", "filter"):
            content = []
        finish = self.finishes.get(name, "end_turn")
        body: dict = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": request["model"],
            "content": content,
            "stop_reason": finish,
            "stop_sequence": None,
        }
        if name != "nousage":
            body["usage"] = self.usage(*tokens(request, options), options)
        return body

    def usage(self, tokens_in: int, tokens_out: int, options: dict) -> dict:
        """`in` is all input, as everywhere; this API reports what went through its cache apart."""
        cached = int(options.get("cached", 0))
        written = int(options.get("written", 0))
        usage: dict = {
            "input_tokens": tokens_in - cached - written,
            "output_tokens": tokens_out,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": written,
        }
        if "reasoning" in options:
            usage["output_tokens_details"] = {"thinking_tokens": int(options["reasoning"])}
        return usage
