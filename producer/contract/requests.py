"""`CompletionRequest`: what a caller asks for, and the checks that a request must pass."""

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_core import SchemaError

from . import echoes, schemas
from .embeddings import Embedding
from .errors import InvalidRequest
from .explanations import explained
from .hygiene import problem
from .messages import NEW_MESSAGES, Message, ShortText
from .names import Lane
from .parameters import SHAPING, Number, Parameters
from .plain import not_plain, wrong_turn
from .provider_options import problem as options_problem
from .response_formats import ResponseFormat
from .tool_turns import unpaired
from .tools import Tool, wrong_tools

MAX_REQUEST_BYTES = 32_000_000
"""Largest request accepted, as JSON: what OpenAI and Anthropic take."""

MOST_BYTES_OF_A_SIGN = 4
"""In UTF-8."""

MOST_MESSAGES = 10_000
MOST_STOPS = 64
"""More than any provider takes but Anthropic."""
OLD_STOPS = 4
"""What wire version 2 reads."""

Tag = Annotated[str, Field(max_length=64, pattern=r"^[\w.:-]+$")]
Metadata = Annotated[dict[ShortText, Annotated[str, Field(max_length=512)]], Field(max_length=16)]
CachePolicy = Literal["auto", "use", "refresh", "bypass"]
CacheScope = Literal["user", "group", "fleet"]


