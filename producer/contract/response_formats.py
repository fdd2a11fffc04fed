"""What form an answer must have: text, JSON, or JSON by a schema."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from .content import Frozen
from .messages import ShortText


class JsonSchema(Frozen):
    name: ShortText
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None
    description: str | None = None


class ResponseFormat(Frozen):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _schema_given(self) -> Self:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("json_schema goes with type 'json_schema', and only with it")
        return self
