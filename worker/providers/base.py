"""What an adapter is: identity, translation, error mapping. It never retries, prices, logs or
waits.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from producer.contract.completions import Usage
from producer.contract.messages import ToolCall
from producer.contract.requests import CompletionRequest

from ..rate_limit_headers import SILENCE, Allowance

CONNECT_S = 5.0
SOCKET_S = 600.0
"""Per socket operation; the loop's total deadline ends a call long before."""

Finish = Literal["stop", "length", "tool_calls", "content_filter", "refusal"]


@dataclass(frozen=True)
class Call:
    """One attempt: the request with every default filled in. `timeout_s` is the whole call's, first
    byte to last.

    `temperature` None: none is sent. `prefill`: the model goes on from a last message of the
    assistant. `cache_prefix`: have the beginning of the prompt cached, where that must be asked
    for. `refused`: parameters the model is known to refuse.
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


@dataclass(frozen=True)
class Reply:
    """What a provider said, normalised. `usage` None: it did not say (the reservation stays as
    possibly billed).
    """

    text: str = field(repr=False)
    finish: Finish
    model: str
    usage: Usage | None
    tool_calls: tuple[ToolCall, ...] = field(default=(), repr=False)
    provider_request_id: str | None = None
    allowance: Allowance = SILENCE


class Provider(Protocol):
    """One per link and process, built on the process's event loop. Raises nothing but
    `ProviderError`.
    """

    def __init__(
        self, base_url: str | None, api_key: str | None, options: dict[str, str]
    ) -> None: ...

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        """What of the request this provider has no word for, "" if it can take it all. Asked before
        anything is reserved.
        """
        ...

    async def complete(self, call: Call) -> Reply:
        """One call on the wire, never more."""
        ...

    async def aclose(self) -> None: ...
