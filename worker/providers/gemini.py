"""Google's Gemini through google-genai: identity, translation, error mapping.

No retries, no waiting.
"""

from typing import Any

from google import genai
from google.genai import types
from pydantic import ValidationError

from producer.contract.provider_options import snake
from producer.contract.requests import CompletionRequest

from ..faults import Fault, ProviderError
from .answers import reply_of
from .base import Call, Reply
from .bodies import documents
from .certificates import trusted
from .gemini_answers import read, read_vectors
from .gemini_messages import conversation, options, unsupported
from .gemini_parameters import told
from .provider_options import joined
from .transport import session, translating
from .vectors import vectors_reply

NO_ADDRESS = (404, 405, 501)
"""Statuses with which a server says, in no words of the API's, that it does not have a path."""


class Gemini:
    """One SDK client per provider link and process, on an aiohttp session of ours."""

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        self._session = session()
        http = types.HttpOptions(
            base_url=base_url,
            # Without this the SDK repeats a call after a cut connection: a second payment.
            retry_options=types.HttpRetryOptions(attempts=1),
            aiohttp_client=self._session,
            # The SDK would say with every request whom to trust, and read the proxies' variables.
            async_client_args={"ssl": trusted(), "trust_env": False},
            client_args={"verify": trusted(), "trust_env": False},
        )
        self._client = genai.Client(
            vertexai=False,
            api_key=api_key,
            http_options=http,
        )

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        options = (request.provider_options or {}).get("gemini", {})
        return unsupported(request) or _wrong_options(options)

    async def complete(self, call: Call) -> Reply:
        try:
            return await self._complete(call)
        except ProviderError as error:
            # A gateway may have no more than the address of whole answers.
            if call.streams and error.status in NO_ADDRESS and error.about == "link":
                error.fault = Fault.STALE
                error.parameter = "stream"
            raise

    async def _complete(self, call: Call) -> Reply:
        with translating(call.patience) as sending:
            try:
                await self._send(call)
            except Exception:
                # The SDK's own reading fails for a status or a letter that it does not know.
                if not sending.content:
                    raise
            return reply_of(call, read(documents(sending.content)), sending.headers)

    async def _send(self, call: Call) -> None:
        """The transport keeps what comes of it."""
        models = self._client.aio.models
        call = call.narrowed()
        system, contents = conversation(call.request, call.model)
        asked: dict[str, Any] = {
            "model": call.model,
            "contents": contents,
            "config": _config(call, system),
        }
        if not call.streams:
            await models.generate_content(**asked)
            return
        async for _ in await models.generate_content_stream(**asked):  # which sends the request
            pass

    async def embed(self, call: Call) -> Reply:
        with translating(call.patience) as sending:
            texts = [
                types.Content(parts=[types.Part(text=each)]) for each in call.request.sole_texts
            ]
            try:
                await self._client.aio.models.embed_content(
                    model=call.model, contents=texts, config=_embedding(call)
                )
            except Exception:
                # As above: the transport has kept what came of it.
                if not sending.content:
                    raise
            answer = read_vectors(documents(sending.content))
            return vectors_reply(call, answer, sending.headers)

    async def aclose(self) -> None:
        await self._client.aio.aclose()
        await self._session.close()


def _config(call: Call, system: str) -> types.GenerateContentConfig:
    """Automatic continuation and function calling are off: each would make further calls."""
    temperature = call.temperature
    if "temperature" in call.refused:
        temperature = None
    no_calling = types.AutomaticFunctionCallingConfig(disable=True)
    fields = {
        "system_instruction": system or None,
        "temperature": temperature,
        "max_output_tokens": call.max_tokens if call.sends_limit else None,
        **options(call.request),
        **told(call),
    }
    for name, value in call.options.items():
        fields[snake(name)] = joined(fields.get(snake(name)), value)
    return types.GenerateContentConfig(
        **fields,
        automatic_continuation=False,
        automatic_function_calling=no_calling,
        http_options=types.HttpOptions(headers=call.all_headers),
        # Not to be read by the SDK, which fails for a word or a number that it does not know. Of a
        # stream, which the transport has read, nothing is left for it.
        should_return_http_response=not call.streams,
    )


def _wrong_options(given: dict[str, Any]) -> str:
    """What of `provider_options` the SDK does not take."""
    try:
        types.GenerateContentConfig(**{snake(name): value for name, value in given.items()})
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        return f"provider_options.gemini.{place} (google-genai does not know it so)"
    return ""


def _embedding(call: Call) -> types.EmbedContentConfig:
    asked = call.request.embedding
    fields = {snake(name): value for name, value in call.options.items()}
    if asked and asked.dimensions:
        fields["output_dimensionality"] = asked.dimensions
    http = types.HttpOptions(headers=call.all_headers)
    try:
        return types.EmbedContentConfig(**fields, http_options=http)
    except (ValidationError, TypeError):
        reason = "provider_options.gemini (google-genai does not know them so)"
        raise ProviderError(Fault.UNSUPPORTED, reason, sent=False) from None
