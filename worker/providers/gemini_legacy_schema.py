"""JSON Schema in the subset that Gemini's first API knows (OpenAPI 3.0's). Pure."""

from typing import Any

from producer.contract.requests import CompletionRequest

_KNOWN = {
    "type",
    "format",
    "description",
    "nullable",
    "enum",
    "items",
    "properties",
    "required",
    "minItems",
    "maxItems",
}
_NO_LOSS = {"additionalProperties", "title", "$schema", "default"}
"""Left out: the API writes no other properties anyway, and the rest says nothing about the answer."""


def schema(given: dict[str, Any]) -> dict[str, Any]:
    """The same schema in the SDK's words."""
    words: dict[str, Any] = {"type_": str(given.get("type", "string")).upper()}
    names = (("format", "format_"), ("minItems", "min_items"), ("maxItems", "max_items"))
    words |= {ours: given[name] for name, ours in names if name in given}
    words |= {
        name: given[name] for name in ("description", "nullable", "required") if name in given
    }
    if "enum" in given:
        words["enum"] = [str(value) for value in given["enum"]]
    if "items" in given:
        words["items"] = schema(given["items"])
    if "properties" in given:
        words["properties"] = {name: schema(value) for name, value in given["properties"].items()}
    return words


def foreign(request: CompletionRequest) -> str:
    """The first keyword in the request's schemas that the API has no word for, "" if there is none."""
    given = [tool.function.parameters for tool in request.tools]
    if request.response_format and request.response_format.json_schema:
        given.append(request.response_format.json_schema.schema_)
    found = next((word for each in given if each for word in _foreign(each)), "")
    return f"the JSON schema keyword {found}" if found else ""


def _foreign(given: dict[str, Any]) -> list[str]:
    if not isinstance(given.get("type", "string"), str):
        return ["type with several types"]
    unknown = [word for word in given if word not in _KNOWN | _NO_LOSS]
    inner = [*given.get("properties", {}).values(), *([given["items"]] if "items" in given else [])]
    return unknown + [word for each in inner for word in _foreign(each)]
