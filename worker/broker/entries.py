"""What may not reach Celery from the broker: entries that would stop a worker, or whose body Celery
would print. Pure.
"""

import base64
import json
from typing import Any

from producer.contract.names import COMPLETE

MAX_ENTRY_BYTES = 2_000_000
"""Largest broker entry read: a request of 1 MB in base64, and its envelope. Our own hold an id and
no more.
"""


def unsound(item: bytes) -> str:
    """Why this entry cannot be a message of ours, "" if it can. Never quotes the entry."""
    if len(item) > MAX_ENTRY_BYTES:
        return f"{len(item):,} bytes, at most {MAX_ENTRY_BYTES:,} are read"
    try:
        return _wrong(json.loads(item))
    except (ValueError, RecursionError):
        return "not JSON"


def _wrong(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "not a JSON object"
    properties, headers = entry.get("properties"), entry.get("headers")
    if not isinstance(properties, dict) or not isinstance(properties.get("delivery_tag"), str):
        return "no delivery tag"
    if not isinstance(properties.get("delivery_info"), dict):
        return "no delivery info"
    if not isinstance(headers, dict) or not isinstance(headers.get("id"), str):
        return "no task id"
    name = headers.get("task")
    if not isinstance(name, str) or not (name == COMPLETE or name.startswith("celery.")):
        return "a task that is not ours"
    return _wrong_body(entry, properties)


def _wrong_body(entry: dict[str, Any], properties: dict[str, Any]) -> str:
    if (
        properties.get("body_encoding") != "base64"
        or entry.get("content-type") != "application/json"
    ):
        return "a body that is not JSON in base64"
    try:
        body = json.loads(base64.b64decode(entry.get("body") or "", validate=True))
    except (ValueError, TypeError, RecursionError):
        return "a body that cannot be decoded"
    if not (
        isinstance(body, list)
        and len(body) == 3
        and isinstance(body[0], list)
        and isinstance(body[1], dict)
    ):
        return "a body that is no arguments"
    return ""
