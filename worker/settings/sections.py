"""The slices: what each consumer may be told. They know variables, not what they do."""

from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from producer.settings import ProducerSettings

from ..model_catalog import Models
from .base import Slice, pairs
from .links import Link

Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class RedisSettings(Slice, ProducerSettings):
    """Where broker, result backend and ledger live, as for the producer. All that Flower and
    `inspect` need.
    """


class CallSettings(Slice):
    """What one provider call may do when the request does not say."""

    max_tokens: Positive = Field(2048, validation_alias="LLM_MAX_TOKENS")
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = Field(
        0.7, validation_alias="LLM_TEMPERATURE"
    )
    timeout_s: Seconds = Field(30.0, validation_alias="LLM_TIMEOUT_SECONDS")


class RetrySettings(Slice):
    """How long and how often a job tries."""

    deadline_s: Seconds = Field(300.0, validation_alias="LLM_DEADLINE_SECONDS")
    """From a job's first start to its end; the request's own deadline counts from its submission."""
    max_attempts: Positive = Field(6, validation_alias="LLM_MAX_ATTEMPTS")
    backoff_s: Seconds = Field(1.0, validation_alias="LLM_BACKOFF_SECONDS")
    backoff_max_s: Seconds = Field(30.0, validation_alias="LLM_BACKOFF_MAX_SECONDS")
    cooldown_s: Seconds = Field(10.0, validation_alias="LLM_COOLDOWN_SECONDS")
    """How long a failing link is left alone by the whole fleet when it does not say itself."""
    static_fallback: str | None = Field(None, validation_alias="LLM_STATIC_FALLBACK")
    """A text to answer with, marked degraded, when every provider failed and no stale answer
    exists.
    """


class QuotaSettings(Slice):
    """Limits; None or unset means none."""

    max_cost_per_request: Dollars | None = Field(0.10, validation_alias="LLM_MAX_COST_PER_REQUEST")
    tokens_per_hour: Positive | None = Field(100_000, validation_alias="LLM_USER_TOKENS_PER_HOUR")
    requests_per_minute: Positive | None = Field(
        None, validation_alias="LLM_USER_REQUESTS_PER_MINUTE"
    )
    user_usd_per_day: Dollars | None = Field(None, validation_alias="LLM_USER_USD_PER_DAY")
    usd_per_day: Dollars | None = Field(None, validation_alias="LLM_USD_PER_DAY")


class CacheSettings(Slice):
    ttl_s: Annotated[int, Field(ge=0)] = Field(86_400, validation_alias="LLM_CACHE_TTL_SECONDS")
    """0 turns the cache off."""
    stale_s: Annotated[int, Field(ge=0)] = Field(
        7 * 86_400, validation_alias="LLM_CACHE_STALE_SECONDS"
    )
    """How much longer a copy is kept to answer with when every provider fails."""
    version: Annotated[str, Field(pattern=r"^[\w.-]{1,32}$")] = Field(
        "1", validation_alias="LLM_CACHE_VERSION"
    )


class LedgerSettings(Slice):
    lease_s: Annotated[float, Field(ge=1)] = Field(10.0, validation_alias="LEDGER_LEASE_SECONDS")
    """A worker silent for this long has lost its jobs to the others."""
    deliveries: Positive = Field(5, validation_alias="LEDGER_MAX_DELIVERIES")
    """Starts of a job that may end in a crash before it counts as poison."""
    result_expires_s: Positive = Field(86_400, validation_alias="LLM_RESULT_EXPIRES_SECONDS")
    on_unknown: Literal["retry", "fail"] = Field("retry", validation_alias="LEDGER_ON_UNKNOWN")
    """After a death with the call on the wire: run the job again, or end it as `OutcomeUnknown`.
    The hold stays booked.
    """
    dead_letter_s: Annotated[int, Field(ge=0)] = Field(
        7 * 86_400, validation_alias="LEDGER_DEAD_LETTER_SECONDS"
    )
    """How long failed jobs are kept with their request, to be looked at and replayed; 0: not at
    all.
    """
    usage_days: Positive = Field(400, validation_alias="LLM_USAGE_DAYS")
    """How long daily sums of usage are kept."""


class LaneSettings(Slice):
    """Who is served next. Weights and caps of single users: `completions limits`."""

    batch_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.1, validation_alias="LLM_BATCH_SHARE"
    )
    """Of all releases, while both lanes wait."""
    user_in_flight: Positive | None = Field(None, validation_alias="LLM_USER_MAX_IN_FLIGHT")


