"""What every slice of the settings is, and how a problem with one is reported."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from producer import settings

_SERVERS = tuple(
    f"{vendor}_{name}"
    for vendor in ("openai", "anthropic", "google")
    for name in ("api_key", "base_url")
)
OUR_PREFIXES = ("llm_", "ledger_", "redis_", "celery_", *_SERVERS)
"""How our variables begin. What else is in a folder, a project or a vault is left alone."""

MOST = 2**53 - 1
"""The ledger's functions count in Lua's numbers, which are exact up to here."""
TEN_YEARS_S = 315_360_000
"""The longest time that the ledger's functions take; a longer one would refuse each heartbeat."""

Positive = Annotated[int, Field(ge=1, le=MOST)]
Seconds = Annotated[float, Field(gt=0, le=TEN_YEARS_S, allow_inf_nan=False)]
Lifetime = Annotated[int, Field(ge=1, le=TEN_YEARS_S)]
"""In whole seconds."""
LifetimeOrNone = Annotated[int, Field(ge=0, le=TEN_YEARS_S)]
Days = Annotated[int, Field(ge=1, le=TEN_YEARS_S // 86_400)]
Dollars = Annotated[float, Field(ge=0, le=MOST // 1_000_000, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=1, le=1_000_000)]
"""Of an answer: as many as a request may ask for."""
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class Slice(BaseSettings):
    """The settings of one consumer.

    It holds the values it is given; `sources.py` reads the variables. Empty ones count as missing.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class Problem(NamedTuple):
    """One thing wrong in the environment."""

    variable: str
    text: str

    def __str__(self) -> str:
        return self.text


class SettingsError(settings.SettingsError):
    """Everything wrong at once; `problems` is never empty."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def invalid(variable: str, reason: str, fix: str) -> Problem:
    """A variable whose value is wrong."""
    return Problem(variable, f"Invalid env var: {variable}: {reason}. Fix: {fix}")


def variable(name: str, default: Any) -> Any:
    """A field of a slice: read from the environment variable `name`, else `default`."""
    return Field(default, validation_alias=name)


def written_as(parse: Callable[[str], Any]) -> BeforeValidator:
    """For a field whose variable holds text that `parse` makes a value of."""

    def validate(value: Any) -> Any:
        if isinstance(value, str):
            return parse(value)
        return value

    return BeforeValidator(validate)


def pairs(text: str, separator: str) -> dict[str, str]:
    """From "name=value,name=value". Raises `ValueError`."""
    items = [item.strip().partition("=") for item in text.split(separator) if item.strip()]
    if any(not equals for _, equals, _ in items):
        raise ValueError(f'write it as "name=value{separator}name=value"')
    return {name: value for name, _, value in items}
