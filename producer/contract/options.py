"""What may be said with a call, by name, for type checkers and editors: `Unpack[Options]`.

The fields of `CompletionRequest` as callers write them; a test keeps both alike. docs/options.md
says what each means. Nothing is checked here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict

from pydantic import BaseModel

from .names import Lane
from .parameters import Effort, ServiceTier
from .requests import CachePolicy, CacheScope

Given = Mapping[str, object] | BaseModel
"""An object of JSON, or what an SDK has for it."""
Messages = Sequence[Given]
"""Turns in OpenAI's, Anthropic's or Google's shape, as dicts or as their SDKs' objects."""


class CommonOptions(TypedDict, total=False):
    """Of every job, whatever answers it."""

    avoid: Sequence[str] | None
    cache: CachePolicy | None
    cache_namespace: str | None
    cache_scope: CacheScope | None
    deadline_s: float | None
    idempotency_key: str | None
    """The same key, user and request within 24 h are the same job."""
    lane: Lane | None
    metadata: Mapping[str, str] | None
    model: str | None
    on_outage: Literal["wait", "fail"] | None
    over_limit: Literal["fail", "wait"] | None
    provider_options: Mapping[str, Mapping[str, Any]] | None
    tags: Sequence[str] | None
    timeout_s: float | None


class Options(CommonOptions, total=False):
    """The options of `complete`."""

    defaults: Literal["workers", "provider"] | None
    drop_unsupported: bool | None
    expect: str | None
    fit: Literal["fail", "slide"] | None
    frequency_penalty: float | None
    logit_bias: Mapping[str, float] | Mapping[int, float] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    """OpenAI's newer name of `max_tokens`."""
    max_tokens: int | None
    n: int | None
    on_refusal: Literal["fail", "next", "accept"] | None
    on_truncation: Literal["fail", "retry", "accept"] | None
    parallel_tool_calls: bool | None
    prediction: Given | None
    presence_penalty: float | None
    prompt_cache: Literal["auto", "on", "off"] | None
    prompt_cache_key: str | None
    reasoning_effort: Effort | None
    response_format: type[BaseModel] | Given | None
    safety_identifier: str | None
    seed: int | None
    semantic: bool | None
    service_tier: ServiceTier | None
    stop: str | Sequence[str] | None
    store: Literal[False] | None
    temperature: float | None
    tool_choice: Literal["none", "auto", "required"] | Given | None
    tools: Sequence[Given] | None
    top_k: int | None
    top_logprobs: int | None
    top_p: float | None
    user: str | None
    verbosity: Literal["low", "medium", "high"] | None
    web_search_options: Given | None


class CallOptions(Options, total=False):
    """All arguments of `complete` by name, as a step of a canvas may have some of them."""

    messages: Messages
    user_id: str


class EmbedOptions(CommonOptions, total=False):
    """The options of `embed`."""

    dimensions: int | None
    """Numbers of each vector; None: as the model makes them."""


class EmbedCallOptions(EmbedOptions, total=False):
    """All arguments of `embed` by name."""

    texts: str | Sequence[str]
    user_id: str


class CeleryOptions(TypedDict, total=False):
    """Of `apply_async`: those of Celery's that mean something for a job."""

    countdown: float | None
    """Seconds from now, before which it does not run."""
    eta: datetime | str | None
    """When it may run; a datetime without a zone is UTC, as in Celery."""
    expires: float | datetime | str | None
    """Seconds from now, or when no answer is wanted any more."""
    link: Any
    link_error: Any
    chain: Any
    chord: Any
    group_id: str | None
    group_index: int | None
    root_id: str | None
    parent_id: str | None
