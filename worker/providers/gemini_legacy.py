"""Gemini through `google-generativeai`, which is no longer supported: for deployments pinned to it.

Prefer `gemini`. This SDK uses blocking sockets, so each call has a thread, and stopping a call
shuts its socket. It knows neither thoughts nor full JSON schemas (`gemini_legacy_schema.py`).
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
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectTimeout,
    ReadTimeout,
    RequestException,
)

from producer.contract.completions import Usage
from producer.contract.messages import FunctionCall, ToolCall
from producer.contract.requests import CompletionRequest

from ..faults import Fault, ProviderError
from .base import Call, Reply
from .gemini_answers import finish_of, finish_with_calls, response_error
from .gemini_legacy_schema import translated, unsupported_keyword
from .gemini_legacy_sockets import Sockets
from .gemini_messages import conversation, options, unsupported
from .statuses import WRONG_SHAPE, bad_response

with warnings.catch_warnings():
    # It warns that it is no longer supported; our docs say so.
    warnings.simplefilter("ignore", FutureWarning)
    import google.generativeai as genai
    from google.generativeai import client, protos

THREADS = 256
"""Calls in flight per process."""


class GeminiLegacy:
    """One client per process: the SDK has one configuration for all."""

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        endpoint = None
        if base_url:
            if not base_url.startswith(("http://", "https://")):
                raise ProviderError(Fault.MISCONFIGURED, "the base URL is unusable")
            endpoint = {"api_endpoint": base_url}
        genai.configure(
            api_key=api_key,
            transport="rest",
            client_options=endpoint,
        )
        self._client = client.get_default_generative_client()
        http = self._client.transport._session
        http._refresh_status_codes = ()  # or it would send a call again after a 401, twice
        self._sockets = Sockets(http)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gemini-legacy")

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return unsupported(request) or unsupported_keyword(request)

    async def complete(self, call: Call) -> Reply:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, self._send, call)
        try:
            with translating():
                return _reply(call, await asyncio.shield(future))
        except asyncio.CancelledError:
            future.cancel()  # has an effect only if no thread runs it yet
            self._sockets.shut(call.job_id)
            raise

    async def aclose(self) -> None:
        self._sockets.shut_all()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, call: Call) -> Any:
        with self._sockets.used_by(call.job_id):
            return self._client.generate_content(
                _sdk_request(call),
                timeout=call.timeout_s,
                retry=None,
                metadata=[("x-client-request-id", call.job_id)],
            )


def _sdk_request(call: Call) -> Any:
    system, contents = conversation(call.request)
    wanted = options(call.request)
    fields: dict[str, Any] = {
        "model": f"models/{call.model}",
        "contents": contents,
        "generation_config": _config(call, wanted),
    }
    if system:
        fields["system_instruction"] = {"parts": [{"text": system}]}
    if "tools" in wanted:
        declared = wanted["tools"][0]["function_declarations"]
        declarations = [_declaration(each) for each in declared]
        fields["tools"] = [{"function_declarations": declarations}]
    return protos.GenerateContentRequest(fields)


def _config(call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "max_output_tokens": call.max_tokens,
        "stop_sequences": wanted.get("stop_sequences", []),
    }
    if call.temperature is not None and "temperature" not in call.refused:
        config["temperature"] = call.temperature
    if "response_mime_type" in wanted:
        config["response_mime_type"] = wanted["response_mime_type"]
    if "response_json_schema" in wanted:
        schema = wanted["response_json_schema"]
        config["response_schema"] = translated(schema)
    return config


def _declaration(function: dict[str, Any]) -> dict[str, Any]:
    schema = function.pop("parameters_json_schema", None)
    if schema:
        function["parameters"] = translated(schema)
    return function


def _reply(call: Call, answer: Any) -> Reply:
    reason = None
    parts: Any = []
    if answer.candidates:
        candidate = answer.candidates[0]
        # A reason newer than the SDK comes as a bare number, without a name.
        reason = getattr(candidate.finish_reason, "name", "")
        parts = candidate.content.parts
    calls = [part.function_call for part in parts if "function_call" in part]
    text = "".join(part.text for part in parts if "text" in part)
    finish = finish_of(reason, bool(answer.prompt_feedback.block_reason))
    return Reply(
        text=text,
        finish=finish_with_calls(finish, text, calls),
        model=answer.model_version or call.model,
        usage=_usage(answer.usage_metadata),
        tool_calls=tuple(_tool_call(number, each) for number, each in enumerate(calls, start=1)),
    )


def _tool_call(number: int, call: Any) -> ToolCall:
    """Gemini seldom gives ids; ours only has to be unique within the answer."""
    arguments = type(call).to_dict(call).get("args") or {}
    text = json.dumps(_with_integers(arguments))
    return ToolCall(
        id=call.id or f"call_{number}",
        function=FunctionCall(name=call.name, arguments=text),
    )


def _with_integers(value: Any) -> Any:
    """The SDK makes every number a float; those without a fraction were integers."""
    if isinstance(value, dict):
        return {name: _with_integers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_integers(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _usage(usage: Any) -> Usage | None:
    """The SDK has no field for thoughts: they are the rest of the total."""
    if not usage.total_token_count:
        return None
    output = usage.total_token_count - usage.prompt_token_count
    thoughts = output - usage.candidates_token_count
    return Usage(
        input=usage.prompt_token_count,
        output=output,
        cached=usage.cached_content_token_count,
        reasoning=max(0, thoughts),
    )


@contextmanager
def translating() -> Iterator[None]:
    """Turn what the SDK raises into `ProviderError`.

    `from None`: the SDK's exceptions carry the key and the prompt.
    """
    try:
        yield
    except exceptions.GoogleAPICallError as error:
        raise _response_error(error.response) from None
    except ConnectTimeout:
        raise ProviderError(Fault.TIMEOUT, "no connection in time") from None
    except ReadTimeout:
        raise ProviderError(Fault.TIMEOUT, "no answer in time", maybe_billed=True) from None
    except (requests.exceptions.ConnectionError, ChunkedEncodingError) as error:
        raise _connection_error(error) from None
    except (*WRONG_SHAPE, json_format.Error, RequestException) as error:
        raise bad_response(f"{type(error).__name__} in the SDK") from None


def _connection_error(error: Exception) -> ProviderError:
    shown = repr(error)
    if "NewConnectionError" in shown or "SSLError" in shown:
        reason = "no connection: refused, unknown host or TLS"
        return ProviderError(Fault.UNAVAILABLE, reason)
    return ProviderError(Fault.UNAVAILABLE, "the connection was cut", maybe_billed=True)


def _response_error(response: Any) -> ProviderError:
    try:
        body = response.json()
    except ValueError:
        body = None
    return response_error(response.status_code, body, response.headers)
