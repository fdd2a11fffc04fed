"""What an adapter is: identity, translation, error mapping.

It never retries, prices, logs or waits.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from producer.contract.completions import Usage
from producer.contract.messages import ToolCall
from producer.contract.requests import CompletionRequest

from ..rate_limit_headers import NOT_STATED, RateLimits

Finish = Literal["stop", "length", "tool_calls", "content_filter", "refusal"]


@dataclass(frozen=True)
class Call:
    """One attempt: the request with every default filled in.

    `temperature` None: none is sent.
    `timeout_s`: seconds for the whole call, from its first byte to its last.
    `prefill`: the model continues a last message of the assistant.
    `cache_prefix`: have the provider cache the beginning of the prompt, where it must be asked to.
    `refused`: parameters that the model is known to refuse.
    `sends_limit`: if not, `max_tokens` is the model's own maximum, and is sent only to an API that
    needs one.
    """

    job_id: str
    model: str
    request: CompletionRequest
    max_tokens: int
    temperature: float | None
    timeout_s: float
    prefill: bool = False
    cache_prefix: bool = False
    refused: frozenset[str] = frozenset()
    sends_limit: bool = True


@dataclass(frozen=True)
class Reply:
    """A provider's answer, normalised.

    `usage` None: none was reported, or none that can be read; `flags` say which. `flags`: what is
    odd about the answer ("finish: missing"). `stated_finish`: the server's own word for its end.
    `limit_field`: the name under which the output limit was sent, where another one can be tried.
    `service_tier`: which one served it, "" for the standard one. `charged_micro_usd`: what the
    provider says it charged.
    """

    text: str = field(repr=False)
    finish: Finish
    model: str
    usage: Usage | None
    tool_calls: tuple[ToolCall, ...] = field(default=(), repr=False)
    reasoning: str = field(default="", repr=False)
    provider_request_id: str | None = None
    rate_limits: RateLimits = NOT_STATED
    flags: tuple[str, ...] = ()
    stated_finish: str = ""
    limit_field: str = ""
    service_tier: str = ""
    charged_micro_usd: int | None = None


class Provider(Protocol):
    """One per provider link and process, built on the process's event loop.

    Its methods raise `ProviderError` and nothing else.
    """

    def __init__(
        self, base_url: str | None, api_key: str | None, options: dict[str, str]
    ) -> None: ...

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        """The part of the request that this provider's API cannot express, "" if there is none.

        Called before anything is reserved.
        """
        ...

    async def complete(self, call: Call) -> Reply:
        """Make exactly one call on the wire."""
        ...

    async def aclose(self) -> None: ...
