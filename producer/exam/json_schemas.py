"""Answers by a JSON Schema (the extra `exam`)."""

from typing import Any

from ..contract.errors import InvalidRequest
from ..extras import needs


def checked_schema(schema: Any) -> str:
    """Why it is no schema; "" if it is one. Raises `InvalidRequest` without the extra."""
    if not isinstance(schema, dict):
        return "needs a JSON Schema, an object"
    try:
        _validator(schema)
    except ValueError:
        return "is no schema of the standard"
    return ""


def breaks(schema: Any, value: Any) -> str:
    """Where a value breaks it; "" if it does not."""
    for error in _validator(schema).iter_errors(value):
        path = "/".join(map(str, error.schema_path))
        return f"breaks its schema at /{path}"
    return ""


def _validator(schema: dict[str, Any]) -> Any:
    """Patterns in it take linear time, and nothing is fetched."""
    try:
        import jsonschema_rs
    except ImportError:
        raise InvalidRequest(needs("json_schema", "exam")) from None
    options = jsonschema_rs.RegexOptions()
    return jsonschema_rs.validator_for(schema, offline=True, pattern_options=options)
