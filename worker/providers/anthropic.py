"""Anthropic's Messages API: identity, translation, error mapping. No retries, no waiting."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx2

from producer.contract.completions import Usage
from producer.contract.messages import FunctionCall, ToolCall
from producer.contract.requests import CompletionRequest

from ..faults import Fault
from ..rate_limit_headers import RateLimits
from .anthropic_messages import conversation, mark_for_cache, tools, unsupported
from .base import CONNECT_S, SOCKET_S, Call, Finish, Reply
from .statuses import WRONG_SHAPE, bad_response, refused_parameter, status_error
from .transport import transport_error

_FINISHES: dict[str | None, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}


class Anthropic:
    """One SDK client per provider link and process, on the aiohttp transport."""

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        timeout = httpx2.Timeout(SOCKET_S, connect=CONNECT_S)
        self._client = anthropic.AsyncAnthropic(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            timeout=timeout,
            http_client=anthropic.DefaultAioHttpClient(timeout=timeout),
        )

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return unsupported(request)

    async def complete(self, call: Call) -> Reply:
        with translating():
            raw = await self._client.messages.with_raw_response.create(**_parameters(call))
            return _reply(call, await raw.parse(), raw.headers)

    async def aclose(self) -> None:
        await self._client.close()


def _parameters(call: Call) -> dict[str, Any]:
    """Only what is set: the SDK would send None as null."""
    request = call.request
    system, messages = conversation(request, call.prefill)
    parameters: dict[str, Any] = {
        "model": call.model,
        "messages": messages,
        "max_tokens": call.max_tokens,
        "extra_headers": {"X-Client-Request-Id": call.job_id},
    }
    if request.stop:
        parameters["stop_sequences"] = list(request.stop)
    if request.tools:
        parameters["tools"] = tools(request)
    if request.response_format and request.response_format.json_schema:
        schema = request.response_format.json_schema.schema_
        parameters["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    if call.temperature is not None and "temperature" not in call.refused:
        # The SDK has no keyword for it any more; the API's range ends at 1.
        parameters["extra_body"] = {"temperature": min(call.temperature, 1.0)}
    if system:
        parameters["system"] = system
    if call.cache_prefix:
        mark_for_cache(parameters)
    return parameters


def _reply(call: Call, answer: Any, headers: Mapping[str, str]) -> Reply:
    """Normalise; the SDK validates nothing, so anything may be missing."""
    finish = _FINISHES.get(getattr(answer, "stop_reason", None))
    if finish is None:
        raise bad_response("a 200 with an unknown stop reason")
    if not answer.content and finish not in ("refusal", "length"):
        raise bad_response("a 200 without content")
    blocks = answer.content or []
    return Reply(
        text="".join(block.text for block in blocks if block.type == "text"),
        finish=finish,
        model=answer.model or call.model,
        usage=_usage(answer.usage),
        tool_calls=tuple(_tool_call(block) for block in blocks if block.type == "tool_use"),
        provider_request_id=answer._request_id,
        rate_limits=RateLimits.from_headers(headers),
    )


def _tool_call(block: Any) -> ToolCall:
    arguments = json.dumps(block.input)
    return ToolCall(
        id=block.id,
        function=FunctionCall(name=block.name, arguments=arguments),
    )


def _usage(usage: Any) -> Usage | None:
    """Anthropic's input leaves out what was read from or written to its cache; ours is the sum."""
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    read = usage.cache_read_input_tokens or 0
    written = usage.cache_creation_input_tokens or 0
    details = usage.output_tokens_details
    return Usage(
        input=usage.input_tokens + read + written,
        output=usage.output_tokens,
        cached=read,
        cache_written=written,
        reasoning=(details and details.thinking_tokens) or 0,
    )


@contextmanager
def translating() -> Iterator[None]:
    """Turn what the SDK raises into `ProviderError`.

    `from None`: the SDK's exceptions carry the key and the prompt.
    """
    try:
        yield
    except anthropic.APIStatusError as error:
        refused = _REFUSED.search(_text(error))
        if error.status_code == 400 and refused:
            raise refused_parameter(refused[1]) from None
        fault, code = _known(error)
        headers = error.response.headers
        raise status_error(error.status_code, error.body, headers, fault, code) from None
    except anthropic.APIConnectionError as error:
        raise transport_error(error) from None
    except (json.JSONDecodeError, anthropic.APIResponseValidationError):
        raise bad_response("a 200 that is not the API's JSON") from None
    except (*WRONG_SHAPE, anthropic.AnthropicError) as error:
        raise bad_response(f"{type(error).__name__} in the SDK") from None


_BY_CODE = {
    "contract_spend_limit_reached": Fault.QUOTA_EXHAUSTED,
    "enforced_spend_limit_reached": Fault.QUOTA_EXHAUSTED,
    "billing_error": Fault.QUOTA_EXHAUSTED,
    "overloaded_error": Fault.OVERLOADED,
    "request_too_large": Fault.TOO_LONG,
}
_BY_TEXT = (
    (re.compile(r"prompt is too long|exceed context limit"), Fault.TOO_LONG),
    (re.compile(r"content filtering policy"), Fault.CONTENT_FILTERED),
    (re.compile(r"credit balance"), Fault.QUOTA_EXHAUSTED),
)
"""A 400 has no code of its own for these; the texts are from public reports."""
_REFUSED = re.compile(r"`(temperature)` is deprecated for this model")


def _known(error: anthropic.APIStatusError) -> tuple[Fault | None, str]:
    """(the fault that the API's own code or text means, the code); (None, "") if neither does."""
    for code in (error.error_code, error.type):
        if code in _BY_CODE:
            return _BY_CODE[code], str(code)
    if error.status_code == 400:
        text = _text(error)
        for pattern, fault in _BY_TEXT:
            if pattern.search(text):
                return fault, ""
    return None, ""


def _text(error: anthropic.APIStatusError) -> str:
    """The message of the API's error, "" if the body is not the API's."""
    body = error.body
    if not isinstance(body, dict):
        return ""
    stated = body.get("error")
    if not isinstance(stated, dict):
        return ""
    return str(stated.get("message"))
