"""OpenAI's Responses API, for models that its chat completions do not serve, and for reasoning that
is kept between turns. Nothing is stored at the provider.

Identity, translation, error mapping; no retries, no waiting.
"""

from typing import Any

from producer.contract.requests import CompletionRequest

from .answers import reply_of
from .base import Call, Reply
from .bodies import documents
from .openai import client, make_strict
from .openai_embeddings import embed
from .openai_parameters import search_tool, told_to_responses
from .provider_options import with_options
from .responses_answers import read
from .responses_input import LEAST_OUTPUT, input_of, text_format, tools, unsupported
from .statuses import error_in_answer
from .transport import translating


class OpenAIResponses:
    """One SDK client per provider link and process, on the aiohttp transport."""

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        self._client = client(base_url, api_key)

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        if request.max_tokens and request.max_tokens < LEAST_OUTPUT:
            return f"max_tokens={request.max_tokens} (at least {LEAST_OUTPUT})"
        return unsupported(request.messages)

    async def complete(self, call: Call) -> Reply:
        with translating(call.patience):
            raw = await self._client.responses.with_raw_response.create(
                **with_options(_parameters(call), call.options),
                extra_headers=call.all_headers,
            )
            return _reply(call, raw)

    async def embed(self, call: Call) -> Reply:
        return await embed(self._client, call, call.identifier)

    async def aclose(self) -> None:
        await self._client.close()


def _parameters(call: Call) -> dict[str, Any]:
    """Only what is set: the SDK would send None as null."""
    request = call.request
    parameters: dict[str, Any] = {"model": call.model, "store": False, "stream": call.streams}
    parameters |= input_of(request, call.model)
    included = {
        "reasoning.encrypted_content": call.thinks,  # models that do not think refuse it
        "message.output_text.logprobs": request.logprobs,
    }
    if any(included.values()):
        parameters["include"] = [name for name, wanted in included.items() if wanted]
    if call.sends_limit:
        parameters["max_output_tokens"] = max(call.max_tokens, LEAST_OUTPUT)
    if call.temperature is not None:
        parameters["temperature"] = call.temperature
    given = request.model_dump(mode="json", by_alias=True, exclude_none=True)
    parameters |= told_to_responses(call, given)
    if request.tools:
        parameters["tools"] = tools(request)
        for tool in parameters["tools"]:
            make_strict(tool, "parameters")
    if request.web_search_options:
        parameters["tools"] = [*parameters.get("tools", ()), search_tool(given)]
    text: dict[str, Any] = {}
    if wanted := text_format(request):
        make_strict(wanted, "schema")
        text["format"] = wanted
    if request.verbosity:
        text["verbosity"] = request.verbosity
    if text:
        parameters["text"] = text
    return {name: value for name, value in parameters.items() if name not in call.refused}


def _reply(call: Call, raw: Any) -> Reply:
    answer, error = read(documents(raw.http_response.content))
    if error and (refused := error_in_answer(error, raw.headers)):
        refused.maybe_billed = True
        raise refused
    answer.request_id = raw.headers.get("x-request-id")
    return reply_of(call, answer, raw.headers)
