"""One call of `complete`, checked and ready for the ledger: the same from a producer, from a
worker's canvas, or adopted.

It knows Celery's options by name but never imports Celery.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import InvalidRequest, JobError
from .names import WIRE_VERSION, Lane
from .outcome import dump_outcome
from .requests import CompletionRequest

CONTINUATION = (
    "link",
    "link_error",
    "chain",
    "chord",
    "group_id",
    "group_index",
    "root_id",
    "parent_id",
)
"""Celery's options that say what happens after a job; kept in the ledger and put on every
publication of its id.
"""

_MEANINGLESS = ("queue", "exchange", "routing_key")


@dataclass(frozen=True)
class Submission:
    """What the submit script stores. Build it with `from_call`, which raises `InvalidRequest` in
    the caller's stack.
    """

    job_id: str
    user_id: str
    request: CompletionRequest
    continuation: dict[str, Any]
    delay_ms: int = 0
    deadline_ms: int = 0
    idempotency_key: str = ""
    """The same key and request of a user within 24 h are the same job."""
    replays: str = ""
    """The dead letter this is sent again for."""
    batch: str = ""
    name: str = ""
    """What the caller calls this item of the batch."""
    wrong: JobError | None = None
    """Why this item can never be run; it ends so at once."""
    parent: str = ""
    """The job this is a part of."""

    @classmethod
    def from_call(
        cls, job_id: str, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]
    ) -> "Submission":
        """From `complete(messages, user_id, **options)` and Celery's own options (countdown, eta,
        expires, link...).
        """
        fields = _named(args, kwargs)
        user_id = _user(fields.pop("user_id", None))
        idempotency_key = _idempotency_key(fields.pop("idempotency_key", None))
        for name in _MEANINGLESS:
            if options.get(name) is not None:
                raise InvalidRequest(
                    f"{name}: a completion is routed by its lane. Fix: pass lane='batch' or 'interactive'"
                )
        request = CompletionRequest.checked(**fields)
        delay_ms = _delay_ms(options)
        return cls(
            job_id=job_id,
            user_id=user_id,
            request=request,
            continuation=_continuation(options),
            delay_ms=delay_ms,
            deadline_ms=_deadline_ms(request, options),
            idempotency_key=idempotency_key,
        )

    def argv(self) -> tuple[str | int, ...]:
        """The submit script's arguments."""
        return (
            self.job_id,
            self.user_id,
            self.request.lane,
            self.request.fingerprint(),
            self.request.to_json(),
            json.dumps(self.continuation) if self.continuation else "",
            self.deadline_ms,
            self.delay_ms,
            self.idempotency_key,
            self.replays,
            self.batch,
            self.name,
            dump_outcome(self.wrong) if self.wrong else "",
            self.parent,
            self.request.document or "",
            ",".join(sorted(set(self.request.tags))),
            WIRE_VERSION,
        )


@dataclass(frozen=True)
class Publication:
    """An order from the ledger: put this id on its lane's queue, with Celery's continuation headers
    if it has any.
    """

    job_id: str
    lane: Lane
    continuation: dict[str, Any]

    @classmethod
    def parse(cls, reply: list[Any]) -> "list[Publication]":
        """From a script's reply: id, lane, continuation JSON or "", three entries per order."""
        triples = zip(reply[::3], reply[1::3], reply[2::3], strict=True)
        return [
            cls(job_id, lane, json.loads(after) if after else {}) for job_id, lane, after in triples
        ]


def _named(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    if len(args) > 2:
        raise InvalidRequest(
            "complete takes two positional arguments, messages and user_id. Fix: name the others; in a chain, where the answer "
            "before comes first, use complete.si(...)"
        )
    fields = dict(zip(("messages", "user_id"), args, strict=False))
    twice = fields.keys() & kwargs.keys()
    if twice:
        raise InvalidRequest(
            f"{min(twice)}: given twice, by position and by name. Fix: give it once"
        )
    return fields | kwargs


def _user(user_id: Any) -> str:
    if (
        not isinstance(user_id, str)
        or not user_id
        or len(user_id) > 128
        or not user_id.isprintable()
    ):
        got = "missing" if user_id is None else f"a {type(user_id).__name__}"
        raise InvalidRequest(
            f"user_id: needs a printable string of 1 to 128 characters, this one is {got}. Fix: pass str(user.id)",
            {"fields": ["user_id"]},
        )
    return user_id


def _idempotency_key(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not value or len(value) > 255 or not value.isprintable():
        raise InvalidRequest(
            "idempotency_key: needs a printable string of 1 to 255 characters. Fix: pass for example a uuid4 as text",
            {"fields": ["idempotency_key"]},
        )
    return value


def _seconds_until(moment: Any, name: str) -> float:
    """From now to a datetime (naive means UTC, as in Celery), an ISO text, or a number of seconds."""
    try:
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        if isinstance(moment, datetime):
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return (aware - datetime.now(UTC)).total_seconds()
        return float(moment)
    except (TypeError, ValueError):
        raise InvalidRequest(f"{name}: needs seconds or a datetime. Fix: {name}=60") from None


def _delay_ms(options: dict[str, Any]) -> int:
    waits = [
        _seconds_until(options[name], name)
        for name in ("countdown", "eta")
        if options.get(name) is not None
    ]
    return max(0, int(max(waits, default=0.0) * 1000))


def _deadline_ms(request: CompletionRequest, options: dict[str, Any]) -> int:
    limits = [] if request.deadline_s is None else [request.deadline_s]
    if options.get("expires") is not None:
        limits.append(_seconds_until(options["expires"], "expires"))
    return max(1, int(min(limits) * 1000)) if limits else 0


def _continuation(options: dict[str, Any]) -> dict[str, Any]:
    kept = {name: options[name] for name in CONTINUATION if options.get(name) not in (None, [], ())}
    if not kept:
        return {}
    try:
        return dict(json.loads(json.dumps(kept)))
    except (TypeError, ValueError):
        raise InvalidRequest(
            "link, chain or chord: its arguments must be plain JSON. Fix: pass ids, not objects"
        ) from None
