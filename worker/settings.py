"""The worker's settings: frozen slices, and the only reader of the environment. It knows variables, not what they do.

Each consumer takes its slice and nothing else, so a test writes `QuotaSettings(tokens_per_hour=1000)`.
Values come from the environment, then from files in `LLM_SECRETS_DIR` (one file per variable, as Docker
and Kubernetes mount them).
"""

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from producer.settings import ProducerSettings

Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Slice(BaseSettings):
    """One consumer's settings. Empty variables count as missing."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True, hide_input_in_errors=True
    )


class RedisSettings(ProducerSettings, Slice):
    """Where broker, result backend and ledger live, as for the producer. All that Flower and `inspect` need."""


class CallSettings(Slice):
    """What one provider call may do when the request does not say."""

    max_tokens: Positive = Field(2048, validation_alias="LLM_MAX_TOKENS")
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = Field(0.7, validation_alias="LLM_TEMPERATURE")
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
    """A text to answer with, marked degraded, when every provider failed and no stale answer exists."""


class QuotaSettings(Slice):
    """Limits; None or unset means none."""

    max_cost_per_request: Dollars | None = Field(0.10, validation_alias="LLM_MAX_COST_PER_REQUEST")
    tokens_per_hour: Positive | None = Field(100_000, validation_alias="LLM_USER_TOKENS_PER_HOUR")
    requests_per_minute: Positive | None = Field(None, validation_alias="LLM_USER_REQUESTS_PER_MINUTE")
    user_usd_per_day: Dollars | None = Field(None, validation_alias="LLM_USER_USD_PER_DAY")
    usd_per_day: Dollars | None = Field(None, validation_alias="LLM_USD_PER_DAY")


class CacheSettings(Slice):
    ttl_s: Annotated[int, Field(ge=0)] = Field(86_400, validation_alias="LLM_CACHE_TTL_SECONDS")
    """0 turns the cache off."""
    stale_s: Annotated[int, Field(ge=0)] = Field(7 * 86_400, validation_alias="LLM_CACHE_STALE_SECONDS")
    """How much longer a copy is kept to answer with when every provider fails."""
    version: Annotated[str, Field(pattern=r"^[\w.-]{1,32}$")] = Field("1", validation_alias="LLM_CACHE_VERSION")


class LedgerSettings(Slice):
    lease_s: Annotated[float, Field(ge=1)] = Field(10.0, validation_alias="LEDGER_LEASE_SECONDS")
    """A worker silent for this long has lost its jobs to the others."""
    deliveries: Positive = Field(5, validation_alias="LEDGER_MAX_DELIVERIES")
    """Starts of a job that may end in a crash before it counts as poison."""
    result_expires_s: Positive = Field(86_400, validation_alias="LLM_RESULT_EXPIRES_SECONDS")


class LogSettings(Slice):
    level: Annotated[str, Field(pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = Field("INFO", validation_alias="LLM_LOG_LEVEL")


Row = tuple[Decimal, Decimal]


class PricingSettings(Slice):
    """Operator prices in dollars per million tokens, input/output."""

    overrides: Annotated[dict[str, Row], NoDecode] = Field(default_factory=dict, validation_alias="LLM_PRICES")
    unknown: Annotated[Row, NoDecode] = Field((Decimal(50), Decimal(200)), validation_alias="LLM_UNKNOWN_PRICE")
    """The ceiling a model without a known price is reserved and booked at."""

    @field_validator("overrides", mode="before")
    @classmethod
    def _rows(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        rows = (item.strip().partition("=") for item in value.split(",") if item.strip())
        return {name: _row(price) for name, _, price in rows}

    @field_validator("unknown", mode="before")
    @classmethod
    def _one_row(cls, value: Any) -> Any:
        return _row(value) if isinstance(value, str) else value


def _row(text: str) -> Row:
    try:
        dear, cheap = (Decimal(part) for part in text.split("/"))
    except (InvalidOperation, ValueError):
        raise ValueError("prices are written input/output in dollars per million tokens, for example 0.15/0.60") from None
    if not (dear.is_finite() and cheap.is_finite()) or min(dear, cheap) < 0:
        raise ValueError("prices must be finite and not negative")
    return dear, cheap


class LinkSettings(Slice):
    """An extra link, or one of the known providers. Variables: LLM_LINK_<NAME>_ADAPTER, _BASE_URL, _API_KEY, _OPTIONS."""

    adapter: str | None = None
    base_url: str | None = None
    api_key: SecretStr | None = None
    options: Annotated[dict[str, str], NoDecode] = {}
    """For the adapter, as "name=value;name=value"."""

    @field_validator("options", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return dict(item.strip().split("=", 1) for item in value.split(";") if item.strip())


class Link(BaseModel):
    """One step of the chain, in full."""

    model_config = ConfigDict(frozen=True)

    provider: str
    model: str
    adapter: str
    base_url: str | None = None
    api_key: SecretStr | None = None
    options: dict[str, str] = {}

    @property
    def name(self) -> str:
        return f"{self.provider}:{self.model}"


class ChainSettings(Slice):
    """The ordered links."""

    chain: Annotated[str, Field(min_length=3)] | None = Field(None, validation_alias="LLM_CHAIN")
    provider: str = Field("openai", validation_alias="LLM_PROVIDER")
    model: str = Field("gpt-4o-mini", validation_alias="LLM_MODEL")

    @property
    def names(self) -> list[tuple[str, str]]:
        """(provider, model) pairs, in order."""
        text = self.chain or f"{self.provider}:{self.model}"
        pairs = (item.strip().partition(":") for item in text.split(",") if item.strip())
        return [(provider, model) for provider, _, model in pairs]


class Problem(NamedTuple):
    """One thing wrong in the environment."""

    variable: str
    text: str

    def __str__(self) -> str:
        return self.text


class SettingsError(Exception):
    """Everything wrong at once; `problems` is never empty."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class Settings(NamedTuple):
    """All slices of a worker."""

    redis: RedisSettings
    call: CallSettings
    retry: RetrySettings
    quota: QuotaSettings
    cache: CacheSettings
    ledger: LedgerSettings
    log: LogSettings
    pricing: PricingSettings
    links: tuple[Link, ...]
    """The chain, in order."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises `SettingsError` with every problem found."""
        problems: list[Problem] = []
        slices = {
            name: _read(slice_, problems)
            for name, slice_ in cls.__annotations__.items()
            if isinstance(slice_, type) and issubclass(slice_, Slice)
        }
        chain = _read(ChainSettings, problems)
        links = _links(chain, problems) if chain else ()
        if problems:
            raise SettingsError(problems)
        return cls(**slices, links=links)  # type: ignore[arg-type]


