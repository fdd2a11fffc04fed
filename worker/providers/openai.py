"""OpenAI and every server that speaks its chat completions API.

Identity, translation, error mapping; no retries, no waiting.

Options: `dialect` ("openai", see `dialects.py`); `max_tokens_field` (the name of the output limit,
else by the dialect); `thinks` ("auto", "on", "off": whether the model writes its reasoning into the
text, as `<think>...</think>`; auto: if its name or its server is known for it).
"""

from copy import deepcopy
from typing import Any

import openai
from openai.lib._pydantic import _ensure_strict_json_schema

from producer.contract.requests import CompletionRequest

from .answers import reply_of
from .base import Call, Reply
from .bodies import documents, has_ended
from .dialects import DIALECTS
from .openai_answers import read
from .openai_embeddings import embed
from .openai_messages import NO_PARAMETERS, messages_of, unsupported
from .openai_parameters import told
from .provider_options import with_options
from .sdk_client import Client, Head, HttpResponse
from .sending import Sending
from .transport import translating

_OTHER_FIELD = {
    "max_completion_tokens": "max_tokens",
    "max_tokens": "max_completion_tokens",
}
"""The name of the output limit to try when a model refuses the configured one."""


def client(
    base_url: str | None, api_key: str | None, http: Client | None = None
) -> openai.AsyncOpenAI:
    """The SDK's, without retries of its own, over our connections."""
    return openai.AsyncOpenAI(
        # A compatible server may need no key, but the SDK insists on one.
        api_key=api_key or "none",
        base_url=base_url,
        max_retries=0,
        http_client=http or Client(),
    )


def make_strict(holder: dict[str, Any], name: str) -> None:
    """Have the schema in `holder`, if it is to be kept strictly, say what the API insists on: that
    all fields are there, and no others.
    """
    schema = holder.get(name)
    if not holder.get("strict") or not schema:
        return
    try:
        holder[name] = _ensure_strict_json_schema(deepcopy(schema), path=(), root=schema)
    except (ValueError, TypeError, LookupError, AssertionError, RecursionError):
        return  # the API says what it does not like


class OpenAI:
    """One SDK client per provider link and process, on the aiohttp transport.

    That takes 2 ms of CPU per call at 1,000 in flight.
    """

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        self._api = options.get("dialect", "openai")
        self._dialect = DIALECTS[self._api]
        self._thinks = options.get("thinks", "auto")
        self._max_tokens_field = options.get("max_tokens_field", self._dialect.limit_field)
        self._http = Client()
        self._client = client(base_url, api_key, self._http)
        self._heads: dict[tuple[tuple[str, str], ...], Head] = {}
        """By the operator's headers."""

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return unsupported(request.messages)

    async def complete(self, call: Call) -> Reply:
        with translating(call.patience) as sending:
            body = with_options(self._parameters(call), call.options)
            extra = body.pop("extra_body", {})
            await self._post(call, body | extra)
            return self._reply(call, sending)

    async def _post(self, call: Call, body: dict[str, Any]) -> None:
        operators = tuple(call.headers.items())
        if head := self._heads.get(operators):
            await self._http.repeat(head, call.own_headers, body)
            return
        # `chat.completions.create` would look through every message for what it has to rename.
        response = await self._client.post(
            "/chat/completions",
            body=body,
            options={"headers": call.all_headers, "security": {"bearer_auth": True}},
            cast_to=HttpResponse,
        )
        self._heads[operators] = Head.of(response)

    async def embed(self, call: Call) -> Reply:
        user = call.identifier if self._dialect.identifier else ""
        return await embed(self._client, call, user)

    async def aclose(self) -> None:
        await self._client.close()

    def _parameters(self, call: Call) -> dict[str, Any]:
        """Only what is set: the SDK would send None as null."""
        if not self._dialect.vendor:
            call = call.narrowed()
        request = call.request.model_dump(mode="json", by_alias=True, exclude_none=True)
        parameters: dict[str, Any] = {
            "model": call.model,
            "messages": messages_of(call.request, self._dialect, self._api, call.model),
            # Some servers stream unless they are told not to.
            "stream": call.streams,
        }
        if call.sends_limit:
            parameters[self._limit_field(call)] = call.max_tokens
        if call.streams:
            parameters["stream_options"] = {"include_usage": True}
        if call.temperature is not None:
            parameters["temperature"] = call.temperature
        for name in ("stop", "tools", "response_format"):
            if request.get(name):
                parameters[name] = request[name]
        if self._dialect.vendor:
            make_strict(parameters.get("response_format", {}).get("json_schema", {}), "schema")
            for tool in parameters.get("tools", ()):
                function = tool["function"]
                if "parameters" in function:
                    function["parameters"] = NO_PARAMETERS | function["parameters"]
                make_strict(tool["function"], "parameters")
        parameters |= told(call, request, self._dialect)
        left_out = call.refused - _OTHER_FIELD.keys()
        return {name: value for name, value in parameters.items() if name not in left_out}

    def _limit_field(self, call: Call) -> str:
        field = self._max_tokens_field
        if field in call.refused:
            return _OTHER_FIELD.get(field, "max_completion_tokens")
        return field

    def _reply(self, call: Call, sending: Sending) -> Reply:
        content = sending.content
        answer = read(documents(content), self._thinks, call.model, self._dialect)
        answer.ended = has_ended(content)
        answer.api = self._api
        answer.request_id = sending.headers.get("x-request-id")
        answer.limit_field = self._limit_field(call)
        return reply_of(call, answer, sending.headers)