class CompletionRequest(Parameters):
    """What a caller asks for. None means: the worker's setting decides."""

    messages: Annotated[tuple[Message, ...], Field(min_length=1, max_length=MOST_MESSAGES)]
    """The conversation, oldest turn first; given by position, as `user_id` is."""
    model: ShortText | None = None
    """A provider link ("openai:gpt-4o-mini"), a model of the provider chain, or an alias ("fast",
    "smart"). None: the whole chain.
    """
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    """How varied answers are. 0: as repeatable as the model can, and cached."""
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = None
    """Of the answer, its thoughts included. What it may cost at most is held from every limit."""
    stop: Annotated[tuple[ShortText, ...], Field(max_length=MOST_STOPS)] = ()
    """Texts at which the answer ends, without them. One text is taken, too."""
    response_format: ResponseFormat | None = None
    """{"type": "json_object"}, a JSON Schema in OpenAI's shape, or a pydantic model: the answer is
    checked by it, and is an object in `Completion.parsed`.
    """
    tools: Annotated[tuple[Tool, ...], Field(max_length=128)] = ()
    """Functions that the model may call, in OpenAI's shape (`Completion.tool_calls`)."""
    cache: CachePolicy = "auto"
    """auto: cached if deterministic and of one turn; use: also with several turns or tools;
    refresh: call and overwrite the cached answer; bypass: neither read nor written.
    """
    cache_namespace: Annotated[str, Field(max_length=64, pattern=r"^[\w.-]+$")] = "default"
    """Cached answers of one name: they share nothing with others, and are removed together."""
    cache_scope: CacheScope | None = None
    """With whom cached answers are shared: nobody else, the user's group, or all users. None: as
    the fleet does, and never with more than that.
    """
    semantic: Annotated[bool, Field(strict=True)] | None = None
    """Whether the answer of a question that means the same may be given, where the fleet does that.
    None: as the fleet does.
    """
    lane: Lane = "interactive"
    """batch: after the jobs of those who wait for an answer."""
    tags: Annotated[tuple[Tag, ...], Field(max_length=8)] = ()
    """What it is for: usage is grouped and cached answers are removed by tag. Identical requests
    with different tags may share an answer.
    """
    deadline_s: Annotated[float, Field(gt=0, le=7 * 86_400)] | None = None
    """Seconds from submission after which no answer is wanted any more."""
    metadata: Metadata = Field({})
    """Words of yours, sent to no provider. `trace_id`, `traceparent`: in the worker's records."""
    on_truncation: Literal["fail", "retry", "accept"] = "fail"
    """When the answer stops at max_tokens. fail: `Truncated` with the partial text; retry: once
    more with twice max_tokens; accept: returned with finish_reason "length".
    """
    on_refusal: Literal["fail", "next", "accept"] = "fail"
    """When a provider declines to answer, or blocks the prompt. fail: `Refused`; next: the next
    link that was not tried is asked, at its own cost; accept: `Completion.refusal` has the model's
    words, and only a prompt that is blocked without an answer is `Refused`.
    """
    defaults: Literal["workers", "provider"] = "workers"
    """What holds where it says no temperature or no max_tokens. workers: as they are set; provider:
    none is sent, and the model's own maximum, if that is known, bounds the cost.
    """
    avoid: Annotated[tuple[ShortText, ...], Field(max_length=16)] = ()
    """Provider links or providers that must not answer this request."""
    over_limit: Literal["fail", "wait"] = "fail"
    """When a limit of the user is used up. fail: refused; wait: parked until there is room, at most
    for `deadline_s`.
    """
    timeout_s: Annotated[float, Field(gt=0, le=600)] | None = None
    """Seconds of silence after which a call is given up. None: as the workers are set."""
    on_outage: Literal["wait", "fail"] | None = None
    """While every provider link that may answer is in trouble. wait: until one is itself again, at
    most as long as the job has; fail: `ProvidersExhausted` at once. None: as the workers are set.
    """
    fit: Literal["fail", "slide"] = "fail"
    """When the prompt is too long for every provider link. fail: `TooLong`; slide: sent without the
    oldest turns (`Completion.trimmed` says how many).
    """
    expect: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """A regular expression (Rust's dialect: no look-around, linear time) that the answer must match
    somewhere.
    """
    prompt_cache: Literal["auto", "on", "off"] = "auto"
    """Whether the provider caches the prompt's beginning. Matters where a request must ask for it
    (Anthropic: writing costs a quarter more). auto: for batch jobs whose system prompt and tools
    were those of another job just before.
    """
    document: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """SHA-256 of a stored text to answer about, in parts if it is long. Set by
    `producer.summarize`.
    """
    plan: bool = False
    """Only say in how many calls and at what cost the document would be read."""
    embedding: Embedding | None = None
    """Answer with a vector of each message's text. Set by `producer.embed`."""

    @field_validator("messages", mode="before")
    @classmethod
    def _as_written(cls, value: Any) -> Any:
        return echoes.read(value)

    @field_validator("expect")
    @classmethod
    def _regular(cls, value: str | None) -> str | None:
        if value is None:
            return value
        try:
            pattern(value)
        except SchemaError:
            raise ValueError(
                "no regular expression of Rust's dialect (no look-around, no back-references)"
            ) from None
        return value

    @field_validator("stop", mode="before")
    @classmethod
    def _one_stop(cls, value: Any) -> Any:
        if isinstance(value, str):
            return (value,)
        return value

    @model_validator(mode="after")
    def _cacheable(self) -> Self:
        if self.embedding and any(not isinstance(each.content, str) for each in self.messages):
            raise ValueError("embedding: every message needs a text as its content")
        if self.cache in ("use", "refresh") and self.temperature:
            raise ValueError(
                f"cache={self.cache!r} needs temperature=0: other answers are not repeatable"
            )
        return self

    @classmethod
    def checked(cls, **fields: Any) -> "CompletionRequest":
        """Build one, or raise `InvalidRequest` naming every wrong field but never a value."""
        return cls.written(fields)[0]

    @classmethod
    def written(
        cls, fields: dict[str, Any], most: int = MAX_REQUEST_BYTES
    ) -> tuple["CompletionRequest", str]:
        """As `checked`, with its JSON, which has at most so many bytes."""
        try:
            request = cls.model_validate(fields)
            request._refuse_unsafe()
            request._refuse_wrong_schemas()
            text = request.to_json()
            refuse_large(text, most)
        except ValidationError as error:
            raise InvalidRequest(*explained(error)) from None
        except (ValueError, TypeError, RecursionError):
            raise InvalidRequest(
                "request: it cannot be written as JSON. Fix: pass plain texts, finite numbers, "
                "lists and dicts with keys that are texts, nested less deeply"
            ) from None
        return request, text

    def _refuse_unsafe(self) -> None:
        """Only when a request is made: a stored one was checked by the rules of its time."""
        _refuse(*wrong_turn(self.messages))
        for place, text in self.parameter_texts():
            _refuse(place, problem(text))
        for provider, given in (self.provider_options or {}).items():
            _refuse(f"provider_options.{provider}", options_problem(given))

        _refuse(*unpaired(self.messages))

    def _refuse_wrong_schemas(self) -> None:
        """Only when a request is made, like `_refuse_unsafe`; they are bounded again when they are
        applied.
        """
        _refuse(*wrong_tools(self.tools))
        for place, schema in self.schemas():
            _refuse(place, schemas.problem(schema) or not_plain(schema))

    def schemas(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(place, JSON Schema) of everything in it that has one."""
        wanted = self.response_format
        if wanted and wanted.json_schema:
            yield "response_format.json_schema.schema", wanted.json_schema.schema_
        for number, tool in enumerate(self.tools):
            if tool.function.parameters is not None:
                yield f"tools[{number}].function.parameters", tool.function.parameters

    @property
    def sole_texts(self) -> list[str]:
        """Of a request for vectors: the text of each message."""
        return [message.content for message in self.messages if isinstance(message.content, str)]

    @property
    def wire(self) -> int:
        """The oldest wire version whose workers can read it (`WIRE_VERSION`)."""
        if self.embedding or self.said or len(self.stop) > OLD_STOPS:
            return 3
        if self.on_refusal == "accept" or self.semantic is not None:
            return 3
        if any(message.is_new for message in self.messages):
            return NEW_MESSAGES
        is_new = self.cache_scope is not None or self.defaults == "provider"
        return 2 if is_new else 1

    def to_json(self, include: set[str] | None = None) -> str:
        """`include`: the names of fields that may be in it; None: all."""
        return self.model_dump_json(include=include, exclude_defaults=True, by_alias=True)

    def fingerprint(self) -> str:
        """SHA-256 over the fields that shape the answer, in canonical order."""
        return hashlib.sha256(canonical(self.shaping()).encode()).hexdigest()

    def shaping(self) -> dict[str, Any]:
        """The fields that shape the answer, as JSON has them."""
        include = _SHAPING | (self.said & SHAPING)
        fields = self.model_dump(mode="json", include=include, by_alias=True)
        if self.defaults == "provider":
            fields["defaults"] = self.defaults
        if self.embedding:
            fields["embedding"] = self.embedding.model_dump()
        return fields


canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode
_SHAPING = {
    "messages",
    "model",
    "temperature",
    "max_tokens",
    "stop",
    "response_format",
    "tools",
    "avoid",
    "fit",
    "expect",
    "document",
    "plan",
}


def pattern(regex: str) -> TypeAdapter[str]:
    """Validates texts in which `regex` matches somewhere, in linear time.

    Raises `pydantic_core.SchemaError` for a wrong `regex`.
    """
    return TypeAdapter(Annotated[str, Field(pattern=regex)])


def refuse_large(text: str, most: int) -> None:
    if len(text) * MOST_BYTES_OF_A_SIGN <= most:
        return
    size = len(text.encode())
    if size > most:
        raise InvalidRequest(
            f"request: {size:,} bytes as JSON, at most {most:,} are accepted. "
            "Fix: shorten the messages or split the document.",
            {"fields": ["messages"]},
        )


def _refuse(place: str, reason: str) -> None:
    if reason:
        raise InvalidRequest(f"{place}: {reason}", {"fields": [place]})
