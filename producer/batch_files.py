"""Files of requests: our own form or that of OpenAI's Batch API, and the latter's output form.

Both are JSON lines. Ours: an object of `complete`'s arguments, with `name` if the item has one.
OpenAI's: `custom_id`, `method`, `url` and `body`.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from .batches import Item
from .contract.completions import Completion, Usage
from .contract.errors import InvalidRequest, JobError, Truncated

URL = "/v1/chat/completions"

_USED = (
    "messages",
    "model",
    "temperature",
    "stop",
    "tools",
    "response_format",
    "metadata",
    "max_tokens",
)
_WITHOUT_EFFECT: dict[str, Any] = {
    "n": 1,
    "stream": False,
    "tool_choice": "auto",
    "logprobs": False,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
}
"""Parameters that change nothing when they have this value. With another value they are refused,
because ignoring them would change the answer.
"""
_IGNORED = ("user", "store", "service_tier", "safety_identifier", "prompt_cache_key")
"""Parameters about the account, which change no answer."""


_STATUS = {
    "InvalidRequest": 400,
    "TooLong": 400,
    "Refused": 400,
    "Filtered": 400,
    "Truncated": 400,
    "BudgetExceeded": 402,
    "Conflict": 409,
    "RateLimited": 429,
    "Cancelled": 499,
    "ProvidersExhausted": 503,
    "Unavailable": 503,
    "DeadlineExceeded": 504,
}
"""Of an item's error: what tools that send failed lines again look at. Others are 500."""


def requests(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One for every line that is not blank, for `Batch.submit`.

    A wrong line becomes an item that fails and says why.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _request(number, line)


def is_openai(line: str) -> bool:
    """Whether a file whose first line this is has OpenAI's form."""
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "custom_id" in first and "body" in first


def _request(number: int, line: str) -> dict[str, Any]:
    name = ""
    try:
        if _has_bytes(line):
            raise InvalidRequest(f"line {number}: no UTF-8. Fix: save the file as UTF-8")
        fields = json.loads(line)
        if not isinstance(fields, dict):
            raise InvalidRequest(f"line {number}: not a JSON object. Fix: one object a line")
        if "body" not in fields:
            return fields
        name = str(fields.get("custom_id", ""))
        return _translated(number, fields) | {"name": name}
    except (ValueError, RecursionError):
        wrong: JobError = InvalidRequest(f"line {number}: not JSON. Fix: one object a line")
    except JobError as error:
        wrong = error
    return {"wrong": wrong, "name": name}


def _translated(number: int, openai: dict[str, Any]) -> dict[str, Any]:
    """`complete`'s arguments from a line in OpenAI's form."""
    if openai.get("url", URL) != URL or openai.get("method", "POST") != "POST":
        raise InvalidRequest(
            f"line {number}: only POST {URL} is understood. Fix: leave out other endpoints"
        )
    if not isinstance(openai["body"], dict):
        raise InvalidRequest(
            f"line {number}: body is no object. Fix: make it the parameters of a chat completion"
        )
    given = {name: value for name, value in openai["body"].items() if value not in (None, [], {})}
    body = {name: value for name, value in given.items() if name not in _IGNORED}
    if "max_completion_tokens" in body:
        body["max_tokens"] = body.pop("max_completion_tokens")
    others = {name: value for name, value in body.items() if name not in _USED}
    refused = [name for name, value in others.items() if value != _WITHOUT_EFFECT.get(name)]
    if refused:
        raise InvalidRequest(
            f"line {number}: body.{min(refused)} cannot be honoured. Fix: leave it out"
        )
    return {name: body[name] for name in _USED if name in body}


def output(item: Item) -> dict[str, Any]:
    """One line of OpenAI's output form, for an item that has ended."""
    line: dict[str, Any] = {
        "id": f"batch_req_{item.job_id}",
        "custom_id": item.name,
        "response": None,
        "error": None,
    }
    answer = item.outcome
    if isinstance(answer, Truncated) and answer.partial_text:
        answer = _cut(item, answer)
    if isinstance(answer, Completion):
        line["response"] = {
            "status_code": 200,
            "request_id": item.job_id,
            "body": _chat_completion(item, answer),
        }
    elif isinstance(item.outcome, JobError):
        error = {
            "code": type(item.outcome).__name__,
            "message": str(item.outcome),
            "type": "job_error",
            "param": None,
        }
        line["response"] = {
            "status_code": _STATUS.get(type(item.outcome).__name__, 500),
            "request_id": item.job_id,
            "body": {"error": error},
        }
        line["error"] = {"code": error["code"], "message": error["message"]}
    return line


def _cut(item: Item, error: Truncated) -> Completion:
    """The answer that hit its limit, which OpenAI gives out as one."""
    return Completion(
        text=error.partial_text,
        finish_reason="length",
        model="",
        provider="",
        usage=Usage(),
        cost_usd=0.0,
        attempts=1,
        latency_ms=0,
        request_id=item.job_id,
    )


def _has_bytes(line: str) -> bool:
    """Whether it holds what was no UTF-8."""
    return not line.isascii() and any("\udc80" <= sign <= "\udcff" for sign in line)


def _chat_completion(item: Item, answer: Completion) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = [call.model_dump(mode="json") for call in answer.tool_calls]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": answer.finish_reason,
    }
    usage = answer.usage
    return {
        "id": f"chatcmpl-{item.job_id}",
        "object": "chat.completion",
        "created": item.ended_s,
        "model": answer.model,
        "choices": [choice],
        "usage": {
            "prompt_tokens": usage.input,
            "completion_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
            "prompt_tokens_details": {"cached_tokens": usage.cached},
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        },
    }
