"""The tools of a request, and the ones that may or must be called."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from .content import Frozen
from .messages import ShortText


class FunctionTool(Frozen):
    name: ShortText
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """Its parameters as the schema of an object, which APIs insist on."""
        return {"type": "object"} | (self.parameters or {})


class Tool(Frozen):
    type: Literal["function"]
    function: FunctionTool


class NamedFunction(Frozen):
    name: ShortText


class ChosenTool(Frozen):
    type: Literal["function"]
    function: NamedFunction


class AllowedTools(Frozen):
    mode: Literal["auto", "required"]
    tools: Annotated[tuple[ChosenTool, ...], Field(min_length=1, max_length=128)]


class ToolsAllowed(Frozen):
    """Some of the tools may be called; with mode "required" one of them must be."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools

    @property
    def names(self) -> frozenset[str]:
        return frozenset(tool.function.name for tool in self.allowed_tools.tools)


def _kind(given: Any) -> str | None:
    """Which form of a choice was meant."""
    if isinstance(given, str):
        return "word"
    kind = given.get("type") if isinstance(given, dict) else getattr(given, "type", None)
    return kind if kind in ("function", "allowed_tools") else None


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("word")]
    | Annotated[ChosenTool, Tag("function")]
    | Annotated[ToolsAllowed, Tag("allowed_tools")],
    Discriminator(
        _kind,
        custom_error_type="tool_choice",
        custom_error_message="must be 'none', 'auto', 'required', a function or allowed_tools",
    ),
]


def wrong_tools(tools: Iterable[Tool]) -> tuple[str, str]:
    """(place, what no provider takes there, with the fix) of the first wrong one; ("", "") if none
    is.
    """
    seen: set[str] = set()
    for number, tool in enumerate(tools):
        function = tool.function
        if function.name in seen:
            return (
                f"tools[{number}].function.name",
                "is that of another tool. Fix: give each a name of its own",
            )
        seen.add(function.name)
        if (function.parameters or {}).get("type", "object") != "object":
            return (
                f"tools[{number}].function.parameters",
                "arguments are an object. Fix: {'type': 'object', 'properties': {...}}",
            )
    return "", ""
