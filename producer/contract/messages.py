"""The messages of a request, in the OpenAI shape. Frozen; fields that are not known are refused."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from .content import FilePart, Frozen, Part, RefusalPart, TextPart, unset
from .kept import Kept

NEW_MESSAGES = 3
"""The first wire version with what older messages do not have (`Message.is_new`)."""
Role = Literal["system", "developer", "user", "assistant", "tool"]
ShortText = Annotated[str, Field(min_length=1, max_length=256)]


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
    refusal: str | None = Field(None, exclude_if=unset)
    """The words with which the assistant declined."""
    is_error: bool = Field(False, exclude_if=unset)
    """Of a tool's result: it is what went wrong."""
    reasoning_content: str | None = Field(None, exclude_if=unset)
    """What the assistant thought, for the servers that want it back (DeepSeek)."""
    reasoning_details: tuple[dict[str, Any], ...] | None = Field(None, exclude_if=unset)
    """The same in OpenRouter's shape, which wants it back as it was."""

    kept: Kept | None = Field(None, exclude_if=unset)
    """What the provider that gave this turn wants back; `Completion.message` has it."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its content as parts; a text is one."""
        if isinstance(self.content, str):
            return (TextPart(type="text", text=self.content),)
        return self.content or ()

    @property
    def is_new(self) -> bool:
        """Whether workers of the first wire versions cannot read it."""
        thoughts = (self.reasoning_content, self.reasoning_details, self.kept)
        if any(thoughts) or self.refusal or self.is_error:
            return True
        if self.content is None and not self.tool_calls:
            return True
        if isinstance(self.content, tuple):
            return any(part.is_new for part in self.content)
        return False

    def texts(self) -> Iterator[tuple[str, str]]:
        """(place, text) of everything in it that a model reads as text."""
        if isinstance(self.content, str):
            yield "content", self.content
        else:
            for number, part in enumerate(self.content or ()):
                if isinstance(part, TextPart):
                    yield f"content[{number}].text", part.text
                elif isinstance(part, RefusalPart):
                    yield f"content[{number}].refusal", part.refusal
                elif isinstance(part, FilePart) and part.file.filename:
                    yield f"content[{number}].file.filename", part.file.filename
        for name in ("name", "tool_call_id", "refusal", "reasoning_content"):
            if text := getattr(self, name):
                yield name, text
        for number, call in enumerate(self.tool_calls or ()):
            text = f"{call.function.name} {call.function.arguments}"
            yield f"tool_calls[{number}].function", text

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.role == "tool" and not self.tool_call_id:
            raise ValueError("a tool message needs tool_call_id, the id of the call it answers")
        if self.tool_calls and self.role != "assistant":
            raise ValueError("only an assistant message carries tool_calls")
        if self.content is None and self.role not in ("assistant", "tool"):
            raise ValueError("content is missing: give a string or a list of parts")
        if self.is_error and self.role != "tool":
            raise ValueError("is_error goes with a tool message, and only with it")
        declines = self.refusal or (
            isinstance(self.content, tuple)
            and any(isinstance(part, RefusalPart) for part in self.content)
        )
        if declines and self.role != "assistant":
            raise ValueError("a refusal is the assistant's, and no other message has one")
        return self
