"""Requests that cost more than they look."""

from typing import Any


def multiplying(levels: int) -> dict[str, Any]:
    """Each level of the answer is looked at four times as often as the one above."""
    definitions: dict[str, Any] = {f"d{levels}": {"type": "string"}}
    for level in range(levels):
        each = {"items": {"$ref": f"#/$defs/d{level + 1}"}}
        definitions[f"d{level}"] = {"anyOf": [each, each, each, each]}
    schema = {"$defs": definitions, "$ref": "#/$defs/d0"}
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
