"""Results of batches as files have them: our own form, OpenAI's, and the rows of a table."""

from typing import Any

from .batch_items import Item
from .contract.chat_completion import chat_completion
from .contract.completions import Choice, Completion, FinishReason, Usage
from .contract.embeddings import Embeddings
from .contract.errors import JobError, Refused, Truncated

COLUMNS = {
    "index": "int64",
    "name": "string",
    "job_id": "string",
    "state": "string",
    "answer": "string",
    "finish_reason": "string",
    "model": "string",
    "input_tokens": "int64",
    "output_tokens": "int64",
    "cost_usd": "double",
    "cached": "bool",
    "error": "string",
    "message": "string",
}
"""Of a table: name -> its type, as Arrow calls it."""

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
_STATUS_OF_FAULT = {"rate_limited": 429, "quota_exhausted": 429, "timeout": 504}
"""Of a provider's failure that came without a status. Others are 503."""


def plain(item: Item) -> dict[str, Any]:
    """One line in our own form, for an item that has ended."""
    fields: dict[str, Any] = {
        "index": item.index,
        "name": item.name,
        "job_id": item.job_id,
        "state": item.state,
    }
    if isinstance(item.outcome, Completion):
        return fields | {"completion": item.outcome.model_dump(mode="json")}
    error = item.outcome or JobError("not ended")
    return fields | {"error": {"type": type(error).__name__, "message": str(error)}}


def row(item: Item) -> dict[str, Any]:
    """One row of a table, by `COLUMNS`."""
    fields = dict.fromkeys(COLUMNS) | {
        "index": item.index,
        "name": item.name,
        "job_id": item.job_id,
        "state": item.state,
    }
    answer = item.outcome
    if isinstance(answer, Completion):
        return fields | {
            "answer": answer.refusal or answer.text,
            "finish_reason": answer.finish_reason,
            "model": answer.model,
            "input_tokens": answer.usage.input,
            "output_tokens": answer.usage.output,
            "cost_usd": answer.cost_usd,
            "cached": answer.cached,
        }
    if answer is None:
        return fields
    return fields | {"error": type(answer).__name__, "message": str(answer)}


def openai(item: Item) -> dict[str, Any]:
    """One line of OpenAI's output form, for an item that has ended."""
    line: dict[str, Any] = {
        "id": f"batch_req_{item.job_id}",
        "custom_id": item.name or None,
        "response": None,
        "error": None,
    }
    outcome = item.outcome
    if body := _body(item):
        line["response"] = {"status_code": 200, "request_id": item.job_id, "body": body}
    elif isinstance(outcome, JobError):
        error = _error(outcome)
        line["response"] = {
            "status_code": status_of(outcome),
            "request_id": item.job_id,
            "body": {"error": error},
        }
        line["error"] = {"code": error["code"], "message": error["message"]}
    return line


def is_answer(item: Item) -> bool:
    """Whether a model said something, if only that it will not, or less than it wanted to."""
    return bool(_body(item))


def status_of(error: JobError) -> int:
    """The HTTP status that says what became of it: the provider's own, if that was the reason."""
    said = _last_attempt(error)
    if said.get("status", 0) >= 400:
        return int(said["status"])
    if type(error).__name__ == "ProvidersExhausted" and said:
        return _STATUS_OF_FAULT.get(said["fault"], 503)
    return _STATUS.get(type(error).__name__, 500)


def _error(error: JobError) -> dict[str, Any]:
    said = _last_attempt(error)
    return {
        "code": said.get("code") or said.get("type") or type(error).__name__,
        "message": str(error),
        "type": said.get("type", "job_error"),
        "param": said.get("param"),
    }


def _last_attempt(error: JobError) -> dict[str, Any]:
    """What the provider said at last."""
    attempts = error.details.get("attempts")
    if not attempts:
        return {}
    return dict(attempts[-1])


def _body(item: Item) -> dict[str, Any]:
    """The object that OpenAI gives out: also for a cut answer, and a model's refusal."""
    answer = item.outcome
    if isinstance(answer, Completion) and answer.vectors:
        return Embeddings.of(answer).to_openai()
    if isinstance(answer, Completion):
        whole = answer.to_openai(item.ended_s)
        return whole | {"id": f"chatcmpl-{item.job_id}"}
    if isinstance(answer, Truncated):
        return _of_error(item, answer, answer.partial_text, "length")
    if isinstance(answer, Refused) and "text" in answer.details:
        filtered = answer.details.get("reason") == "content_filter"
        reason: FinishReason = "content_filter" if filtered else "refusal"
        return _of_error(item, answer, answer.refusal, reason)
    return {}


def _of_error(item: Item, error: JobError, text: str, reason: FinishReason) -> dict[str, Any]:
    """With what it has of an answer."""
    usage = Usage(**error.details.get("usage", {}))
    model = error.details.get("model", "")
    choices = [Choice(text=text, finish_reason=reason).to_openai(0, {})]
    return chat_completion(item.job_id, item.ended_s, model, usage.to_openai(), choices)
