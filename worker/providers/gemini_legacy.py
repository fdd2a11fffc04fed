"""Gemini through `google-generativeai`, which is no longer supported: for deployments pinned to it.

Prefer `gemini`. This SDK uses blocking sockets, so each call has a thread, and stopping a call
shuts its socket. It knows no full JSON schemas (`gemini_legacy_schema.py`).
"""

import asyncio
import threading
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

from producer.contract.requests import CompletionRequest

from ..faults import Fault, ProviderError
from .answers import reply_of
from .base import Call, Reply
from .bodies import MOST_BYTES, documents, is_moderate
from .gemini_answers import read, response_error
from .gemini_legacy_schema import translated, unsupported_keyword
from .gemini_legacy_sockets import Sockets
from .gemini_messages import conversation, options, unsupported
from .gemini_parameters import function_calling
from .gemini_parts import Features
from .statuses import WRONG_SHAPE, bad_response, refuse_no_answer
from .turns import all_parts, image_urls, word_of

with warnings.catch_warnings():
    # It warns that it is no longer supported; our docs say so.
    warnings.simplefilter("ignore", FutureWarning)
    import google.generativeai as genai
    from google.generativeai import client, protos

THREADS = 256
"""Calls in flight per process."""
PIECE_BYTES = 65_536
"""Of a reply, unpacked, between two looks at how large it is."""


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
        http.hooks["response"].append(self._keep)
        self._thread = threading.local()
        self._sockets = Sockets(http)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gemini-legacy")

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        if any(not url.startswith("data:") for url in image_urls(request.messages)):
            return "an image by URL"
        results = [each for each in request.messages if each.role == "tool"]
        if any(word_of(part) is None for _, part in all_parts(results)):
            return "anything but text in a tool's result"
        return unsupported(request) or unsupported_keyword(request)

    async def complete(self, call: Call) -> Reply:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, self._send, call)
        try:
            with translating():
                body = await asyncio.shield(future)
                refuse_no_answer(body, {})
                # Google states no rate limits in headers, so none are looked for.
                return reply_of(call, read(documents(body)), {})
        except asyncio.CancelledError:
            future.cancel()  # has an effect only if no thread runs it yet
            self._sockets.shut(call.job_id)
            raise

    async def aclose(self) -> None:
        self._sockets.shut_all()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, call: Call) -> bytes:
        """The answer as it came: the SDK drops what is newer than itself, or fails for it."""
        self._thread.response = None
        with self._sockets.used_by(call.job_id):
            try:
                self._client.generate_content(
                    _sdk_request(call),
                    timeout=call.timeout_s,
                    retry=None,
                    metadata=[(name.lower(), text) for name, text in call.all_headers.items()],
                )
            except (json_format.Error, *WRONG_SHAPE):
                if self._thread.response is None:
                    raise
        response = self._thread.response
        if response is None:
            return b""
        return bytes(response.content)

    def _keep(self, response: Any, *_: Any, **__: Any) -> None:
        """Before the SDK reads it: a body without end is left, and one that would take long to
        parse is no answer, or a refusal without words.
        """
        content = bytearray()
        for piece in response.iter_content(PIECE_BYTES):
            content += piece
            if len(content) > MOST_BYTES:
                response.close()
                raise bad_response(f"a reply of more than {MOST_BYTES // 1_000_000} MB")
        if not is_moderate(bytes(content)):
            if response.ok:
                raise bad_response("a reply of more values than an answer has")
            content.clear()
        response._content = bytes(content)  # as `requests` keeps what it has read
        self._thread.response = response


def _sdk_request(call: Call) -> Any:
    call = call.narrowed()
    system, contents = conversation(
        call.request,
        call.model,
        Features(ids=False, seals=False),
    )
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
    if calling := function_calling(call.request):
        fields["tool_config"] = {"function_calling_config": calling}
    return protos.GenerateContentRequest(fields)


def _config(call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {"stop_sequences": wanted.get("stop_sequences", [])}
    if call.sends_limit:
        config["max_output_tokens"] = call.max_tokens
    if call.temperature is not None and "temperature" not in call.refused:
        config["temperature"] = call.temperature
    for name in ("top_p", "top_k"):
        if (value := getattr(call.request, name)) is not None:
            config[name] = value
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
        raise ProviderError(Fault.TIMEOUT, "no connection in time", sent=False) from None
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
        return ProviderError(Fault.UNAVAILABLE, reason, sent=False)
    return ProviderError(Fault.UNAVAILABLE, "the connection was cut", maybe_billed=True)


def _response_error(response: Any) -> ProviderError:
    try:
        body = response.json()
    except ValueError:
        body = None
    return response_error(response.status_code, body, response.headers)
