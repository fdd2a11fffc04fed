"""JSON Schema in the subset that Gemini's first API knows (OpenAPI 3.0's). Pure."""

from typing import Any

from producer.contract.requests import CompletionRequest
from producer.contract.schemas import Json

_COPIED = ("description", "nullable", "required")
_RENAMED = {
    "format": "format_",
    "minItems": "min_items",
    "maxItems": "max_items",
}
"""Keyword of JSON Schema -> the SDK's field."""
_KNOWN = {*_COPIED, *_RENAMED, "type", "enum", "items", "properties"}
_IGNORED = {"additionalProperties", "title", "$schema", "default"}
"""Left out without loss.

The API writes no additional properties anyway, and the others do not restrict the answer.
"""


def translated(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema in the SDK's fields."""
    fields: dict[str, Any] = {"type_": str(schema.get("type", "string")).upper()}
    for keyword, field in _RENAMED.items():
        if keyword in schema:
            fields[field] = schema[keyword]
    for keyword in _COPIED:
        if keyword in schema:
            fields[keyword] = schema[keyword]
    if "enum" in schema:
        fields["enum"] = [str(value) for value in schema["enum"]]
    if "items" in schema:
        fields["items"] = translated(schema["items"])
    if "properties" in schema:
        properties = schema["properties"].items()
        fields["properties"] = {name: translated(each) for name, each in properties}
    return fields


def unsupported_keyword(request: CompletionRequest) -> str:
    """The first keyword in the request's schemas that the API does not know, "" if none."""
    schemas = [tool.function.parameters for tool in request.tools]
    wanted = request.response_format
    if wanted and wanted.json_schema:
        schemas.append(wanted.json_schema.schema_)
    for schema in schemas:
        if schema and (unknown := _unknown(schema)):
            return f"the JSON schema keyword {unknown[0]}"
    return ""


def _unknown(schema: Json) -> list[str]:
    if not isinstance(schema, dict):
        return ["whose value is no schema"]
    if not isinstance(schema.get("type", "string"), str):
        return ["type with several types"]
    for keyword, kind in (("properties", dict), ("enum", list)):
        if not isinstance(schema.get(keyword, kind()), kind):
            return [f"{keyword} whose value is no {kind.__name__}"]
    unknown = [keyword for keyword in schema if keyword not in _KNOWN | _IGNORED]
    inner = list(schema.get("properties", {}).values())
    if "items" in schema:
        inner.append(schema["items"])
    for each in inner:
        unknown += _unknown(each)
    return unknown
