"""What the content of a message is made of, in the OpenAI shape. Frozen.

Fields that came after the first wire version are left out of what is written unless they are set,
so that older requests keep their fingerprint.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """Base of all parts of requests and completions. Errors of validation repeat no value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


def unset(value: object) -> bool:
    """Whether a later field says nothing, and is not written."""
    return value is None or value is False


class CacheControl(Frozen):
    """Anthropic's mark: all up to the end of its part is to be cached."""

    type: Literal["ephemeral"] = "ephemeral"
    ttl: Literal["5m", "1h"] | None = Field(None, exclude_if=unset)


class CacheBreakpoint(Frozen):
    """OpenAI's mark of the same."""

    mode: Literal["explicit"] = "explicit"
    ttl: Literal["30m", "12h"] | None = Field(None, exclude_if=unset)


class _Part(Frozen):
    cache_control: CacheControl | None = Field(None, exclude_if=unset)
    prompt_cache_breakpoint: CacheBreakpoint | None = Field(None, exclude_if=unset)

    @property
    def is_new(self) -> bool:
        """Whether workers of the first wire versions cannot read it."""
        return bool(self.cache_control or self.prompt_cache_breakpoint)


class TextPart(_Part):
    type: Literal["text"]
    text: str


class RefusalPart(Frozen):
    """Words with which the model declined, in a turn of its own."""

    type: Literal["refusal"]
    refusal: str

    @property
    def is_new(self) -> bool:
        return True


class ImageUrl(Frozen):
    url: str
    """An https address, or data:image/png;base64,..."""
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(_Part):
    type: Literal["image_url"]
    image_url: ImageUrl

    @property
    def is_new(self) -> bool:
        return super().is_new or self.image_url.detail == "original"


Part = Annotated[TextPart | ImagePart | RefusalPart, Field(discriminator="type")]
