"""`Completion`: the answer to a request, and the tokens it took."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from .messages import Frozen, ToolCall

FinishReason = Literal["stop", "length", "tool_calls"]


class Usage(Frozen):
    """Tokens of one or more calls. `input` includes `cached` (read from the provider's cache) and
    `cache_written`, `output` includes `reasoning`.
    """

    model_config = ConfigDict(extra="ignore")

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_written: int = 0
    reasoning: int = 0


class Completion(Frozen):
    """An answer. `repr` shows no text: it ends up in logs and in Flower. What a newer worker says
    beside is passed over.
    """

    model_config = ConfigDict(extra="ignore")

    text: str = Field(repr=False)
    tool_calls: tuple[ToolCall, ...] = Field((), repr=False)
    finish_reason: FinishReason
    model: str
    provider: str
    usage: Usage
    cost_usd: float
    """Dollars this job spent on answered calls, all attempts together; a cached answer costs 0."""
    cached: bool = False
    degraded: Literal["stale", "static"] | None = None
    age_s: float | None = None
    """Seconds since a cached answer was made."""
    flags: tuple[str, ...] = ()
    """What output filters with the action "flag" found."""
    trimmed: int = 0
    """How many of the oldest messages were left out to fit (`fit="slide"`)."""
    attempts: int
    latency_ms: int
    """The answering call's time on the wire."""
    request_id: str
    """The job's id."""

    def __json__(self) -> dict[str, Any]:
        """How kombu's JSON serializer writes a task's result."""
        return self.model_dump(mode="json")
