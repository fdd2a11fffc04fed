"""The parameters of a request in OpenAI's names. What becomes of each at every provider is in
`worker/providers/fates.py` and docs/requests.md.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from .content import Frozen, TextPart
from .echoes import is_silent
from .messages import ShortText
from .provider_options import contradictions
from .tools import ChosenTool, ToolChoice, ToolsAllowed

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
ServiceTier = Literal["auto", "default", "flex", "scale", "priority", "fast"]
Identifier = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line: it becomes a field that a provider shows to its staff."""
TokenId = Annotated[
    str,
    BeforeValidator(lambda given: str(given) if type(given) is int else given),
    Field(pattern=r"^\d{1,7}$"),
]
"""In Python also a number, as OpenAI's SDK takes it."""
ProviderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


def _no_flag(given: Any) -> Any:
    """True is no number, though Python has it as 1."""
    return str(given) if isinstance(given, bool) else given


Number = Annotated[float, BeforeValidator(_no_flag)]
Bias = Annotated[Number, Field(ge=-100, le=100)]
Penalty = Annotated[Number, Field(ge=-2, le=2)]
Flag = Annotated[bool, Field(strict=True)]

MOST_CHOICES = 128
"""OpenAI's limit of `n`."""
MOST_BIASES = 1024


class Prediction(Frozen):
    """What much of the answer will be: a file of which little is to change."""

    type: Literal["content"]
    content: str | tuple[TextPart, ...]

    def texts(self) -> tuple[str, ...]:
        if isinstance(self.content, str):
            return (self.content,)
        return tuple(part.text for part in self.content)


class Place(Frozen):
    city: ShortText | None = None
    country: Annotated[str, Field(pattern=r"^[A-Za-z]{2}$")] | None = None
    region: ShortText | None = None
    timezone: ShortText | None = None


class UserLocation(Frozen):
    type: Literal["approximate"] = "approximate"
    approximate: Place


class WebSearch(Frozen):
    """The model may search the web before it answers."""

    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: UserLocation | None = None


class Parameters(Frozen):
    """None: not said, so that the provider's own default holds."""

    tool_choice: ToolChoice | None = None
    """Whether a tool must be called, and which may be."""
    parallel_tool_calls: Flag | None = None
    """False: at most one tool is called in an answer."""
    reasoning_effort: Effort | None = None
    """How much the model thinks before it answers. Levels that a model does not have become its
    nearest one; "none" is refused where thinking cannot be turned off.
    """
    verbosity: Literal["low", "medium", "high"] | None = None
    """How much the model says."""
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    """Without a `temperature` none is sent beside it."""
    top_k: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = None
    """Only so many of the likeliest tokens are chosen from."""
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63, strict=True)] | None = None
    """The same seed and request give, where a provider can, the same answer."""
    presence_penalty: Penalty | None = None
    """Above 0: tokens that are in the text already are less likely."""
    frequency_penalty: Penalty | None = None
    """The same, by how often they are in it."""
    logit_bias: Annotated[dict[TokenId, Bias], Field(max_length=MOST_BIASES)] | None = None
    """Token id -> -100 (never) to 100 (only). Ids are those of one model's vocabulary."""
    logprobs: Flag | None = None
    """True: `Completion.logprobs` has how likely each token of the answer was."""
    top_logprobs: Annotated[int, Field(ge=0, le=20, strict=True)] | None = None
    """And so many tokens that could have been in its place."""
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES, strict=True)] | None = None
    """How many answers (`Completion.choices`). Each may cost as much as one alone."""
    service_tier: ServiceTier | None = None
    """default: the standard one; priority and fast cost more, flex less and takes longer."""
    user: Identifier | None = None
    """OpenAI's older name of `safety_identifier`."""
    safety_identifier: Identifier | None = None
    """Who asks, for the provider's watch over abuse. None: a hash of `user_id`, unless the
    operator sends none (`LLM_SEND_USER_HASH`).
    """
    prompt_cache_key: Identifier | None = None
    """Requests with the same key and beginning are sent to the same cache at OpenAI."""
    store: Literal[False] | None = None
    """False: the provider keeps nothing for its evaluations."""
    prediction: Prediction | None = None
    """{"type": "content", "content": "..."}: what much of the answer will be."""
    web_search_options: WebSearch | None = None
    """{}: the model may search the web before it answers (`Completion.citations`)."""
    provider_options: dict[ProviderName, dict[str, Any]] | None = None
    """Provider, as in LLM_CHAIN -> what goes to it as it is: fields of its SDK's call, or for
    Gemini of `GenerateContentConfig`. Lists of tools are added to the request's own.
    """
    drop_unsupported: bool = False
    """Whether a provider without a counterpart of a parameter may answer without it."""

    @model_validator(mode="before")
    @classmethod
    def _as_body(cls, fields: Any) -> Any:
        """Other names, and what a body says that changes nothing, are taken as what they mean."""
        if not isinstance(fields, dict):
            return fields
        given = dict(fields)
        for name in [name for name, value in fields.items() if value is None]:
            if name != "messages" and (name in cls.model_fields or name in _OTHER_NAMES):
                del given[name]
        _take_limit(given)
        _take_functions(given)
        for name, (says_nothing, reason) in _BODY.items():
            if name in given and not says_nothing(given.pop(name)):
                wrong(name, reason)
        if given.get("store") is True:
            wrong("store", "nothing is stored at the provider. Fix: leave it out")
        return given

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.top_logprobs is not None and not self.logprobs:
            wrong("top_logprobs", "goes with logprobs=True. Fix: add that or leave this out")
        self._check_tool_choice()
        self._check_provider_options()
        return self

    def _check_provider_options(self) -> None:
        if not self.provider_options:
            return
        fields = {*self.said, *(name for name in _FIELDS if getattr(self, name, None))}
        if {"user", "safety_identifier"} & fields:
            fields.add("user")
        for found in contradictions(self.provider_options, fields):
            place, _, reason = found.partition(": ")
            wrong(place, reason)

    def _check_tool_choice(self) -> None:
        names = [tool.function.name for tool in getattr(self, "tools", ())]
        chosen = self.tool_choice
        if chosen == "required" and not names and not self.provider_options:
            wrong("tool_choice", "no tool can be called without tools. Fix: add tools")
        if isinstance(chosen, ChosenTool) and chosen.function.name not in names:
            wrong("tool_choice.function.name", "is none of the tools. Fix: name one of tools")
        if isinstance(chosen, ToolsAllowed) and not chosen.names <= {*names}:
            wrong(
                "tool_choice.allowed_tools.tools",
                "one is none of the tools. Fix: name some of tools",
            )

    def parameter_texts(self) -> Iterator[tuple[str, str]]:
        """(place, text) of everything in them that a model or a provider's staff reads."""
        if self.prediction:
            for text in self.prediction.texts():
                yield "prediction.content", text
        for name in ("user", "safety_identifier", "prompt_cache_key"):
            if text := getattr(self, name):
                yield name, text

    @property
    def said(self) -> frozenset[str]:
        """The names of those that are said."""
        given = self.model_fields_set & _DEFAULTS.keys()
        return frozenset(name for name in given if getattr(self, name) is not _DEFAULTS[name])

    @property
    def wants_thinking(self) -> bool:
        return self.reasoning_effort not in (None, "none")

    @property
    def choices(self) -> int:
        return self.n or 1


