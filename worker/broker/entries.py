"""Which entries of the broker may reach Celery. Pure.

Others would stop a worker, or Celery would print their body.
"""

import base64
import json
from typing import Any

from producer.contract.names import COMPLETE

MAX_ENTRY_BYTES = 2_000_000
"""The largest broker entry that is read: a request of 1 MB in base64, and its envelope.

Our own hold a job's id and no more.
"""


def unsound(item: bytes) -> str:
    """Why this entry cannot be a message of ours, "" if it can be. Never quotes the entry."""
    if len(item) > MAX_ENTRY_BYTES:
        return f"{len(item):,} bytes, at most {MAX_ENTRY_BYTES:,} are read"
    try:
        return _wrong(json.loads(item))
    except (ValueError, RecursionError):
        return "not JSON"


def _wrong(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "not a JSON object"
    properties = entry.get("properties")
    headers = entry.get("headers")
    if not isinstance(properties, dict) or not isinstance(properties.get("delivery_tag"), str):
        return "no delivery tag"
    if not isinstance(properties.get("delivery_info"), dict):
        return "no delivery info"
    if not isinstance(headers, dict) or not isinstance(headers.get("id"), str):
        return "no task id"
    name = headers.get("task")
    if not isinstance(name, str) or not (name == COMPLETE or name.startswith("celery.")):
        return "a task that is not ours"
    is_json = entry.get("content-type") == "application/json"
    if not is_json or properties.get("body_encoding") != "base64":
        return "a body that is not JSON in base64"
    return _wrong_body(entry)


def _wrong_body(entry: dict[str, Any]) -> str:
    try:
        body = json.loads(base64.b64decode(entry.get("body") or "", validate=True))
    except (ValueError, TypeError, RecursionError):
        return "a body that cannot be decoded"
    match body:
        case [list(), dict(), _]:  # positional arguments, keyword arguments, what follows the task
            return ""
    return "a body that is no arguments"
