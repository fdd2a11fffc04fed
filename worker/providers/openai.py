"""OpenAI and every server that speaks its chat completions API.

Identity, translation, error mapping; no retries, no waiting.

Options: `max_tokens_field` ("max_completion_tokens"; older compatible servers know only
"max_tokens").
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

import httpx2
import openai

from producer.contract.completions import Usage
from producer.contract.messages import ToolCall
from producer.contract.requests import CompletionRequest

from ..faults import Fault
from ..rate_limit_headers import RateLimits
from .base import CONNECT_S, SOCKET_S, Call, Finish, Reply
from .statuses import WRONG_SHAPE, bad_response, refused_parameter, status_error
from .transport import transport_error

_FINISHES: dict[str | None, Finish] = {finish: finish for finish in get_args(Finish)} | {
    "function_call": "tool_calls"
}
_OTHER_FIELD = {
    "max_completion_tokens": "max_tokens",
    "max_tokens": "max_completion_tokens",
}
"""The name of the output limit to try when a model refuses the configured one."""


class OpenAI:
    """One SDK client per provider link and process, on the aiohttp transport.

    That takes 2 ms of CPU per call at 1,000 in flight.
    """

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        self._max_tokens_field = options.get("max_tokens_field", "max_completion_tokens")
        timeout = httpx2.Timeout(SOCKET_S, connect=CONNECT_S)
        self._client = openai.AsyncOpenAI(
            # A compatible server may need no key, but the SDK insists on one.
            api_key=api_key or "none",
            base_url=base_url,
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAioHttpClient(timeout=timeout),
        )

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return ""

    async def complete(self, call: Call) -> Reply:
        with translating():
            raw = await self._client.chat.completions.with_raw_response.create(
                **self._parameters(call),
                extra_headers={"X-Client-Request-Id": call.job_id},
            )
            return _reply(call, raw.parse(), raw.headers)

    async def aclose(self) -> None:
        await self._client.close()

    def _parameters(self, call: Call) -> dict[str, Any]:
        """Only what is set: the SDK would send None as null."""
        request = call.request.model_dump(mode="json", by_alias=True, exclude_none=True)
        limit_field = self._max_tokens_field
        if limit_field in call.refused:
            limit_field = _OTHER_FIELD.get(limit_field, "max_completion_tokens")
        parameters = {
            "model": call.model,
            "messages": request["messages"],
            limit_field: call.max_tokens,
        }
        if call.temperature is not None and "temperature" not in call.refused:
            parameters["temperature"] = call.temperature
        for name in ("stop", "tools", "response_format"):
            if request.get(name):
                parameters[name] = request[name]
        return parameters


def _reply(call: Call, answer: Any, headers: Mapping[str, str]) -> Reply:
    """Normalise; the SDK validates nothing, so anything may be missing."""
    choices = getattr(answer, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise bad_response("a 200 without choices")
    choice = choices[0]
    message = choice.message
    finish = _FINISHES.get(choice.finish_reason)
    if getattr(message, "refusal", None):
        finish = "refusal"
    if finish is None:
        raise bad_response("a 200 with an unknown finish reason")
    calls = [_tool_call(each) for each in message.tool_calls or () if each.type == "function"]
    return Reply(
        text=message.content or "",
        finish=finish,
        model=answer.model or call.model,
        usage=_usage(answer.usage),
        tool_calls=tuple(calls),
        provider_request_id=answer._request_id,
        rate_limits=RateLimits.from_headers(headers),
    )


def _tool_call(call: Any) -> ToolCall:
    fields = call.model_dump(include={"id", "type", "function"})
    return ToolCall.model_validate(fields)


def _usage(usage: Any) -> Usage | None:
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    prompt = usage.prompt_tokens_details
    completion = usage.completion_tokens_details
    return Usage(
        input=usage.prompt_tokens,
        output=usage.completion_tokens,
        cached=(prompt and prompt.cached_tokens) or 0,
        # An older server's details have no such field.
        cache_written=getattr(prompt, "cache_write_tokens", None) or 0,
        reasoning=(completion and completion.reasoning_tokens) or 0,
    )


@contextmanager
def translating() -> Iterator[None]:
    """Turn what the SDK raises into `ProviderError`.

    `from None`: the SDK's exceptions carry the key and the prompt.
    """
    try:
        yield
    except openai.APIStatusError as error:
        code = error.code or ""
        if code in ("unsupported_parameter", "unsupported_value"):
            raise refused_parameter(error.param) from None
        fault = _BY_CODE.get(code)
        headers = error.response.headers
        raise status_error(error.status_code, error.body, headers, fault, code) from None
    except openai.APIConnectionError as error:
        raise transport_error(error) from None
    except (json.JSONDecodeError, openai.APIResponseValidationError):
        raise bad_response("a 200 that is not the API's JSON") from None
    except (*WRONG_SHAPE, openai.OpenAIError) as error:
        raise bad_response(f"{type(error).__name__} in the SDK") from None


_BY_CODE = {
    "context_length_exceeded": Fault.TOO_LONG,
    "invalid_prompt": Fault.CONTENT_FILTERED,
    "content_policy_violation": Fault.CONTENT_FILTERED,
    "content_filter": Fault.CONTENT_FILTERED,
    "insufficient_quota": Fault.QUOTA_EXHAUSTED,
    "billing_hard_limit_reached": Fault.QUOTA_EXHAUSTED,
    "server_overloaded": Fault.OVERLOADED,
}
