"""The messages of a request, in the OpenAI shape. Frozen; fields that are not known are refused."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Role = Literal["system", "developer", "user", "assistant", "tool"]
ShortText = Annotated[str, Field(min_length=1, max_length=256)]


class Frozen(BaseModel):
    """Base of all parts of requests and completions. Errors of validation repeat no value."""

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


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


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
    content: str | tuple[Part, ...] | None = None
    name: ShortText | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None

    def texts(self) -> Iterator[tuple[str, str]]:
        """(place, text) of everything in it that a model reads as text."""
        if isinstance(self.content, str):
            yield "content", self.content
        else:
            for number, part in enumerate(self.content or ()):
                if isinstance(part, TextPart):
                    yield f"content[{number}].text", part.text
        if self.name:
            yield "name", self.name
        if self.tool_call_id:
            yield "tool_call_id", self.tool_call_id
        for number, call in enumerate(self.tool_calls or ()):
            text = f"{call.function.name} {call.function.arguments}"
            yield f"tool_calls[{number}].function", text

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.role == "tool" and not self.tool_call_id:
            raise ValueError("a tool message needs tool_call_id, the id of the call it answers")
        if self.tool_calls and self.role != "assistant":
            raise ValueError("only an assistant message carries tool_calls")
        if self.content is None and not self.tool_calls:
            raise ValueError("content is missing: give a string or a list of parts")
        return self
