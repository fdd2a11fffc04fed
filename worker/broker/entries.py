"""What of an entry of the broker reaches Celery. Pure.

Who may write the broker is trusted with little: an entry is read as a job's id, and is built anew
from it. What else it brings (callbacks, an eta, a time limit, a name for the log) is left out, so
that nothing of it can reach a job that the ledger knows. Of an entry with arguments, which a plain
Celery client sent, they and Celery's options are kept in one header of ours.
"""

import base64
import json
from typing import Any

from producer.contract.names import COMPLETE

MAX_ENTRY_BYTES = 2_000_000
"""The largest broker entry that is read: a request of 1 MB in base64, and its envelope.

Our own hold a job's id and no more.
"""

MAX_ID = 1024
"""Characters of an id, as in the ledger: a part of a document has a longer one than its job."""

FOREIGN = "foreign"
"""The header with the arguments and options of a message that a plain Celery client sent."""

NO_QUEUE = "_kombu.none"
"""A list that the broker never has, so that LPUSHX there writes nothing; a server that refuses to
be written to refuses that too. Whoever uses the broker has the right to it.
"""

NOTHING = "application/x-no-arguments"
"""The content type of a body that is known without being read: it says no arguments. Of this
process only: what goes back to the broker says JSON, as every version reads it.
"""

_NO_ARGUMENTS = base64.b64encode(b"[[], {}, {}]").decode()
_IN_HEADERS = {"group": "group_id", "group_index": "group_index", "root_id": "root_id"} | {
    name: name for name in ("parent_id", "expires", "eta")
}
_AFTER_IT = {"callbacks": "link", "errbacks": "link_error", "chain": "chain", "chord": "chord"}
"""Celery's names in a message -> its options of `apply_async`."""


class Unsound(Exception):
    """An entry that Celery must not see: it would stop a worker, or Celery would print its body.

    The text says why and never quotes the entry.
    """


def message_of(item: bytes, queue: str, adopt: bool) -> dict[str, Any]:
    """The message that Celery gets. Raises `Unsound`.

    `adopt`: whether one with arguments is let in.
    """
    entry = _read(item)
    _check_envelope(entry)
    headers = entry["headers"]
    job_id = headers["id"]
    args, kwargs, after = _body(entry)
    foreign = headers.get(FOREIGN)
    if args or kwargs:
        foreign = {"args": args, "kwargs": kwargs, "options": _options(headers, after)}
    if foreign and not adopt:
        raise Unsound(
            "a message with arguments, not an id of the ledger's. "
            "Fix: submit with producer, or set LLM_ADOPT_FOREIGN_MESSAGES=true"
        )
    content_type = "application/json"
    said = {"lang": "py", "task": COMPLETE, "id": job_id, "argsrepr": "()", "kwargsrepr": "{}"}
    if _is_foreign(foreign):
        said[FOREIGN] = foreign
    else:
        content_type = NOTHING
    properties = entry["properties"]
    redelivered = properties["delivery_info"].get("redelivered") is True
    return {
        "body": _NO_ARGUMENTS,
        "content-encoding": "utf-8",
        "content-type": content_type,
        "headers": said,
        "properties": {
            "correlation_id": job_id,
            "delivery_mode": 2,
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": properties["delivery_tag"],
            "delivery_info": {"exchange": "", "routing_key": queue, "redelivered": redelivered},
        },
    }


def is_id(message: dict[str, Any]) -> bool:
    """Whether it is one of `message_of` without arguments: the ledger has the rest."""
    return message.get("content-type") == NOTHING


def entry_of(message: dict[str, Any]) -> str:
    """One of `message_of`, as the broker had it."""
    return json.dumps(message | {"content-type": "application/json"})


def _read(item: bytes) -> Any:
    if len(item) > MAX_ENTRY_BYTES:
        raise Unsound(f"{len(item):,} bytes, at most {MAX_ENTRY_BYTES:,} are read")
    try:
        return json.loads(item)
    except (ValueError, RecursionError):
        raise Unsound("not JSON") from None


def _check_envelope(entry: Any) -> None:
    if not isinstance(entry, dict):
        raise Unsound("not a JSON object")
    properties = entry.get("properties")
    headers = entry.get("headers")
    if not isinstance(properties, dict) or not _is_id(properties.get("delivery_tag")):
        raise Unsound("no delivery tag")
    if not isinstance(properties.get("delivery_info"), dict):
        raise Unsound("no delivery info")
    if not isinstance(headers, dict) or not isinstance(headers.get("id"), str):
        raise Unsound("no task id")
    if not _is_id(headers["id"]):
        raise Unsound("a task id that no job can have")
    if headers.get("task") != COMPLETE:
        raise Unsound("a task that is not ours")
    is_json = entry.get("content-type") == "application/json"
    if not is_json or properties.get("body_encoding") != "base64":
        raise Unsound("a body that is not JSON in base64")


def _is_id(value: Any) -> bool:
    """Of a job, one of its parts, or a delivery: one line of a log."""
    return isinstance(value, str) and 1 <= len(value) <= MAX_ID and value.isprintable()


def _body(entry: dict[str, Any]) -> tuple[list[Any], dict[str, Any], Any]:
    try:
        body = json.loads(base64.b64decode(entry.get("body") or "", validate=True))
    except (ValueError, TypeError, RecursionError):
        raise Unsound("a body that cannot be decoded") from None
    match body:
        case [list() as args, dict() as kwargs, after]:
            return args, kwargs, after
    raise Unsound("a body that is no arguments")


def _options(headers: dict[str, Any], after: Any) -> dict[str, Any]:
    """What the client asked of Celery, by the names of `apply_async`. Not checked yet."""
    options = {option: headers.get(name) for name, option in _IN_HEADERS.items()}
    if isinstance(after, dict):
        options |= {option: after.get(name) for name, option in _AFTER_IT.items()}
    return options


def _is_foreign(value: Any) -> bool:
    """Whether it is what `message_of` makes: a message comes back when it was not acknowledged."""
    match value:
        case {"args": list(), "kwargs": dict(), "options": dict()}:
            return len(value) == 3
    return False
