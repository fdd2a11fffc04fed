"""The slices of the settings of jobs: limits, lanes, cache, ledger and the like."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from pydantic_settings import NoDecode, SettingsConfigDict

from producer.contract.requests import CacheScope
from producer.redis_url import RedisUrl
from producer.settings import ProducerSettings

from ..model_catalog import Models
from .base import (
    MOST,
    Days,
    Dollars,
    Lifetime,
    LifetimeOrNone,
    Positive,
    Seconds,
    Slice,
    Tokens,
    pairs,
    variable,
    written_as,
)
from .links import Link

DAY_S = 86_400


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError("no time zone of that name. Fix: one such as Europe/Berlin") from None
    return name


class RedisSettings(Slice, ProducerSettings):
    """Where broker, result backend and ledger are, as for the producer.

    All that Flower, `inspect` and operations commands need.
    """

    model_config = SettingsConfigDict(enable_decoding=False)  # the producer's have no JSON

    adopt_foreign_messages: bool | None = variable("LLM_ADOPT_FOREIGN_MESSAGES", None)
    """Whether a broker's message with arguments, of a plain Celery client, becomes a job.

    None: only while broker and ledger are one server, so that who writes the one has the other.
    """

    @property
    def adopts(self) -> bool:
        if self.adopt_foreign_messages is not None:
            return self.adopt_foreign_messages
        return RedisUrl.parse(self.broker).address == RedisUrl.parse(self.ledger).address


class CallSettings(Slice):
    """One provider call, where the request does not say."""

    max_tokens: Tokens = variable("LLM_MAX_TOKENS", 3072)
    """A few thousand tokens of thinking have room in it; an answer of the dearest common models is
    still within the default limit of a request's cost.
    """
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = variable(
        "LLM_TEMPERATURE", 0.7
    )
    timeout_s: Seconds = variable("LLM_TIMEOUT_SECONDS", 30.0)
    """Of silence; how long a call may last in all grows with `max_tokens`."""
    stop_s: Seconds | None = variable("LLM_STOP_SECONDS", None)
    """How long a worker that is told to stop goes on with its calls; None: as long as they take."""
    sends_user_hash: bool = variable("LLM_SEND_USER_HASH", True)
    """Whether providers are told a hash of the user's id, for their watch over abuse."""


class RetrySettings(Slice):
    """How long and how often a job tries."""

    deadline_s: Seconds = variable("LLM_DEADLINE_SECONDS", 300.0)
    """From a job's first start to its end; a request's own deadline counts from its submission."""
    max_attempts: Positive = variable("LLM_MAX_ATTEMPTS", 6)
    backoff_s: Seconds = variable("LLM_BACKOFF_SECONDS", 1.0)
    backoff_max_s: Seconds = variable("LLM_BACKOFF_MAX_SECONDS", 30.0)
    cooldown_s: Seconds = variable("LLM_COOLDOWN_SECONDS", 5.0)
    """How long the whole fleet leaves a failing provider link alone at first; twice as long each
    time that it still fails, up to a minute.
    """
    retry_after_max_s: Seconds = variable("LLM_RETRY_AFTER_MAX_SECONDS", 120.0)
    """For no longer than this a link is left alone because its provider asks for it; then it is
    tried.
    """
    on_outage: Literal["wait", "fail"] = variable("LLM_ON_OUTAGE", "wait")
    """What a job does while every link that it may use is in trouble, unless it says so itself."""
    structured_retries: Annotated[int, Field(ge=0, le=10)] = variable("LLM_STRUCTURED_RETRIES", 1)
    """How often an answer that is not the JSON which was asked for is asked for again, with what
    was wrong.
    """
    static_fallback: str | None = variable("LLM_STATIC_FALLBACK", None)
    """A text to answer with, marked degraded, when every provider failed and no stale answer
    exists.
    """


class QuotaSettings(Slice):
    """Limits; None or unset means none."""

    max_cost_per_request: Dollars | None = variable("LLM_MAX_COST_PER_REQUEST", 0.10)
    max_possibly_billed_per_job: Dollars | None = variable("LLM_MAX_POSSIBLY_BILLED_PER_JOB", 1.0)
    """The operator's risk: of calls that gave no bill, all attempts of a job together."""
    tokens_per_hour: Positive | None = variable("LLM_USER_TOKENS_PER_HOUR", 100_000)
    requests_per_minute: Positive | None = variable("LLM_USER_REQUESTS_PER_MINUTE", None)
    user_usd_per_day: Dollars | None = variable("LLM_USER_USD_PER_DAY", None)
    user_usd_per_week: Dollars | None = variable("LLM_USER_USD_PER_WEEK", None)
    user_usd_per_month: Dollars | None = variable("LLM_USER_USD_PER_MONTH", None)
    usd_per_day: Dollars | None = variable("LLM_USD_PER_DAY", None)
    usd_per_week: Dollars | None = variable("LLM_USD_PER_WEEK", None)
    usd_per_month: Dollars | None = variable("LLM_USD_PER_MONTH", None)
    zone: Annotated[str, AfterValidator(_known_zone)] = variable("LLM_BUDGET_ZONE", "UTC")
    """Whose calendar days, weeks (from Monday) and months count."""


class CacheSettings(Slice):
    """The response cache."""

    ttl_s: LifetimeOrNone = variable("LLM_CACHE_TTL_SECONDS", DAY_S)
    """0 turns the cache off."""
    stale_s: LifetimeOrNone = variable("LLM_CACHE_STALE_SECONDS", 7 * DAY_S)
    """How much longer a copy is kept to answer with when every provider fails."""
    fallback_s: LifetimeOrNone = variable("LLM_CACHE_FALLBACK_SECONDS", 10)
    """Life of an answer that another link than the first one gave: as long as that is left alone
    after a failure.
    """
    version: Annotated[str, Field(max_length=32, pattern=r"^[\w.-]+$")] = variable(
        "LLM_CACHE_VERSION", "1"
    )
    scope: CacheScope = variable("LLM_CACHE_SCOPE", "fleet")
    """With whom at most an answer is shared, and a call in flight."""


