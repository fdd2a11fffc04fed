"""A JSON Schema of an answer in the subset that Gemini takes. Pure.

What it does not know is told in the description, so that the model may heed it, and is checked here
when the answer has come (`worker/output_filters/structured.py`). So it is for answers only: nobody
here checks the arguments of tools.
"""

import json
from collections.abc import Mapping
from typing import Any

from producer.contract.schemas import Json

KNOWN = frozenset(
    {
        "$id",
        "$defs",
        "$ref",
        "$anchor",
        "type",
        "format",
        "title",
        "description",
        "enum",
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "anyOf",
        "oneOf",
        "properties",
        "additionalProperties",
        "required",
        "propertyOrdering",
    }
)
"""google-genai 3.6.1, docstring of `GenerateContentConfig.response_json_schema`."""
_SILENT = frozenset({"$schema", "$comment", "default", "examples", "deprecated"})
"""Restrict no answer: left out."""
_NAMED = ("$defs", "properties")
_LISTED = ("anyOf", "oneOf", "prefixItems")
_SINGLE = ("items", "additionalProperties")


def translated(schema: Json) -> Json:
    """The same schema, as far as it can be said."""
    if not isinstance(schema, Mapping):
        return schema
    node = _respelt(dict(schema))
    if "$ref" in node:
        return {name: _inner(name, value) for name, value in node.items() if name[0] == "$"}
    told = {name: _inner(name, value) for name, value in node.items() if name in KNOWN}
    rest = {
        name: value
        for name, value in node.items()
        if name not in KNOWN and name not in _SILENT and not name.startswith("$")
    }
    if rest:
        words = json.dumps(rest, ensure_ascii=False)
        described = told.get("description")
        told["description"] = f"{described}\n\n{words}" if described else words
    return told


def _respelt(node: dict[str, Any]) -> dict[str, Any]:
    """In the words of the subset, where it has other ones for the same."""
    older, newer = node.get("definitions"), node.get("$defs", {})
    if isinstance(older, Mapping) and isinstance(newer, Mapping):
        del node["definitions"]
        node["$defs"] = {**older, **newer}
    if isinstance(node.get("$ref"), str):
        node["$ref"] = node["$ref"].replace("#/definitions/", "#/$defs/")
    if isinstance(node.get("const"), str | int | float) and not isinstance(node["const"], bool):
        node["enum"] = [node.pop("const")]
    enum = node.get("enum")
    if isinstance(enum, list) and not all(type(each) in (str, int, float) for each in enum):
        node["one of"] = node.pop("enum")
    alone = node.get("allOf")
    if isinstance(alone, list) and len(alone) == 1 and isinstance(alone[0], Mapping):
        del node["allOf"]
        node = {**alone[0], **node}
    return node


def _inner(name: str, value: Json) -> Json:
    if name in _NAMED and isinstance(value, Mapping):
        return {key: translated(each) for key, each in value.items()}
    if name in _LISTED and isinstance(value, list | tuple):
        return [translated(each) for each in value]
    if name in _SINGLE:
        return translated(value)
    return value
