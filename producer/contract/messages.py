"""The messages of a request, in the OpenAI shape. Frozen; fields that are not known are refused."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Role = Literal["system", "developer", "user", "assistant", "tool"]
ShortText = Annotated[str, Field(min_length=1, max_length=256)]


class Frozen(BaseModel):
    """What every part of a request or a completion is. Errors never repeat a value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


class TextPart(Frozen):
    type: Literal["text"]
    text: str


class ImageUrl(Frozen):
    url: str
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Frozen):
    type: Literal["image_url"]
    image_url: ImageUrl


class FunctionCall(Frozen):
    name: ShortText
    arguments: str
    """A JSON text, as the model wrote it."""


class ToolCall(Frozen):
    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class Message(Frozen):
    """One turn in the OpenAI shape."""

    role: Role
    content: (
        str | tuple[Annotated[TextPart | ImagePart, Field(discriminator="type")], ...] | None
    ) = None
    name: ShortText | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None

    def texts(self) -> Iterator[tuple[str, str]]:
        """(place, text) of everything in it that a model reads as text."""
        if isinstance(self.content, str):
            yield "content", self.content
        else:
            parts = enumerate(self.content or ())
            yield from (
                (f"content[{number}].text", part.text)
                for number, part in parts
                if isinstance(part, TextPart)
            )
        yield from (
            (name, text) for name in ("name", "tool_call_id") if (text := getattr(self, name))
        )
        for number, call in enumerate(self.tool_calls or ()):
            yield (
                f"tool_calls[{number}].function",
                f"{call.function.name} {call.function.arguments}",
            )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.role == "tool" and not self.tool_call_id:
            raise ValueError("a tool message needs tool_call_id, the id of the call it answers")
        if self.tool_calls and self.role != "assistant":
            raise ValueError("only an assistant message carries tool_calls")
        if self.content is None and not self.tool_calls:
            raise ValueError("content is missing: give a string or a list of parts")
        return self