class Pace(NamedTuple):
    """What a link may be sent by the whole fleet: requests and tokens per minute, calls at once;
    None: as it tells itself.
    """

    requests: int | None = None
    tokens: int | None = None
    calls: int | None = None


class PaceSettings(Slice):
    """Providers' limits, where they are not told with every answer or are to be kept below."""

    limits: Annotated[dict[str, Pace], NoDecode] = Field(
        default_factory=dict, validation_alias="LLM_PACE"
    )
    """By provider or by link."""

    @field_validator("limits", mode="before")
    @classmethod
    def _rows(cls, value: Any) -> Any:
        return (
            {name: _pace(text) for name, text in pairs(value, ",")}
            if isinstance(value, str)
            else value
        )

    def of(self, link: Link) -> Pace:
        """The link's own row, or its provider's."""
        return self.limits.get(link.name) or self.limits.get(link.provider) or Pace()


def _pace(text: str) -> Pace:
    parts = text.split("/")
    if len(parts) > 3 or any(
        part != "-" and not (part.isdecimal() and int(part) > 0) for part in parts
    ):
        raise ValueError(
            "write requests per minute/tokens per minute/calls at once, - for none, for example 600/100000/-"
        )
    return Pace(*(None if part == "-" else int(part) for part in parts))


class SummarySettings(Slice):
    """How documents are read that are too long for one call."""

    part_tokens: Annotated[int, Field(ge=200)] = Field(
        16_000, validation_alias="LLM_DOCUMENT_PART_TOKENS"
    )
    """The most that one call reads; a shorter document takes one call."""
    condensed_tokens: Annotated[int, Field(ge=50)] = Field(
        800, validation_alias="LLM_DOCUMENT_CONDENSED_TOKENS"
    )
    """What a part is condensed to at most."""
    answer_tokens: Positive = Field(1024, validation_alias="LLM_DOCUMENT_ANSWER_TOKENS")
    """Of the final answer, when the caller does not say."""
    overlap: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = Field(
        0.03, validation_alias="LLM_DOCUMENT_OVERLAP"
    )
    """How much of a part is repeated at the beginning of the next."""


class FilterSettings(Slice):
    """What is looked for in answers, and what then happens."""

    output: Annotated[dict[str, Literal["flag", "fail", "retry", "off"]], NoDecode] = Field(
        {"secrets": "flag", "system_prompt": "flag", "schema": "flag", "pattern": "fail"},
        validation_alias="LLM_OUTPUT_FILTERS",
    )
    """Filter -> action: one of those in `worker.output_filters`, or "package.module:function"."""

    @field_validator("output", mode="before")
    @classmethod
    def _added(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return cls.model_fields["output"].default | dict(pairs(value, ","))


Row = tuple[Decimal, Decimal]


class PricingSettings(Slice):
    """Operator prices in dollars per million tokens, input/output."""

    overrides: Annotated[dict[str, Row], NoDecode] = Field(
        default_factory=dict, validation_alias="LLM_PRICES"
    )
    unknown: Annotated[Row, NoDecode] = Field(
        (Decimal(50), Decimal(200)), validation_alias="LLM_UNKNOWN_PRICE"
    )
    """The ceiling a model without a known price is reserved and booked at."""

    @field_validator("overrides", mode="before")
    @classmethod
    def _rows(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return {name: _row(price) for name, price in pairs(value, ",")}

    @field_validator("unknown", mode="before")
    @classmethod
    def _one_row(cls, value: Any) -> Any:
        return _row(value) if isinstance(value, str) else value


def _row(text: str) -> Row:
    try:
        dear, cheap = (Decimal(part) for part in text.split("/"))
    except (InvalidOperation, ValueError):
        raise ValueError(
            "prices are written input/output in dollars per million tokens, for example 0.15/0.60"
        ) from None
    if not (dear.is_finite() and cheap.is_finite()) or min(dear, cheap) < 0:
        raise ValueError("prices must be finite and not negative")
    return dear, cheap


class ModelSettings(Slice):
    """What is known of models, and which answer batch jobs."""

    file: Path | None = Field(None, validation_alias="LLM_MODELS_FILE")
    batch: Annotated[str, Field(min_length=1)] = Field("fast", validation_alias="LLM_BATCH_MODEL")
    """The `model` of a batch job that names none: an alias, a link, a model, or "chain" for the
    chain as it is.
    """

    @cached_property
    def known(self) -> Models:
        """The data, from the package and the file."""
        return Models.load(self.file)

    @field_validator("file")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        Models.load(value)
        return value
