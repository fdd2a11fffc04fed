"""Gemini's generateContent on the wire: answers, refusals and usage, as plain JSON."""

from support.protocol import SAID, Protocol, tokens
from support.protocol_embeddings import gemini_answer


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
        message = SAID
        if name == "context":
            message = "The input token count (250000) exceeds the maximum number of tokens allowed"
        details = []
        if name == "badkey":
            details.append(
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            )
        if name in ("429", "quota"):
            quota = "RequestsPerMinutePerProject"
            if name == "quota":
                quota = "RequestsPerDayPerProject"
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
                "message": message,
                "status": self.errors[name],
                "details": details,
            }
        }

    def answer(self, request: dict, name: str, options: dict, reply: dict) -> dict:
        if "requests" in request:
            return gemini_answer(request, name)
        parts: list[dict] = []
        if reply["text"]:
            parts.append({"text": reply["text"]})
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
        if name != "nousage":
            body["usageMetadata"] = self.usage(*tokens(request, options), options)
        return body

    def usage(self, tokens_in: int, tokens_out: int, options: dict) -> dict:
        """`out` is all output, as everywhere; this API reports thoughts apart."""
        thoughts = int(options.get("reasoning", 0))
        return {
            "promptTokenCount": tokens_in,
            "candidatesTokenCount": tokens_out - thoughts,
            "thoughtsTokenCount": thoughts,
            "cachedContentTokenCount": int(options.get("cached", 0)),
            "totalTokenCount": tokens_in + tokens_out,
        }
