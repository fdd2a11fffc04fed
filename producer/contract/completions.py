"""`Completion`: the answer to a request, and the tokens it took."""

import json
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from .chat_completion import chat_completion, choice
from .citations import Citation
from .content import Frozen, unset
from .kept import Kept
from .messages import Message, ToolCall
from .parameters import ServiceTier

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal"]
CostBasis = Literal["stated", "estimated", "unknown"]


class Usage(Frozen):
    """Tokens of one or more calls."""

    model_config = ConfigDict(extra="ignore")

    input: int = 0
    """All tokens of the prompt, also `cached` and `cache_written`."""
    output: int = 0
    """All tokens of the answer, also `reasoning`."""
    cached: int = 0
    """Read from the provider's cache."""
    cache_written: int = 0
    """Written into the provider's cache."""
    cache_written_1h: int = 0
    """Of `cache_written`: to be kept for an hour, which costs more (Anthropic)."""
    reasoning: int = 0
    """Of `output`: thoughts."""
    searches: int = 0
    """Of the web, by the provider; they cost extra."""
    estimated: bool = False
    """Counted by the worker, because the provider told none, or zeros beside an answer."""

    def to_openai(self) -> dict[str, int | dict[str, int]]:
        return {
            "prompt_tokens": self.input,
            "completion_tokens": self.output,
            "total_tokens": self.input + self.output,
            "prompt_tokens_details": {"cached_tokens": self.cached},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning},
        }


class Alternative(Frozen):
    """A token that could have been written, with the natural logarithm of its probability."""

    model_config = ConfigDict(extra="ignore")

    token: str = Field(repr=False)
    logprob: float

    def to_openai(self) -> dict[str, Any]:
        return {
            "token": self.token,
            "logprob": self.logprob,
            "bytes": list(self.token.encode()),
        }


class TokenLogprob(Alternative):
    """A token of the answer. `top`: the likeliest ones in its place."""

    top: tuple[Alternative, ...] = ()

    def to_openai(self) -> dict[str, Any]:
        return super().to_openai() | {"top_logprobs": [each.to_openai() for each in self.top]}


