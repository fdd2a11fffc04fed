"""Anthropic's Messages API: identity, translation, error mapping. No retries, no waiting."""

from dataclasses import replace
from typing import Any

import anthropic

from producer.contract.requests import CompletionRequest
from producer.contract.schemas import has_open_objects, is_recursive

from .answers import reply_of
from .anthropic_answers import read
from .anthropic_blocks import count_marks
from .anthropic_messages import (
    ask_for_object,
    conversation,
    mark_for_cache,
    tools,
    unfenced,
    unsupported,
)
from .anthropic_parameters import search_tool, thinks_by_request, told
from .base import Call, Reply
from .bodies import documents
from .provider_options import with_options
from .sdk_client import Client
from .transport import translating


class Anthropic:
    """One SDK client per provider link and process, on the aiohttp transport."""

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        self._client = anthropic.AsyncAnthropic(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            open_telemetry=False,  # its spans would carry our trace to the provider
            http_client=Client(),
        )

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return unsupported(request) or _wrong_schema(request)

    async def complete(self, call: Call) -> Reply:
        with translating(call.patience):
            raw = await self._client.messages.with_raw_response.create(
                **with_options(_parameters(call), call.options)
            )
            return _reply(call, raw)

    async def aclose(self) -> None:
        await self._client.close()


def _parameters(call: Call) -> dict[str, Any]:
    """Only what is set: the SDK would send None as null."""
    call = call.narrowed()
    request = call.request
    system, messages = conversation(request, call.prefill, call.model)
    parameters: dict[str, Any] = {
        "model": call.model,
        "messages": messages,
        "max_tokens": call.max_tokens,
        "extra_headers": call.all_headers,
    }
    if call.streams:
        parameters["stream"] = True
    if request.stop:
        parameters["stop_sequences"] = list(request.stop)
    if request.tools:
        parameters["tools"] = [
            _strict(sent) if tool.function.strict else sent
            for tool, sent in zip(request.tools, tools(request), strict=True)
        ]
    if request.web_search_options:
        searches = search_tool(request.web_search_options)
        parameters["tools"] = [*parameters.get("tools", ()), searches]
    wanted = request.response_format
    if wanted and wanted.json_schema:
        schema = anthropic.transform_schema(wanted.json_schema.schema_)
        parameters["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    elif wanted and wanted.type == "json_object":
        ask_for_object(messages)
    body = told(call)
    if "output_config" in body:
        body["output_config"] |= parameters.pop("output_config", {})
    # The SDK has no keywords for all of them, such as the temperature, whose range ends at 1.
    takes_none = "temperature" in call.refused or thinks_by_request(call)
    if call.temperature is not None and not takes_none:
        body["temperature"] = min(call.temperature, 1.0)
    if body:
        parameters["extra_body"] = body
    if system:
        parameters["system"] = system
    if call.cache_prefix and not count_marks(request.messages):
        mark_for_cache(parameters)
    return parameters


def _reply(call: Call, raw: Any) -> Reply:
    answer = read(documents(raw.http_response.content))
    answer.request_id = raw.headers.get("request-id")
    reply = reply_of(call, answer, raw.headers)
    wanted = call.request.response_format
    if wanted and wanted.type == "json_object":
        return replace(reply, text=unfenced(reply.text))
    return reply


def _strict(tool: dict[str, Any]) -> dict[str, Any]:
    schema = anthropic.transform_schema(tool["input_schema"])
    return tool | {"input_schema": schema, "strict": True}


def _wrong_schema(request: CompletionRequest) -> str:
    """What of the schemas that an answer must keep the API cannot be told ("Structured outputs" of
    its guide).
    """
    schemas = {
        f"tools[{number}].function.parameters (strict)": tool.function.parameters
        for number, tool in enumerate(request.tools)
        if tool.function.strict and tool.function.parameters
    }
    wanted = request.response_format
    if wanted and wanted.json_schema:
        schemas["response_format"] = wanted.json_schema.schema_
    for place, schema in schemas.items():
        if has_open_objects(schema):
            return f"{place}: objects with fields that have no names"
        if is_recursive(schema):
            return f"{place}: a schema that refers to itself"
        try:
            anthropic.transform_schema(schema)
        except (ValueError, TypeError, AttributeError, AssertionError):
            return f"{place}: a schema without types"
    return ""
