"""How every slice is read: from the environment, then from `LLM_SECRETS_DIR`; all problems gathered, each with its fix."""

import os
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class Slice(BaseSettings):
    """One consumer's settings. Empty variables count as missing."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True, hide_input_in_errors=True
    )


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


def _secrets_dir() -> Path | None:
    folder = os.environ.get("LLM_SECRETS_DIR")
    return Path(folder) if folder else None


S = TypeVar("S", bound=Slice)


def read(slice_: type[S], problems: list[Problem], prefix: str = "") -> S | None:
    """The slice, its variables beginning with `prefix`; None if anything is wrong, which is added to `problems`."""
    try:
        return slice_(_env_prefix=prefix, _secrets_dir=_secrets_dir())
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            variable = _variable(slice_, str(item["loc"][0]), prefix)
            problems.append(_invalid(variable, item["msg"].removeprefix("Value error, "), slice_))
        return None


def _variable(slice_: type[Slice], place: str, prefix: str) -> str:
    """By the place that pydantic names: a variable, or a field if the value was its default."""
    if prefix:
        return prefix + place.upper()
    return str(slice_.model_fields[place].validation_alias) if place in slice_.model_fields else place


def _invalid(variable: str, reason: str, slice_: type[Slice]) -> Problem:
    field = next((f for f in slice_.model_fields.values() if f.validation_alias == variable), None)
    example = field.get_default(call_default_factory=False) if field else None
    fix = f"export {variable}={example}" if example not in (None, "") else f"unset {variable} or give a valid value"
    return Problem(variable, f"Invalid env var: {variable}: {reason}. Fix: {fix}")


def pairs(text: str, separator: str) -> list[tuple[str, str]]:
    """From "name=value,name=value"."""
    pairs = [item.strip().partition("=") for item in text.split(separator) if item.strip()]
    if any(not equals for _, equals, _ in pairs):
        raise ValueError(f'write it as "name=value{separator}name=value"')
    return [(name, value) for name, _, value in pairs]