class Choice(Frozen):
    """One of several answers (`n`). A choice may be empty."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(repr=False)
    tool_calls: tuple[ToolCall, ...] = Field((), repr=False)
    finish_reason: FinishReason
    logprobs: tuple[TokenLogprob, ...] = Field((), repr=False)

    def to_openai(self, number: int, beside: dict[str, Any]) -> dict[str, Any]:
        """`beside`: what else its message has. OpenAI's finish reasons have no refusal: words make
        it one.
        """
        text = None if self.tool_calls and not self.text else self.text
        said: dict[str, Any] = {"content": text, "refusal": None}
        finish: str = self.finish_reason
        if finish == "refusal":
            said = {"content": None, "refusal": self.text or None}
            finish = "stop" if self.text else "content_filter"
        if self.tool_calls:
            said["tool_calls"] = [call.model_dump(mode="json") for call in self.tool_calls]
        told = [token.to_openai() for token in self.logprobs]
        return choice(number, said | beside, finish, told)


class Vectors(Frozen):
    """As they are stored; `Embeddings` has them for callers."""

    dimensions: Annotated[int, Field(ge=1)]
    data: str = Field(repr=False)
    """Base64 of little-endian 32-bit floats, one vector behind the other."""


class Completion(Frozen):
    """An answer. Its repr shows no text, because reprs end up in logs and in Flower.

    Fields of a newer worker's completion that are not known here are dropped.
    """

    model_config = ConfigDict(extra="ignore")

    text: str = Field(repr=False)
    """The answer; "" beside `tool_calls`, `vectors` or a `refusal`."""
    tool_calls: tuple[ToolCall, ...] = Field((), repr=False)
    """The functions that the model calls: `id`, `function.name`, `function.arguments` (JSON)."""
    refusal: str = Field("", repr=False)
    """The words with which the model declined, with finish_reason "refusal" and no text. Only of a
    request with `on_refusal="accept"`; any other ends with `Refused`.
    """
    vectors: Vectors | None = Field(None, repr=False, exclude_if=unset)
    """Of a job of `embed`, whose `text` is empty."""
    reasoning: str = Field("", repr=False)
    """What the model thought, where the provider tells it; often a summary."""
    citations: tuple[Citation, ...] = Field((), repr=False)
    """The sources that the model names."""
    kept: Kept | None = Field(None, repr=False)
    """What the provider wants back with the next request; `message` has it, too."""
    finish_reason: FinishReason
    """Why it ends where it ends."""
    model: str
    """That answered, as its provider calls it."""
    provider: str
    """Of the link that answered."""
    usage: Usage
    """Tokens of the call that answered; 0 for a cached answer."""
    cost_usd: float
    """Dollars spent on answered calls, all attempts of the job together; 0 for a cached answer."""
    maybe_billed_usd: float = 0.0
    """Dollars that may have been spent beside them: the worst cases of calls whose cost is not
    known, all attempts of the job together.
    """
    cost_basis: CostBasis = "stated"
    """How the cost of the call that answered is known. stated: by what the provider told;
    estimated: by the worker's own count of tokens, or at the ceiling for models without a known
    price; unknown: not at all, so that it is in `maybe_billed_usd`.
    """
    provider_cost_usd: float | None = None
    """Dollars that the provider says it charged for the call that answered, where it says so."""
    service_tier: str = ""
    """The provider's service tier that answered ("flex", "priority"); "" for the standard one."""
    cached: bool | Literal["semantic"] = False
    """Answered from the worker's cache, without a call. semantic: with the answer of another
    question that means the same.
    """
    similarity: float | None = Field(None, exclude_if=unset)
    """Of that question and the one asked, where `cached` is "semantic": cosine, 1 = the same."""
    degraded: Literal["stale", "static"] | None = None
    """stale: an expired cached answer; static: the configured text. Both only when calls failed."""
    age_s: float | None = None
    """Seconds since a cached answer was made."""
    flags: tuple[str, ...] = ()
    """What is odd about it: "finish: ...", "tool_calls: ...", "usage: ...", "max_tokens: ...",
    "model: ...", or an output filter with the action "flag" and what it found.
    """
    logprobs: tuple[TokenLogprob, ...] = Field((), repr=False)
    """Of the tokens of `text`, if the request asked for them."""
    choices: tuple[Choice, ...] = Field((), repr=False)
    """All answers, if `n` of them were asked for; the first one is `text`, too. One of them may be
    a refusal.
    """
    validated: bool = False
    """Whether `text` is the JSON that the request's `response_format` asks for (`parsed`)."""
    trimmed: int = 0
    """How many of the oldest messages were left out to fit (`fit="slide"`)."""
    attempts: int
    """Calls to providers, failed ones included."""
    latency_ms: int
    """Duration of the call that answered."""
    request_id: str
    """The job's id."""

    _model: type[BaseModel] | None = PrivateAttr(None)

    @classmethod
    def fake(cls, text: str = "", **fields: Any) -> Self:
        """An answer for tests, whose other fields are what they are unless `fields` say so.

        Raises pydantic's `ValidationError` for what is no field's value.
        """
        plain = {"finish_reason": "stop", "model": "fake", "provider": "fake", "usage": Usage()}
        told = {"cost_usd": 0.0, "attempts": 1, "latency_ms": 0, "request_id": "fake"}
        unknown = fields.keys() - cls.model_fields.keys()
        if unknown:
            raise TypeError(f"{min(unknown)} is no field of Completion")
        return cls.model_validate(plain | told | {"text": text} | fields)

    @property
    def parsed(self) -> Any:
        """The answer as an object; None if it is not `validated`. Of a job that was submitted here
        with a pydantic model, an instance of that; it raises pydantic's `ValidationError` if the
        model asks for more than its JSON Schema says.
        """
        if not self.validated:
            return None
        if self._model is not None:
            return self._model.model_validate_json(self.text)
        return json.loads(self.text)

    def parsed_as(self, model: type[BaseModel] | None) -> Self:
        """The same, whose `parsed` is an instance of `model`."""
        told = self.model_copy()
        told._model = model
        return told

    @property
    def message(self) -> Message:
        """The assistant's turn, to be appended to the messages of the next request."""
        return Message(
            role="assistant",
            content=self.text or None,
            tool_calls=self.tool_calls or None,
            refusal=self.refusal or None,
            kept=self.kept,
        )

    def to_openai(self, created_s: int = 0) -> dict[str, Any]:
        """The answer as OpenAI's chat completion, which its SDK reads.

        `created_s`: Unix time. A service tier that OpenAI does not have is left out. Beside what
        OpenAI has, a message may have `reasoning_content` and `kept`; it can be sent back as it is.
        """
        return chat_completion(
            self.request_id,
            created_s,
            self.model,
            self.usage.to_openai(),
            [each.to_openai(number, said) for number, (each, said) in enumerate(self._choices())],
            self.service_tier if self.service_tier in get_args(ServiceTier) else "",
        )

    def _choices(self) -> list[tuple[Choice, dict[str, Any]]]:
        """Each with what its message has beside its text."""
        if self.choices:
            return [(each, {}) for each in self.choices]
        beside: dict[str, Any] = {}
        if annotations := [found for each in self.citations if (found := each.to_openai())]:
            beside["annotations"] = annotations
        if self.reasoning:
            beside["reasoning_content"] = self.reasoning
        if self.kept:
            beside["kept"] = self.kept.model_dump(mode="json", exclude_defaults=True)
        first = Choice(
            text=self.refusal or self.text,
            tool_calls=self.tool_calls,
            finish_reason=self.finish_reason,
            logprobs=self.logprobs,
        )
        return [(first, beside)]

    def _repr_markdown_(self) -> str:
        """For notebooks, which show the answer; logs have the repr, without it."""
        said = self.text or self.refusal
        for call in self.tool_calls:
            said += f"\n\n`{call.function.name}({call.function.arguments})`"
        return f"{said.strip()}\n\n*{self.provider}:{self.model}, ${self.cost_usd:.6f}*"

    def __json__(self) -> dict[str, Any]:
        """How kombu's JSON serializer writes a task's result."""
        return self.model_dump(mode="json")
