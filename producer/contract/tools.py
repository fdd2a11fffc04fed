"""The tools of a request, and the one that must be called."""

from typing import Any, Literal

from .content import Frozen
from .messages import ShortText


class FunctionTool(Frozen):
    name: ShortText
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Frozen):
    type: Literal["function"]
    function: FunctionTool


class NamedFunction(Frozen):
    name: ShortText


class ChosenTool(Frozen):
    type: Literal["function"]
    function: NamedFunction