def load_redis() -> RedisSettings:
    """The Redis slice alone. Raises `SettingsError`."""
    problems: list[Problem] = []
    settings = _read(RedisSettings, problems)
    if settings is None:
        raise SettingsError(problems)
    return settings


def _secrets_dir() -> Path | None:
    folder = os.environ.get("LLM_SECRETS_DIR")
    return Path(folder) if folder else None


S = TypeVar("S", bound=Slice)


def _read(slice_: type[S], problems: list[Problem], prefix: str = "") -> S | None:
    try:
        return slice_(_env_prefix=prefix, _secrets_dir=_secrets_dir())
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            variable = prefix + str(item["loc"][0]).upper() if prefix else str(item["loc"][0])
            problems.append(_invalid(variable, item["msg"].removeprefix("Value error, "), slice_))
        return None


def _invalid(variable: str, reason: str, slice_: type[Slice]) -> Problem:
    field = next((f for f in slice_.model_fields.values() if f.validation_alias == variable), None)
    example = field.get_default(call_default_factory=False) if field else None
    fix = f"export {variable}={example}" if example not in (None, "") else f"unset {variable} or give a valid value"
    return Problem(variable, f"Invalid env var: {variable}: {reason}. Fix: {fix}")


VENDORS = {"openai": "OPENAI_", "anthropic": "ANTHROPIC_", "gemini": "GOOGLE_"}
"""Providers that need a key -> the prefix of their own variables, <prefix>API_KEY and <prefix>BASE_URL."""


def _links(chain: ChainSettings, problems: list[Problem]) -> tuple[Link, ...]:
    links = []
    if not chain.names:
        problems.append(_bad_chain("names no link"))
    for position, (provider, model) in enumerate(chain.names, start=1):
        if not provider or not model:
            problems.append(_bad_chain(f"link {position} is not provider:model"))
        elif link := _link(position, provider, model, problems):
            links.append(link)
    return tuple(links)


def _bad_chain(reason: str) -> Problem:
    return Problem("LLM_CHAIN", f"Invalid env var: LLM_CHAIN: {reason}. Fix: export LLM_CHAIN=openai:gpt-4o-mini")


def _link(position: int, provider: str, model: str, problems: list[Problem]) -> Link | None:
    own = _read(LinkSettings, problems, f"LLM_LINK_{provider.upper().replace('-', '_')}_")
    if own is None:
        return None
    if provider in VENDORS:
        return _vendor(position, provider, model, own, problems)
    adapter = own.adapter or ("openai" if own.base_url else provider)
    return Link(provider=provider, model=model, adapter=adapter, base_url=own.base_url, api_key=own.api_key, options=own.options)


def _vendor(position: int, provider: str, model: str, own: LinkSettings, problems: list[Problem]) -> Link | None:
    settings = _read(LinkSettings, problems, VENDORS[provider])
    if settings is None:
        return None
    if settings.api_key is None:
        variable = f"{VENDORS[provider]}API_KEY"
        missing = f"Missing required env var: {variable} (link {position}, {provider}, needs it)"
        problems.append(Problem(variable, f"{missing}. Fix: export {variable}=..."))
    keys = {"base_url": settings.base_url, "api_key": settings.api_key}
    return Link(provider=provider, model=model, adapter=provider, options=own.options, **keys)