_DEFAULTS = {name: field.default for name, field in Parameters.model_fields.items()}
_FIELDS = ("stop", "tools", "response_format", "temperature", "max_tokens")
"""Of `CompletionRequest`, which provider options may contradict."""
SHAPING = frozenset(Parameters.model_fields) - {
    "service_tier",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "store",
    "prediction",
}
"""The others say how the provider treats the call, and change no answer."""

_LIMIT = "max_completion_tokens"
_BODY: dict[str, tuple[Any, str]] = {
    "stream": (
        lambda value: value is False,
        "answers come as a whole here (jobs are waited for). Fix: leave it out",
    ),
    "stream_options": (lambda value: isinstance(value, dict), "must be an object"),
    "audio": (is_silent, "answers are text. Fix: leave it out"),
    "modalities": (
        lambda value: value in (["text"], ("text",)),
        "only text is answered. Fix: leave it out or pass ['text']",
    ),
}
"""What is no field: name -> (whether a value changes nothing, what is wrong with another one)."""


def _take_limit(given: dict[str, Any]) -> None:
    """`max_completion_tokens` is OpenAI's newer name of `max_tokens`."""
    if _LIMIT not in given:
        return
    limit = given.pop(_LIMIT)
    if given.setdefault("max_tokens", limit) != limit:
        wrong(_LIMIT, "means the same as max_tokens, and differs. Fix: pass one of them")


_OLDER = {"functions": "tools", "function_call": "tool_choice"}
"""OpenAI's names from before tools -> today's."""
_OTHER_NAMES = {*_BODY, *_OLDER, _LIMIT}


def _take_functions(given: dict[str, Any]) -> None:
    """`functions` are tools, and `function_call` is the choice of one."""
    for name, newer in _OLDER.items():
        if name in given and newer in given:
            wrong(name, f"is the older name of {newer}. Fix: pass {newer} alone")
    functions = given.pop("functions", None)
    if isinstance(functions, list | tuple):
        given["tools"] = [{"type": "function", "function": each} for each in functions]
    elif functions is not None:
        wrong("functions", "must be a list")
    call = given.pop("function_call", None)
    if isinstance(call, dict):
        call = {"type": "function", "function": call}
    if call is not None:
        given["tool_choice"] = call


def wrong(place: str, reason: str) -> NoReturn:
    """Raise what pydantic raises for a field, so that its place is told."""
    error = PydanticCustomError("value_error", "{reason}", {"reason": reason})
    details = InitErrorDetails(type=error, loc=tuple(place.split(".")), input=None)
    raise ValidationError.from_exception_data("CompletionRequest", [details])
