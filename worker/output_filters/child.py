"""The program of a child process that checks answers: `checker.py` asks it."""

import json

from producer.child import Limits, serve

LIMITS = Limits(cpu_s=0.5, memory_bytes=512 * 1024 * 1024, reply_bytes=2_000)
"""Of one check."""
TOO_DEEP = "is nested too deeply to be checked"


def answered(kind: bytes, wanted: bytes, text: bytes) -> bytes:
    """What is wrong with a text. `kind`: S: schema, P: pattern."""
    found = CHECKS[kind](wanted.decode(), text.decode("utf-8", "surrogatepass"))
    return found.encode("utf-8", "replace")


def check_schema(schema: str, text: str) -> str:
    """Of a text that is to be JSON; `schema` "" = any JSON."""
    try:
        answer = json.loads(text)
    except RecursionError:
        return TOO_DEEP
    except ValueError:
        return "is no JSON"
    if not schema:
        return ""
    import jsonschema_rs

    try:
        validator = jsonschema_rs.validator_for(
            json.loads(schema),
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (ValueError, RecursionError):
        return ""  # not a schema of the standard; the provider accepted it all the same
    try:
        for error in validator.iter_errors(answer):
            path = "/".join(map(str, error.schema_path))
            return f"breaks its schema at /{path}"
    except (ValueError, RecursionError):
        return TOO_DEEP
    return ""


def check_pattern(pattern: str, text: str) -> str:
    """As pydantic's `Field(pattern=...)`: Rust's regular expressions, which match somewhere."""
    from pydantic_core import SchemaError, SchemaValidator

    try:
        validator = SchemaValidator({"type": "str", "pattern": pattern})
        validator.validate_python(text)
    except (SchemaError, ValueError):
        return "does not match the expected pattern"
    return ""


CHECKS = {b"S": check_schema, b"P": check_pattern}


if __name__ == "__main__":
    serve(answered, LIMITS)
