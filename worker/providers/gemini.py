"""Google's Gemini through google-genai: identity, translation, error mapping. No retries, no
waiting.
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

from ..faults import Fault, ProviderError
from .base import Call, Reply
from .gemini_answers import finish_of, refusal
from .gemini_messages import conversation, options, unsupported
from .transport import TRANSPORT_ERRORS, of_transport, session


class Gemini:
    """One SDK client per link and process, on an aiohttp session of ours."""

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        # Without retry options the SDK sends a call again by itself after a cut connection: a
        # second payment.
        once = types.HttpRetryOptions(attempts=1)
        self._session = session()
        http = types.HttpOptions(
            base_url=base_url, retry_options=once, aiohttp_client=self._session
        )
        self._client = genai.Client(vertexai=False, api_key=api_key, http_options=http)

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return unsupported(request)

    async def complete(self, call: Call) -> Reply:
        with translating():
            system, contents = conversation(call.request)
            answer = await self._client.aio.models.generate_content(
                model=call.model, contents=contents, config=_config(call, system)
            )
            return _reply(call, answer)

    async def aclose(self) -> None:
        await self._client.aio.aclose()
        await self._session.close()


def _config(call: Call, system: str) -> types.GenerateContentConfig:
    """Automatic continuation and function calling are off: each would put further calls on the
    wire.
    """
    return types.GenerateContentConfig(
        system_instruction=system or None,
        temperature=None if "temperature" in call.refused else call.temperature,
        max_output_tokens=call.max_tokens,
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        http_options=types.HttpOptions(headers={"X-Client-Request-Id": call.job_id}),
        **options(call.request),
    )


def _reply(call: Call, answer: Any) -> Reply:
    """Normalise; the SDK validates nothing, so anything may be missing."""
    candidate = answer.candidates[0] if answer.candidates else None
    parts = (candidate.content and candidate.content.parts) or [] if candidate else []
    calls = [part.function_call for part in parts if part.function_call]
    text = "".join(part.text for part in parts if part.text and not part.thought)
    name = (candidate.finish_reason.name if candidate.finish_reason else "") if candidate else None
    finish = finish_of(name, bool(answer.prompt_feedback and answer.prompt_feedback.block_reason))
    if finish == "stop" and not (text or calls):
        raise ProviderError(Fault.BAD_RESPONSE, "a 200 without content", maybe_billed=True)
    return Reply(
        text=text,
        finish="tool_calls" if calls and finish == "stop" else finish,
        model=answer.model_version or call.model,
        usage=_usage(answer.usage_metadata),
        tool_calls=tuple(_tool_call(number, each) for number, each in enumerate(calls, start=1)),
        provider_request_id=answer.response_id,
    )


def _tool_call(number: int, call: Any) -> ToolCall:
    """Gemini gives ids seldom; ours only has to be unique within the answer."""
    return ToolCall(
        id=call.id or f"call_{number}",
        function=FunctionCall(name=call.name, arguments=json.dumps(call.args or {})),
    )


def _usage(usage: Any) -> Usage | None:
    """Gemini's output leaves out the thoughts; ours is all of it."""
    if usage is None or usage.prompt_token_count is None:
        return None
    thoughts = usage.thoughts_token_count or 0
    return Usage(
        input=usage.prompt_token_count + (usage.tool_use_prompt_token_count or 0),
        output=(usage.candidates_token_count or 0) + thoughts,
        cached=usage.cached_content_token_count or 0,
        reasoning=thoughts,
    )


@contextmanager
def translating() -> Iterator[None]:
    """Turn whatever the SDK raises into `ProviderError`, `from None`: its exceptions carry the key
    and the prompt.
    """
    try:
        yield
    except errors.APIError as error:
        raise refusal(
            error.code, error.details, getattr(error.response, "headers", None) or {}
        ) from None
    except TRANSPORT_ERRORS as error:
        raise of_transport(error) from None
    except (TypeError, ValueError, AttributeError, LookupError, RuntimeError) as error:
        # ProviderError is none of these; what is left is no JSON, a body of the wrong shape, or a
        # request the SDK will not send.
        raise ProviderError(
            Fault.BAD_RESPONSE, f"{type(error).__name__} in the SDK", maybe_billed=True
        ) from None
