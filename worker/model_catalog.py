"""What is known of models: windows, refused parameters, their end, aliases.

All of it comes from model_catalog.toml; no provider is asked.
"""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

BUILT_IN = Path(__file__).with_name("model_catalog.toml")
Tokens = Annotated[int, Field(ge=1)]
_DATE = re.compile(r"-(20\d\d-\d\d-\d\d|20\d{6}|[01]\d[0-3]\d)$")
"""How the name of one state of a model ends: gpt-4o-2024-08-06, gpt-3.5-turbo-0125."""
SENSES = ("hears", "sees", "pdfs", "result_images")
"""What a provider's row says for all its models whose rows do not."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Model(_Row):
    """One model's facts; windows in tokens.

    None: not known, so nothing is refused or left out because of it.
    """

    window: Tokens | None = None
    input: Tokens | None = None
    output: Tokens | None = None
    temperature: bool | None = None
    prefill: bool = False
    thinks: bool = False
    ends: date | None = None
    tokenizer: str | None = None
    image: Tokens | None = None
    hears: bool | None = None
    sees: bool | None = None
    pdfs: bool | None = None
    result_images: bool | None = None
    api: Literal["chat", "responses"] = "chat"
    dimensions: Annotated[int, Field(ge=1)] | None = None
    texts: Annotated[int, Field(ge=1)] | None = None

    def room(self, max_tokens: int) -> int | None:
        """The most input tokens that fit beside `max_tokens` of output; None if not known."""
        limits = []
        if self.input:
            limits.append(self.input)
        if self.window:
            limits.append(max(self.window - max_tokens, 0))
        return min(limits, default=None)


NO_FACTS = Model()
"""Of a model that is not known."""


class Vendor(_Row):
    """One provider's models.

    Tokens of a text are between `low` and `high` times its count by `tokenizer`; without `high`,
    only its bytes bound them. `image`: the most tokens of one image, for models whose row has none.
    `hears` and the others: of all its models here whose rows do not say it.
    `like`: another provider, whose data holds for this one.
    """

    like: str | None = None
    tokenizer: str | None = None
    low: Annotated[float, Field(gt=0)] = 1.0
    high: Annotated[float, Field(gt=0)] | None = None
    image: Tokens | None = None
    hears: bool | None = None
    sees: bool | None = None
    pdfs: bool | None = None
    result_images: bool | None = None
    aliases: dict[str, str] = {}
    models: dict[str, Model] = {}

    @model_validator(mode="before")
    @classmethod
    def _inherited(cls, data: Any) -> Any:
        models = isinstance(data, dict) and data.get("models")
        if not isinstance(models, dict):
            return data
        senses = {name: data[name] for name in SENSES if name in data}
        rows = {key: senses | row if isinstance(row, dict) else row for key, row in models.items()}
        return data | {"models": rows}

    def of(self, model: str) -> Model:
        """The row whose key is the longest prefix of the id; one without facts if there is none."""
        bare = model.removeprefix("models/").removeprefix("ft:")
        keys = [key for key in self.models if bare.startswith(key)]
        if not keys:
            return NO_FACTS
        return self.models[max(keys, key=len)]


UNLISTED = Vendor()
"""A vendor without facts."""


class Models(BaseModel):
    """Every provider's models. Build it with `load`."""

    model_config = ConfigDict(frozen=True)

    vendors: dict[str, Vendor]

    @classmethod
    def load(cls, extra: Path | None = None) -> Self:
        """The built-in data, overlaid by the file `extra`.

        Raises `ValueError` that says what is wrong with that file.
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
        """What is known of a provider; a vendor without facts if it is not listed."""
        found = self.vendors.get(provider, UNLISTED)
        if found.like:
            return self.vendors.get(found.like, found)
        return found

    def of(self, provider: str, model: str) -> Model:
        return self.vendor(provider).of(model)

    def image_tokens(self, provider: str, model: str) -> int | None:
        """The most tokens that one image takes, whatever its size; None if not known."""
        return self.of(provider, model).image or self.vendor(provider).image

    def alias(self, provider: str, name: str) -> str | None:
        """The model `name` stands for at `provider`, None if it stands for none."""
        return self.vendor(provider).aliases.get(name)

    def meant(self, provider: str, own: str, name: str) -> str:
        """The model that `name` stands for at a link whose own model is `own`.

        A server whose own model is not known here need not have its vendor's: it answers with that.
        """
        if self.of(provider, own) == NO_FACTS:
            return own
        return self.alias(provider, name) or own

    @property
    def aliases(self) -> set[str]:
        """Every name that stands for a model somewhere."""
        return {name for vendor in self.vendors.values() for name in vendor.aliases}


def undated(model: str) -> str:
    """The model of which `model` names one state."""
    return _DATE.sub("", model)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None


def _overlaid(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`base` with the values of `extra`, merged table by table."""
    merged = dict(base)
    for key, value in extra.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _overlaid(old, value)
        else:
            merged[key] = value
    return merged
