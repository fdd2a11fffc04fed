"""What form an answer must have: text, JSON, or JSON by a schema."""

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic.errors import PydanticInvalidForJsonSchema

from .content import Frozen
from .messages import ShortText
from .schemas import has_open_objects

MOST_NAME = 64
"""Characters of a schema's name, by OpenAI's `response_format`."""


class JsonSchema(Frozen):
    name: ShortText
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None
    description: str | None = None


class ResponseFormat(Frozen):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_model(cls, given: Any) -> Any:
        """A pydantic model stands for its JSON Schema."""
        if isinstance(given, type) and issubclass(given, BaseModel):
            return {"type": "json_schema", "json_schema": schema_of(given)}
        return given

    @model_validator(mode="after")
    def _schema_given(self) -> Self:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("json_schema goes with type 'json_schema', and only with it")
        return self


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """`json_schema` for a pydantic model: strict, unless it has objects with names of their own,
    which no provider takes as strict. Raises `ValueError` for a model without a JSON Schema.
    """
    try:
        schema = model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        raise ValueError("the model has fields that no JSON Schema can say") from None
    name = re.sub(r"[^A-Za-z0-9_-]", "_", model.__name__)[:MOST_NAME]
    return {"name": name, "schema": schema, "strict": not has_open_objects(schema)}
