"""What the content of a message is made of, in the OpenAI shape. Frozen.

Fields that came after the first wire version are left out of what is written unless they are set,
so that older requests keep their fingerprint.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


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


MEDIA_TYPES = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
}
"""How a name ends -> what it is."""
_MEDIA_TYPE = re.compile(r"data:([\w.+-]{1,60}/[\w.+-]{1,120})[;,]")
AudioFormat = Literal["wav", "mp3", "aac", "aiff", "flac", "ogg"]


class InputAudio(Frozen):
    data: str
    """Base64."""
    format: AudioFormat


class AudioPart(_Part):
    type: Literal["input_audio"]
    input_audio: InputAudio

    @property
    def is_new(self) -> bool:
        return True


class File(Frozen):
    """One of `file_data`, `file_url` and `file_id`."""

    file_data: str | None = None
    """data:application/pdf;base64,..., or base64 alone if the filename tells the type."""
    file_url: str | None = None
    """An https address, which the provider reads; no worker does."""
    file_id: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """As the provider that has the file names it."""
    filename: Annotated[str, Field(min_length=1, max_length=256)] | None = None

    @property
    def media_type(self) -> str:
        """As its data says, else as its name or its address ends; "" if nothing tells."""
        stated = _MEDIA_TYPE.match(self.file_data or "")
        if stated:
            return stated[1].lower()
        name = self.filename or (self.file_url or "").partition("?")[0]
        return MEDIA_TYPES.get(name.rpartition(".")[2].lower(), "")

    @property
    def base64(self) -> str:
        """Its data alone."""
        data = self.file_data or ""
        return data.partition(",")[2] if data.startswith("data:") else data

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [self.file_data, self.file_url, self.file_id]
        if sum(each is not None for each in given) != 1:
            raise ValueError("a file needs one of file_data, file_url and file_id")
        return self


class FilePart(_Part):
    type: Literal["file"]
    file: File

    @property
    def is_new(self) -> bool:
        return True


Part = Annotated[
    TextPart | ImagePart | AudioPart | FilePart | RefusalPart, Field(discriminator="type")
]
