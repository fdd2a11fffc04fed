"""A provider that is not in the registry, as a newcomer would write it: one file.

It speaks the OpenAI dialect by hand.
"""

import json

import aiohttp

from producer.contract.completions import Usage
from producer.contract.messages import ToolCall
from producer.contract.requests import CompletionRequest
from worker.providers import Call, Reply


class Fourth:
    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        self._url = f"{base_url}/chat/completions"
        self._session = aiohttp.ClientSession()

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return ""

    async def complete(self, call: Call) -> Reply:
        body = json.loads(
            call.request.model_dump_json(
                by_alias=True,
                exclude_none=True,
                include={"messages", "tools", "stop", "response_format"},
            )
        )
        async with self._session.post(self._url, json=body | {"model": call.model}) as response:
            answer = await response.json()
        choice, usage = answer["choices"][0], answer["usage"]
        return Reply(
            text=choice["message"]["content"] or "",
            finish=choice["finish_reason"],
            model=answer["model"],
            usage=Usage(
                input=usage["prompt_tokens"],
                output=usage["completion_tokens"],
                cached=usage.get("prompt_tokens_details", {}).get("cached_tokens", 0),
                reasoning=usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0),
            ),
            tool_calls=tuple(
                ToolCall.model_validate(each) for each in choice["message"].get("tool_calls", ())
            ),
        )

    async def aclose(self) -> None:
        await self._session.close()
