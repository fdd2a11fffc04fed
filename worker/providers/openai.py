"""OpenAI and every server that speaks its chat completions: identity, translation, error mapping. No retries, no waiting.

Options: `max_tokens_field` ("max_completion_tokens"; older compatible servers know only "max_tokens").
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, get_args

import httpx2
import openai

from producer.contract.messages import ToolCall, Usage

from ..faults import Fault, ProviderError
from .base import Call, Finish, Reply
from .transport import of_transport

CONNECT_S = 5.0
SOCKET_S = 600.0
"""Per socket operation; the loop's total deadline ends a call long before."""
NO_TEMPERATURE = re.compile(r"o\d|gpt-5|gpt-6")
"""Model families that refuse any temperature but 1."""
_FINISHES: dict[str | None, Finish] = {finish: finish for finish in get_args(Finish)} | {"function_call": "tool_calls"}


class OpenAI:
    """One SDK client per link and process, on the aiohttp transport (2 ms of CPU per call at 1,000 in flight)."""

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        self._max_tokens_field = options.get("max_tokens_field", "max_completion_tokens")
        self._client = openai.AsyncOpenAI(
            # A compatible server may need no key, but the SDK insists on one.
            api_key=api_key or "none",
            base_url=base_url,
            max_retries=0,
            timeout=httpx2.Timeout(SOCKET_S, connect=CONNECT_S),
            http_client=openai.DefaultAioHttpClient(timeout=httpx2.Timeout(SOCKET_S, connect=CONNECT_S)),
        )

    async def complete(self, call: Call) -> Reply:
        with translating():
            answer = await self._client.chat.completions.create(
                **self._parameters(call), extra_headers={"X-Client-Request-Id": call.job_id}
            )
            return _reply(call, answer)

    async def aclose(self) -> None:
        await self._client.close()

    def _parameters(self, call: Call) -> dict[str, Any]:
        """Only what is set: the SDK would send None as null."""
        request = call.request.model_dump(mode="json", by_alias=True, exclude_none=True)
        parameters = {"model": call.model, "messages": request["messages"], self._max_tokens_field: call.max_tokens}
        if not NO_TEMPERATURE.match(call.model):
            parameters["temperature"] = call.temperature
        for name in ("stop", "tools", "response_format"):
            if request.get(name):
                parameters[name] = request[name]
        return parameters


def _reply(call: Call, answer: Any) -> Reply:
    """Normalise; the SDK validates nothing, so anything may be missing."""
    choices = getattr(answer, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise ProviderError(Fault.BAD_RESPONSE, "a 200 without choices", maybe_billed=True)
    message, finish = choices[0].message, _FINISHES.get(choices[0].finish_reason)
    if getattr(message, "refusal", None):
        finish = "refusal"
    if finish is None:
        raise ProviderError(Fault.BAD_RESPONSE, "a 200 with an unknown finish reason", maybe_billed=True)
    calls = [each.model_dump(include={"id", "type", "function"}) for each in message.tool_calls or () if each.type == "function"]
    return Reply(
        text=message.content or "",
        finish=finish,
        model=answer.model or call.model,
        usage=_usage(answer.usage),
        tool_calls=tuple(ToolCall.model_validate(each) for each in calls),
        provider_request_id=answer._request_id,
    )


def _usage(usage: Any) -> Usage | None:
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        input=usage.prompt_tokens,
        output=usage.completion_tokens,
        cached=(prompt and prompt.cached_tokens) or 0,
        reasoning=(completion and completion.reasoning_tokens) or 0,
    )


@contextmanager
def translating() -> Iterator[None]:
    """Turn whatever the SDK raises into `ProviderError`, `from None`: its exceptions carry the key and the prompt."""
    try:
        yield
    except openai.APIStatusError as error:
        raise _of_status(error) from None
    except openai.APIConnectionError as error:
        raise of_transport(error) from None
    except (json.JSONDecodeError, openai.APIResponseValidationError):
        raise ProviderError(Fault.BAD_RESPONSE, "a 200 that is not the API's JSON", maybe_billed=True) from None
    except (TypeError, ValueError, AttributeError, openai.OpenAIError) as error:
        # ProviderError is none of these; what is left is a body of the wrong shape or a request the SDK will not send.
        raise ProviderError(Fault.BAD_RESPONSE, f"{type(error).__name__} in the SDK", maybe_billed=True) from None


_BY_CODE = {
    "context_length_exceeded": Fault.TOO_LONG,
    "invalid_prompt": Fault.CONTENT_FILTERED,
    "content_policy_violation": Fault.CONTENT_FILTERED,
    "content_filter": Fault.CONTENT_FILTERED,
    "insufficient_quota": Fault.QUOTA_EXHAUSTED,
    "billing_hard_limit_reached": Fault.QUOTA_EXHAUSTED,
    "server_overloaded": Fault.OVERLOADED,
}
_BY_STATUS = {
    400: Fault.BAD_REQUEST,
    401: Fault.MISCONFIGURED,
    402: Fault.QUOTA_EXHAUSTED,
    403: Fault.MISCONFIGURED,
    404: Fault.MISCONFIGURED,
    408: Fault.TIMEOUT,
    409: Fault.UNAVAILABLE,
    413: Fault.TOO_LONG,
    422: Fault.BAD_REQUEST,
    429: Fault.RATE_LIMITED,
    504: Fault.TIMEOUT,
    529: Fault.OVERLOADED,
}


def _of_status(error: openai.APIStatusError) -> ProviderError:
    """Structured code first, then the status. A body that is not the API's JSON is a proxy speaking, never an auth error."""
    status, code = error.status_code, error.code
    fault = _BY_CODE.get(code or "") or _BY_STATUS.get(status)
    if fault is None:
        fault = Fault.UNAVAILABLE if status >= 500 else Fault.BAD_RESPONSE
    if not isinstance(error.body, dict) and status < 500 and status not in (402, 408, 413, 429):
        fault = Fault.UNAVAILABLE if status == 403 else Fault.BAD_RESPONSE
    known = f", {code}" if code in _BY_CODE else ""
    billed = fault in (Fault.TIMEOUT, Fault.BAD_RESPONSE)
    return ProviderError(fault, f"HTTP {status}{known}", billed, retry_after_s(error.response.headers), status)


def retry_after_s(headers: Any) -> float | None:
    """`retry-after-ms`, or `retry-after` in seconds or as an HTTP date (RFC 9110, 10.2.3); never negative."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after")
        if text is None:
            return None
        if re.fullmatch(r"[\d.]+", text):
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
