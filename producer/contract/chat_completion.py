"""OpenAI's chat completion as we give it out: to Python, in files of batches, over HTTP."""

from typing import Any


def choice(
    number: int,
    message: dict[str, Any],
    finish_reason: str,
    logprobs: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """One choice; its message gets the role."""
    told = {"content": logprobs, "refusal": None}
    return {
        "index": number,
        "message": {"role": "assistant", **message},
        "logprobs": told if logprobs else None,
        "finish_reason": finish_reason,
    }


def chat_completion(
    request_id: str,
    created_s: int,
    model: str,
    usage: dict[str, Any],
    choices: list[dict[str, Any]],
    service_tier: str = "",
) -> dict[str, Any]:
    """The whole object. `created_s`: Unix time."""
    whole: dict[str, Any] = {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion",
        "created": created_s,
        "model": model,
        "choices": choices,
        "usage": usage,
    }
    return whole | ({"service_tier": service_tier} if service_tier else {})
