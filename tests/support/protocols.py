"""What each provider puts on the wire: its answers, refusals and usage, as plain JSON."""

import json
from abc import ABC, abstractmethod

TEXT = "A wired answer, always the same."
PLAIN = {"text": TEXT}
CALLING = {"text": "", "calls": [{"id": "call_1", "name": "f", "args": {"x": 1}}]}
"""What is said: text, calls, finish and usage, in nobody's protocol."""

SAID = "the provider's words, with sk-secret and the prompt"


def tokens(request: dict, options: dict) -> tuple[int, int]:
    """Input and output: told by the event or the reply, else from the size of the request."""
    turns = request.get("messages") or request["contents"]
    prompt = sum(len(str(turn.get("content") or turn.get("parts"))) for turn in turns) // 4
    return int(options.get("in", prompt)), int(options.get("out", 12))


class Protocol(ABC):
    """`errors`: event -> the provider's code for it. An event is its HTTP status, or a name found
    in `statuses`.
    """

    errors: dict[str, str | None]
    statuses: dict[str, int]

    @abstractmethod
    def error(self, name: str, options: dict) -> tuple[int, dict]:
        """HTTP status and body."""

    @abstractmethod
    def answer(self, request: dict, name: str, options: dict, reply: dict) -> dict:
        """The body of a 200 that says `reply`."""


class ChatCompletions(Protocol):
    """OpenAI and whoever speaks like it."""

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
            functions = [
                {"name": call["name"], "arguments": json.dumps(call["args"])} for call in calls
            ]
            pairs = zip(calls, functions, strict=True)
            message["tool_calls"] = [
                {"id": call["id"], "type": "function", "function": function}
                for call, function in pairs
            ]
        finish = self.finishes.get(name, "stop")
        choices = (
            [] if name == "empty" else [{"index": 0, "message": message, "finish_reason": finish}]
        )
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": choices,
        }
        return (
            body
            if name == "nousage"
            else body | {"usage": self.usage(*tokens(request, options), options)}
        )

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
        content: list[dict] = [{"type": "text", "text": reply["text"]}] if reply["text"] else []
        calls = reply.get("calls", ())
        content += [
            {"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["args"]}
            for call in calls
        ]
        if name in ("empty", "refusal", "filter"):
            content = []
        finish = self.finishes.get(name, "end_turn")
        body = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": request["model"],
            "content": content,
            "stop_reason": finish,
            "stop_sequence": None,
        }
        return (
            body
            if name == "nousage"
            else body | {"usage": self.usage(*tokens(request, options), options)}
        )

    def usage(self, tokens_in: int, tokens_out: int, options: dict) -> dict:
        """`in` is all input, as everywhere; here what went through the cache is told apart from the
        rest.
        """
        cached, written = int(options.get("cached", 0)), int(options.get("written", 0))
        usage: dict = {
            "input_tokens": tokens_in - cached - written,
            "output_tokens": tokens_out,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": written,
        }
        if "reasoning" in options:
            usage["output_tokens_details"] = {"thinking_tokens": int(options["reasoning"])}
        return usage


class GenerateContent(Protocol):
    """Gemini."""

    errors = {
        "400": "INVALID_ARGUMENT",
        "context": "INVALID_ARGUMENT",
        "badkey": "INVALID_ARGUMENT",
        "401": "UNAUTHENTICATED",
        "location": "FAILED_PRECONDITION",
        "402": "PAYMENT",
        "403": "PERMISSION_DENIED",
        "404": "NOT_FOUND",
        "408": "DEADLINE_EXCEEDED",
        "409": "ABORTED",
        "413": "INVALID_ARGUMENT",
        "422": "INVALID_ARGUMENT",
        "429": "RESOURCE_EXHAUSTED",
        "quota": "RESOURCE_EXHAUSTED",
        "500": "INTERNAL",
        "502": "UNAVAILABLE",
        "503": "UNAVAILABLE",
        "504": "DEADLINE_EXCEEDED",
        "529": "UNAVAILABLE",
    }
    statuses = {"context": 400, "badkey": 400, "location": 400, "quota": 429}
    finishes = {
        "length": "MAX_TOKENS",
        "filter": "SAFETY",
        "refusal": "SAFETY",
        "unknown_finish": "NOVEL",
        "language": "LANGUAGE",
        "disabled": "PUP_LIMITED_DISABLED",
    }

    def error(self, name: str, options: dict) -> tuple[int, dict]:
        said = (
            "The input token count (250000) exceeds the maximum number of tokens allowed"
            if name == "context"
            else SAID
        )
        details = []
        if name == "badkey":
            details.append(
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            )
        if name in ("429", "quota"):
            quota = "RequestsPerDayPerProject" if name == "quota" else "RequestsPerMinutePerProject"
            details.append(
                {
                    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [{"quotaId": quota}],
                }
            )
        if "retry_info" in options:
            details.append(
                {
                    "@type": "type.googleapis.com/google.rpc.RetryInfo",
                    "retryDelay": f"{options['retry_info']}s",
                }
            )
        status = self.statuses.get(name) or int(name)
        return status, {
            "error": {
                "code": status,
                "message": said,
                "status": self.errors[name],
                "details": details,
            }
        }

    def answer(self, request: dict, name: str, options: dict, reply: dict) -> dict:
        parts: list[dict] = [{"text": reply["text"]}] if reply["text"] else []
        calls = reply.get("calls", ())
        parts += [
            {"functionCall": {"id": call["id"], "name": call["name"], "args": call["args"]}}
            for call in calls
        ]
        if name == "thought":
            parts.insert(0, {"text": "a thought", "thought": True})
        if name in ("filter", "refusal"):
            parts = []
        candidate = {
            "content": {"role": "model", "parts": parts},
            "finishReason": self.finishes.get(name, "STOP"),
            "index": 0,
        }
        body: dict = {"modelVersion": request["model"], "responseId": "resp_1"}
        if name == "blocked":
            body["promptFeedback"] = {"blockReason": "SAFETY"}
        elif name != "empty":
            body["candidates"] = [candidate]
        return (
            body
            if name == "nousage"
            else body | {"usageMetadata": self.usage(*tokens(request, options), options)}
        )

    def usage(self, tokens_in: int, tokens_out: int, options: dict) -> dict:
        """`out` is all output, as everywhere; here the thoughts are told apart from the rest."""
        thoughts = int(options.get("reasoning", 0))
        return {
            "promptTokenCount": tokens_in,
            "candidatesTokenCount": tokens_out - thoughts,
            "thoughtsTokenCount": thoughts,
            "cachedContentTokenCount": int(options.get("cached", 0)),
            "totalTokenCount": tokens_in + tokens_out,
        }


PROTOCOLS: dict[str, Protocol] = {
    "/v1/chat/completions": ChatCompletions(),
    "/v1/messages": Messages(),
    "/v1/models/{call}": GenerateContent(),
    "/v1beta/models/{call}": GenerateContent(),
}