class LedgerSettings(Slice):
    """Leases, and how long records are kept."""

    lease_s: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = variable(
        "LEDGER_LEASE_SECONDS", 10.0
    )
    """A worker silent for this long has lost its jobs to the others."""
    deliveries: Positive = variable("LEDGER_MAX_DELIVERIES", 5)
    """Starts of a job that may end in a crash before it counts as poison. If its worker dies during
    a call, that counts as an attempt instead.
    """
    result_expires_s: Lifetime = variable("LLM_RESULT_EXPIRES_SECONDS", DAY_S)
    on_unknown: Literal["retry", "fail"] = variable("LEDGER_ON_UNKNOWN", "retry")
    """After a death with the call on the wire: run the job again, or end it as `OutcomeUnknown`.
    The hold stays booked.
    """
    dead_letter_s: LifetimeOrNone = variable("LEDGER_DEAD_LETTER_SECONDS", 7 * DAY_S)
    """How long failed jobs are kept with their request, to be looked at and replayed; 0: not at
    all.
    """
    usage_days: Days = variable("LLM_USAGE_DAYS", 400)
    """How long daily sums of usage are kept."""

    @property
    def usage_ms(self) -> int:
        return self.usage_days * DAY_S * 1000


class LaneSettings(Slice):
    """Who is served next. Weights and caps of single users: `completions limits`."""

    batch_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = variable(
        "LLM_BATCH_SHARE", 0.1
    )
    """Of all releases, while both lanes wait."""
    user_in_flight: Annotated[int, Field(ge=1, le=10**9)] | None = variable(
        "LLM_USER_MAX_IN_FLIGHT", None
    )


class Pace(NamedTuple):
    """What the whole fleet may send to a provider link; None: as the provider says itself."""

    requests: int | None = None
    """Per minute."""
    tokens: int | None = None
    """Per minute."""
    calls: int | None = None
    """At once."""


def _paces(text: str) -> dict[str, Pace]:
    return {name: _pace(row) for name, row in pairs(text, ",").items()}


def _pace(text: str) -> Pace:
    parts = text.split("/")
    valid = all(part == "-" or (part.isdecimal() and 0 < int(part) <= MOST) for part in parts)
    if not valid or len(parts) > len(Pace._fields):
        raise ValueError(
            "write requests per minute/tokens per minute/calls at once, - for none, "
            "for example 600/100000/-"
        )
    return Pace(*(None if part == "-" else int(part) for part in parts))


class PaceSettings(Slice):
    """The fleet's own limits per provider link.

    For providers that do not state theirs with every answer, or to stay below those.
    """

    limits: Annotated[dict[str, Pace], NoDecode, written_as(_paces)] = Field(
        default_factory=dict, validation_alias="LLM_PACE"
    )
    """By provider or by provider link."""

    def of(self, link: Link) -> Pace:
        """The link's own row, or its provider's."""
        return self.limits.get(link.name) or self.limits.get(link.provider) or Pace()


class SummarySettings(Slice):
    """How documents are read that are too long for one call."""

    part_tokens: Annotated[int, Field(ge=200, le=1_000_000)] = variable(
        "LLM_DOCUMENT_PART_TOKENS", 16_000
    )
    """The most that one call reads; a shorter document takes one call."""
    condensed_tokens: Annotated[int, Field(ge=50, le=1_000_000)] = variable(
        "LLM_DOCUMENT_CONDENSED_TOKENS", 800
    )
    """What a part is condensed to at most."""
    answer_tokens: Tokens = variable("LLM_DOCUMENT_ANSWER_TOKENS", 1024)
    """Of the final answer, when the caller does not say."""
    overlap: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = variable(
        "LLM_DOCUMENT_OVERLAP", 0.03
    )
    """How much of a part is repeated at the beginning of the next."""


Action = Literal["flag", "fail", "retry", "off"]

DEFAULT_FILTERS: dict[str, Action] = {
    "secrets": "flag",
    "system_prompt": "flag",
    "schema": "flag",
    "pattern": "fail",
}


class FilterSettings(Slice):
    """What is looked for in answers, and what then happens."""

    output: Annotated[
        dict[str, Action], NoDecode, written_as(lambda text: DEFAULT_FILTERS | pairs(text, ","))
    ] = variable("LLM_OUTPUT_FILTERS", DEFAULT_FILTERS)
    """Filter -> action: one of those in `worker.output_filters`, or "package.module:function"."""

    @property
    def looked_for(self) -> tuple[str, ...]:
        """Filters that are on, whatever they do then: what they find is not cached."""
        return tuple(sorted(name for name, action in self.output.items() if action != "off"))


def _readable(file: Path | None) -> Path | None:
    Models.load(file)
    return file


class ModelSettings(Slice):
    """What is known of models, and which of them answer batch jobs."""

    file: Annotated[Path | None, AfterValidator(_readable)] = variable("LLM_MODELS_FILE", None)
    batch: Annotated[str, Field(min_length=1)] = variable("LLM_BATCH_MODEL", "chain")
    """The `model` of a batch job that names none: an alias, a provider link, a model, or "chain"
    for the chain as it is.
    """

    @cached_property
    def known(self) -> Models:
        """The data, from the package and the file."""
        return Models.load(self.file)
