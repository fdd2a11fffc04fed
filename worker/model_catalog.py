"""What is known of models: windows, refused parameters, their end, aliases. No provider is asked;
model_catalog.toml tells.
"""

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

BUILT_IN = Path(__file__).with_name("model_catalog.toml")
Tokens = Annotated[int, Field(ge=1)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Model(_Row):
    """One model's facts, all in tokens. None: not known, so nothing is refused or left out for it."""

    window: Tokens | None = None
    input: Tokens | None = None
    output: Tokens | None = None
    temperature: bool | None = None
    prefill: bool = False
    ends: date | None = None
    tokenizer: str | None = None

    def room(self, max_tokens: int) -> int | None:
        """The most input tokens that fit beside `max_tokens` of output; None if not known."""
        limits = [self.input] if self.input else []
        limits += [max(self.window - max_tokens, 0)] if self.window else []
        return min(limits, default=None)


class Vendor(_Row):
    """One provider's models. Tokens of a text are between `low` and `high` times its count by
    `tokenizer`; without `high`, only its bytes bound them.

    `like`: another provider, whose data holds for this one.
    """

    like: str | None = None
    tokenizer: str | None = None
    low: Annotated[float, Field(gt=0)] = 1.0
    high: Annotated[float, Field(gt=0)] | None = None
    aliases: dict[str, str] = {}
    models: dict[str, Model] = {}

    def of(self, model: str) -> Model:
        """The row whose key is the longest beginning of the id; one without facts if there is none."""
        bare = model.removeprefix("models/")
        found = max((key for key in self.models if bare.startswith(key)), key=len, default=None)
        return self.models[found] if found else Model()


class Models(BaseModel):
    """Every provider's. Build with `load`."""

    model_config = ConfigDict(frozen=True)

    vendors: dict[str, Vendor]

    @classmethod
    def load(cls, extra: Path | None = None) -> Self:
        """The built-in data, overlaid by the file `extra`. Raises `ValueError` saying what is wrong
        with that file.
        """
        data = tomllib.loads(BUILT_IN.read_text())
        if extra:
            data = _overlaid(data, _read(extra))
        try:
            return cls.model_validate({"vendors": data})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"][1:])
            raise ValueError(f"{extra}: {place}: {first['msg']}") from None

    def vendor(self, provider: str) -> Vendor:
        """What is known of a provider; nothing, for one that is not listed."""
        found = self.vendors.get(provider, Vendor())
        return self.vendors.get(found.like, found) if found.like else found

    def of(self, provider: str, model: str) -> Model:
        return self.vendor(provider).of(model)

    def alias(self, provider: str, name: str) -> str | None:
        """The model `name` stands for at `provider`, None if it stands for none."""
        return self.vendor(provider).aliases.get(name)

    @property
    def aliases(self) -> set[str]:
        """Every name that stands for a model somewhere."""
        return {name for vendor in self.vendors.values() for name in vendor.aliases}


@cache
def built_in() -> Models:
    """The data as shipped."""
    return Models.load()


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None


def _overlaid(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`extra` wins, table by table."""
    merged = dict(base)
    for key, value in extra.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _overlaid(base[key], value) if both else value
    return merged
