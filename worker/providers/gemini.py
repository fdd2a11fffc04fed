"""Google's Gemini through google-genai: identity, translation, error mapping.

No retries, no waiting.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google import genai
from google.genai import errors, types

from producer.contract.completions import Usage
from producer.contract.messages import FunctionCall, ToolCall
from producer.contract.requests import CompletionRequest

from .base import Call, Reply
from .gemini_answers import finish_of, finish_with_calls, response_error
from .gemini_messages import conversation, options, unsupported
from .statuses import WRONG_SHAPE, bad_response
from .transport import TRANSPORT_ERRORS, session, transport_error


class Gemini:
    """One SDK client per provider link and process, on an aiohttp session of ours."""

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        self._session = session()
        http = types.HttpOptions(
            base_url=base_url,
            # Without this the SDK repeats a call after a cut connection: a second payment.
            retry_options=types.HttpRetryOptions(attempts=1),
            aiohttp_client=self._session,
        )
        self._client = genai.Client(
            vertexai=False,
            api_key=api_key,
            http_options=http,
        )

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return unsupported(request)

    async def complete(self, call: Call) -> Reply:
        with translating():
            system, contents = conversation(call.request)
            answer = await self._client.aio.models.generate_content(
                model=call.model,
                contents=contents,
                config=_config(call, system),
            )
            return _reply(call, answer)

    async def aclose(self) -> None:
        await self._client.aio.aclose()
        await self._session.close()


def _config(call: Call, system: str) -> types.GenerateContentConfig:
    """Automatic continuation and function calling are off: each would make further calls."""
    temperature = call.temperature
    if "temperature" in call.refused:
        temperature = None
    no_calling = types.AutomaticFunctionCallingConfig(disable=True)
    headers = {"X-Client-Request-Id": call.job_id}
    return types.GenerateContentConfig(
        system_instruction=system or None,
        temperature=temperature,
        max_output_tokens=call.max_tokens,
        automatic_continuation=False,
        automatic_function_calling=no_calling,
        http_options=types.HttpOptions(headers=headers),
        **options(call.request),
    )


def _reply(call: Call, answer: Any) -> Reply:
    """Normalise; the SDK validates nothing, so anything may be missing."""
    reason = None
    parts: Any = []
    if answer.candidates:
        candidate = answer.candidates[0]
        reason = getattr(candidate.finish_reason, "name", "")
        parts = getattr(candidate.content, "parts", None) or []
    calls = [part.function_call for part in parts if part.function_call]
    text = "".join(part.text for part in parts if part.text and not part.thought)
    blocked = getattr(answer.prompt_feedback, "block_reason", None)
    finish = finish_of(reason, bool(blocked))
    return Reply(
        text=text,
        finish=finish_with_calls(finish, text, calls),
        model=answer.model_version or call.model,
        usage=_usage(answer.usage_metadata),
        tool_calls=tuple(_tool_call(number, each) for number, each in enumerate(calls, start=1)),
        provider_request_id=answer.response_id,
    )


def _tool_call(number: int, call: Any) -> ToolCall:
    """Gemini seldom gives ids; ours only has to be unique within the answer."""
    arguments = json.dumps(call.args or {})
    return ToolCall(
        id=call.id or f"call_{number}",
        function=FunctionCall(name=call.name, arguments=arguments),
    )


def _usage(usage: Any) -> Usage | None:
    """Gemini's output leaves out the thoughts; ours includes them."""
    if usage is None or usage.prompt_token_count is None:
        return None
    prompt = usage.prompt_token_count
    tool_results = usage.tool_use_prompt_token_count or 0
    answer = usage.candidates_token_count or 0
    thoughts = usage.thoughts_token_count or 0
    return Usage(
        input=prompt + tool_results,
        output=answer + thoughts,
        cached=usage.cached_content_token_count or 0,
        reasoning=thoughts,
    )


@contextmanager
def translating() -> Iterator[None]:
    """Turn what the SDK raises into `ProviderError`.

    `from None`: the SDK's exceptions carry the key and the prompt.
    """
    try:
        yield
    except errors.APIError as error:
        headers = getattr(error.response, "headers", None) or {}
        raise response_error(error.code, error.details, headers) from None
    except TRANSPORT_ERRORS as error:
        raise transport_error(error) from None
    except WRONG_SHAPE as error:
        raise bad_response(f"{type(error).__name__} in the SDK") from None
