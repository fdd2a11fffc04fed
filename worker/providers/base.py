"""What an adapter is: identity, translation, error mapping.

It never retries, prices, logs or waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from producer.contract.citations import Citation
from producer.contract.completions import (
    Choice,
    FinishReason,
    TokenLogprob,
    Usage,
    Vectors,
)
from producer.contract.kept import Kept
from producer.contract.messages import ToolCall
from producer.contract.requests import CompletionRequest
from producer.contract.tools import ToolsAllowed

from ..rate_limit_headers import NOT_STATED, RateLimits
from .sending import Patience
from .tokens import predicted

STREAMING = "streaming"
"""Not a parameter of any API: `stream` may then still be sent, as false."""
Finish = FinishReason


@dataclass(frozen=True)
class Call:
    """One attempt: the request with every default filled in.

    `temperature` None: none is sent.
    `timeout_s`: seconds for the whole call, from its first byte to its last; `hurried`: fewer than
    such a call needs, as its job must end before.
    `streams`: the answer is asked for as a stream.
    `silence_s`: the call ends once nothing has come of its reply for so many seconds.
    `thinks`: the model thinks before it answers, and its stream may say nothing meanwhile.
    `prefill`: the model continues a last message of the assistant.
    `cache_prefix`: have the provider cache the beginning of the prompt, where it must be asked to.
    `refused`: parameters that the model is known to refuse; `STREAMING`: to answer as a stream.
    `sends_limit`: if not, `max_tokens` is the model's own maximum, and is sent only to an API that
    needs one.
    `request`: holds no parameter that the link cannot be told (`parameters.fitting`).
    `options`: what of the request's `provider_options` is for this provider, as it is to be sent;
    `headers`: the operator's own for the link.
    `identifier`: who asks, for the provider's watch over abuse; "" if it is not to be told.
    """

    job_id: str
    model: str
    request: CompletionRequest
    max_tokens: int
    temperature: float | None
    timeout_s: float
    hurried: bool = False
    streams: bool = False
    silence_s: float | None = None
    thinks: bool = False
    prefill: bool = False
    cache_prefix: bool = False
    refused: frozenset[str] = frozenset()
    sends_limit: bool = True
    identifier: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def narrowed(self) -> "Call":
        """With none but the tools that may be called, for APIs that know no choice among some."""
        chosen = self.request.tool_choice
        if not isinstance(chosen, ToolsAllowed):
            return self
        kept = tuple(each for each in self.request.tools if each.function.name in chosen.names)
        changes = {"tools": kept, "tool_choice": chosen.allowed_tools.mode}
        return replace(self, request=self.request.model_copy(update=changes))

    @property
    def own_headers(self) -> dict[str, str]:
        """Of this call, by which a provider can find it."""
        return {"x-client-request-id": self.job_id}

    @property
    def all_headers(self) -> dict[str, str]:
        return {**self.headers, **self.own_headers}

    @property
    def most_output(self) -> int:
        """Tokens of all its answers together, and of what of a prediction is not in them."""
        return self.max_tokens * self.request.choices + predicted(self.request)

    @property
    def patience(self) -> Patience:
        """Of the connection that it is made on."""
        return Patience(self.silence_s, self.streams, self.thinks)


@dataclass(frozen=True)
class Reply:
    """A provider's answer, normalised.

    `usage` None: none was reported, or none that can be read; `flags` say which. `flags`: what is
    odd about the answer ("finish: missing"). `stated_finish`: the server's own word for its end.
    `streamed`: it came piece by piece.
    `limit_field`: the name under which the output limit was sent, where another one can be tried.
    `kept`: what the provider wants back with the next request.
    `service_tier`: which one served it, "" for the standard one. `charged_micro_usd`: what the
    provider says it charged. `provider_id`: by which the provider knows the answer, where it can be
    asked for it again. `others`: the choices beside the first one. `vectors`: of a request for
    embeddings, which has no text.
    """

    text: str = field(repr=False)
    finish: Finish
    model: str
    usage: Usage | None
    tool_calls: tuple[ToolCall, ...] = field(default=(), repr=False)
    reasoning: str = field(default="", repr=False)
    kept: Kept | None = field(default=None, repr=False)
    citations: tuple[Citation, ...] = field(default=(), repr=False)
    provider_request_id: str | None = None
    provider_id: str = ""
    rate_limits: RateLimits = NOT_STATED
    flags: tuple[str, ...] = ()
    stated_finish: str = ""
    streamed: bool = False
    vectors: Vectors | None = field(default=None, repr=False)
    limit_field: str = ""
    service_tier: str = ""
    charged_micro_usd: int | None = None
    logprobs: tuple[TokenLogprob, ...] = field(default=(), repr=False)
    others: tuple[Choice, ...] = field(default=(), repr=False)

    @property
    def handed_on(self) -> dict[str, Any]:
        """What of it is handed on as it is, by the names of `Completion`."""
        names = ("text", "tool_calls", "reasoning", "citations", "kept", "vectors")
        told = {name: getattr(self, name) for name in names}
        if self.finish == "refusal":
            told |= {"text": "", "refusal": self.text}
        return told | {"logprobs": self.logprobs, "choices": self.choices}

    @property
    def declines(self) -> bool:
        """Whether none of its choices is an answer to what was asked."""
        ends = {self.finish, *[choice.finish_reason for choice in self.others]}
        return ends <= {"refusal", "content_filter"}

    @property
    def choices(self) -> tuple[Choice, ...]:
        """None if there is but one."""
        if not self.others:
            return ()
        first = Choice(
            text=self.text,
            tool_calls=self.tool_calls,
            finish_reason=self.finish,
            logprobs=self.logprobs,
        )
        return (first, *self.others)

    @property
    def model_and_usage(self) -> dict[str, Any]:
        """For the details of an error."""
        usage = self.usage or Usage()
        return {"model": self.model, "usage": usage.model_dump(exclude_defaults=True)}

    @property
    def said(self) -> list[tuple[str, tuple[ToolCall, ...]]]:
        """(text, tool calls) of every choice; none of vectors."""
        if self.vectors:
            return []
        return [(self.text, self.tool_calls), *((c.text, c.tool_calls) for c in self.others)]


class Provider(Protocol):
    """One per provider link and process, built on the process's event loop.

    Its methods raise `ProviderError` and nothing else. It may be an `Embedder` as well. A class may
    have `parameters`, a set of the names in `fates.FATES` that it sends; without it a request with
    one of them goes to other links.
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


@runtime_checkable
class Embedder(Protocol):
    """An adapter whose API makes embeddings."""

    async def embed(self, call: Call) -> Reply:
        """Make exactly one call on the wire, for the vectors of its request's messages."""
        ...
