"""Gemini through `google-generativeai`, whose support has ended: for deployments pinned to it.
Prefer `gemini`.

It speaks through blocking sockets, so each call has a thread; stopping a call shuts its socket. It
knows neither thoughts nor full JSON schemas (`gemini_legacy_schema.py`).
"""

import asyncio
import json
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core import exceptions
from google.protobuf import json_format

from producer.contract.completions import Usage
from producer.contract.messages import FunctionCall, ToolCall
from producer.contract.requests import CompletionRequest

from ..faults import Fault, ProviderError
from .base import Call, Reply
from .gemini_answers import finish_of, refusal
from .gemini_legacy_schema import foreign, schema
from .gemini_legacy_sockets import Sockets
from .gemini_messages import conversation, options, unsupported

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # that its support has ended: our docs say so
    import google.generativeai as genai
    from google.generativeai import client, protos

THREADS = 256
"""Calls in flight per process."""


class GeminiLegacy:
    """One client per process: the SDK has one configuration for all."""

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        if base_url and not base_url.startswith(("http://", "https://")):
            raise ProviderError(Fault.MISCONFIGURED, "the base URL is unusable")
        endpoint = {"api_endpoint": base_url} if base_url else None
        genai.configure(api_key=api_key, transport="rest", client_options=endpoint)
        self._client = client.get_default_generative_client()
        session = self._client.transport._session
        session._refresh_status_codes = ()  # or it would send a call again after a 401, twice
        self._sockets = Sockets(session)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gemini-legacy")

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return unsupported(request) or foreign(request)

    async def complete(self, call: Call) -> Reply:
        future = asyncio.get_running_loop().run_in_executor(self._threads, self._send, call)
        try:
            with translating():
                return _reply(call, await asyncio.shield(future))
        except asyncio.CancelledError:
            future.cancel()  # if no thread has begun it yet
            self._sockets.shut(call.job_id)
            raise

    async def aclose(self) -> None:
        self._sockets.shut_all()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, call: Call) -> Any:
        with self._sockets.named(call.job_id):
            return self._client.generate_content(
                _question(call),
                timeout=call.timeout_s,
                retry=None,
                metadata=[("x-client-request-id", call.job_id)],
            )


def _question(call: Call) -> Any:
    system, contents = conversation(call.request)
    asked = options(call.request)
    config: dict[str, Any] = {
        "max_output_tokens": call.max_tokens,
        "stop_sequences": asked.get("stop_sequences", []),
    }
    if call.temperature is not None and "temperature" not in call.refused:
        config["temperature"] = call.temperature
    if "response_mime_type" in asked:
        config["response_mime_type"] = asked["response_mime_type"]
    if "response_json_schema" in asked:
        config["response_schema"] = schema(asked["response_json_schema"])
    question: dict[str, Any] = {
        "model": f"models/{call.model}",
        "contents": contents,
        "generation_config": config,
    }
    if system:
        question["system_instruction"] = {"parts": [{"text": system}]}
    if "tools" in asked:
        declared = asked["tools"][0]["function_declarations"]
        question["tools"] = [{"function_declarations": [_declaration(each) for each in declared]}]
    return protos.GenerateContentRequest(question)


def _declaration(function: dict[str, Any]) -> dict[str, Any]:
    parameters = function.pop("parameters_json_schema", None)
    return function | ({"parameters": schema(parameters)} if parameters else {})


def _reply(call: Call, answer: Any) -> Reply:
    candidate = answer.candidates[0] if answer.candidates else None
    parts = candidate.content.parts if candidate else []
    calls = [part.function_call for part in parts if "function_call" in part]
    text = "".join(part.text for part in parts if "text" in part)
    # A reason newer than the SDK comes as a bare number.
    name = getattr(candidate.finish_reason, "name", "") if candidate else None
    finish = finish_of(name, bool(answer.prompt_feedback.block_reason))
    if finish == "stop" and not (text or calls):
        raise ProviderError(Fault.BAD_RESPONSE, "a 200 without content", maybe_billed=True)
    return Reply(
        text=text,
        finish="tool_calls" if calls and finish == "stop" else finish,
        model=answer.model_version or call.model,
        usage=_usage(answer.usage_metadata),
        tool_calls=tuple(_tool_call(number, each) for number, each in enumerate(calls, start=1)),
    )


def _tool_call(number: int, call: Any) -> ToolCall:
    """Gemini gives ids seldom; ours only has to be unique within the answer."""
    arguments = _whole(type(call).to_dict(call).get("args") or {})
    return ToolCall(
        id=call.id or f"call_{number}",
        function=FunctionCall(name=call.name, arguments=json.dumps(arguments)),
    )


def _whole(value: Any) -> Any:
    """The SDK makes every number a float; whole ones were whole."""
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _usage(usage: Any) -> Usage | None:
    """The SDK has no word for thoughts, but the total has them: what is neither prompt nor answer."""
    if not usage.total_token_count:
        return None
    output = usage.total_token_count - usage.prompt_token_count
    thoughts = max(0, output - usage.candidates_token_count)
    return Usage(
        input=usage.prompt_token_count,
        output=output,
        cached=usage.cached_content_token_count,
        reasoning=thoughts,
    )


@contextmanager
def translating() -> Iterator[None]:
    """Turn whatever the SDK raises into `ProviderError`, `from None`: its exceptions carry the key
    and the prompt.
    """
    try:
        yield
    except exceptions.GoogleAPICallError as error:
        raise _refused(error) from None
    except requests.exceptions.ConnectTimeout:
        raise ProviderError(Fault.TIMEOUT, "no connection in time") from None
    except requests.exceptions.ReadTimeout:
        raise ProviderError(Fault.TIMEOUT, "no answer in time", maybe_billed=True) from None
    except requests.exceptions.ConnectionError as error:
        if "NewConnectionError" in repr(error) or "SSLError" in repr(error):
            raise ProviderError(
                Fault.UNAVAILABLE, "no connection: refused, unknown host or TLS"
            ) from None
        raise ProviderError(
            Fault.UNAVAILABLE, "the connection was cut", maybe_billed=True
        ) from None
    except requests.exceptions.ChunkedEncodingError:
        raise ProviderError(
            Fault.UNAVAILABLE, "the connection was cut", maybe_billed=True
        ) from None
    except (
        json_format.Error,
        requests.exceptions.RequestException,
        TypeError,
        ValueError,
        AttributeError,
        LookupError,
        RuntimeError,
    ) as error:
        raise ProviderError(
            Fault.BAD_RESPONSE, f"{type(error).__name__} in the SDK", maybe_billed=True
        ) from None


def _refused(error: exceptions.GoogleAPICallError) -> ProviderError:
    answer = error.response
    try:
        body = answer.json()
    except ValueError:
        body = None
    return refusal(answer.status_code, body, answer.headers)
