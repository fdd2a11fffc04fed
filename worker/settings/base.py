"""What every slice is, and how what is wrong with one is told."""

from typing import NamedTuple

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from producer import settings


class Slice(BaseSettings):
    """One consumer's settings. Holds what it is given: who reads variables is `sources.py`. Empty
    ones count as missing.
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


def pairs(text: str, separator: str) -> list[tuple[str, str]]:
    """From "name=value,name=value"."""
    pairs = [item.strip().partition("=") for item in text.split(separator) if item.strip()]
    if any(not equals for _, equals, _ in pairs):
        raise ValueError(f'write it as "name=value{separator}name=value"')
    return [(name, value) for name, _, value in pairs]
