"""A request's options for one provider, put to what is sent anyway. Pure."""

from collections.abc import Mapping
from typing import Any


def joined(ours: Any, given: Any) -> Any:
    """Lists one after the other, objects field by field; else what is given."""
    if isinstance(ours, dict) and isinstance(given, dict):
        return ours | {name: joined(ours.get(name), value) for name, value in given.items()}
    if isinstance(ours, list) and isinstance(given, list):
        return [*ours, *given]
    return given


def with_options(parameters: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """An SDK's arguments with the options in the body."""
    if not options:
        return parameters
    body: dict[str, Any] = dict(parameters.get("extra_body", {}))
    for name, value in options.items():
        body[name] = joined(body.get(name, parameters.get(name)), value)
    return {**parameters, "extra_body": body}
