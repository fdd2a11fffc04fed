"""Google's Gemini through google-genai: identity, translation, error mapping.

No retries, no waiting.
"""

from google import genai
from google.genai import types

from producer.contract.requests import CompletionRequest

from .answers import reply_of
from .base import Call, Reply
from .bodies import documents
from .gemini_answers import read
from .gemini_messages import conversation, options, unsupported
from .transport import session, translating, trusted


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
            client_args={"trust_env": False},
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
        with translating() as sending:
            system, contents = conversation(call.request)
            config = _config(call, system)
            try:
                await self._client.aio.models.generate_content(
                    model=call.model, contents=contents, config=config
                )
            except Exception:
                # The SDK's own reading fails for a status or a letter that it does not know.
                if not sending.content:
                    raise
            return reply_of(call, read(documents(sending.content)), sending.headers)

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
        max_output_tokens=call.max_tokens if call.sends_limit else None,
        automatic_continuation=False,
        automatic_function_calling=no_calling,
        http_options=types.HttpOptions(headers=headers),
        # Not to be read by the SDK, which fails for a word or a number that it does not know.
        should_return_http_response=True,
        **options(call.request),
    )
