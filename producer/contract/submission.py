"""One call of `complete`, checked and ready for the ledger.

Made by a producer, or by a worker from a canvas or a plain Celery message. It knows the names of
Celery's options but never imports Celery.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from .alike import Written, written
from .arguments import named
from .errors import InvalidRequest, JobError
from .identifiers import checked_id, checked_job_id, checked_label
from .ledger.calls import Submit, SubmitReply, SubmittedItem
from .ledger.functions import Functions
from .ledger.texts import keep_texts
from .names import QUEUES
from .outcome import dump_outcome
from .requests import MAX_REQUEST_BYTES, CompletionRequest
from .stored_texts import taken_apart
from .user_ids import checked_user

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
"""Celery's options that say what happens after a job; kept in the ledger, where its worker reads
them.
"""

CHUNK = 200
"""Jobs of one call of `submit`: about 5 ms in which the server does nothing else."""

_REFUSED = ("queue", "exchange", "routing_key")
_TOO_MANY = (
    "complete takes two positional arguments, messages and user_id. "
    "Fix: name the others; in a chain, where the answer before comes first, use complete.si(...)"
)
_SIGNATURES = ("link", "link_error", "chain")
_LONGEST_S = 10 * 365 * 86_400


class Stored(NamedTuple):
    """A submission for the ledger. `texts`: what is to be kept apart before, hash -> text."""

    item: SubmittedItem
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Submission:
    """What `submit` stores. Made by `from_call`, which checks it."""

    job_id: str
    user_id: str
    asked: CompletionRequest | Written
    continuation: dict[str, Any]
    delay_ms: int = 0
    deadline_ms: int = 0
    idempotency_key: str = ""
    """The same key, user and request within 24 h are the same job; "" if there is no key."""
    replays: str = ""
    """The dead letter whose request this is; "" if it is not a replay."""
    batch: str = ""
    """The batch of which it is an item; "" if it is none."""
    name: str = ""
    """What the caller calls this item of the batch."""
    wrong: JobError | None = None
    """Why this item of a batch cannot be run. It ends with this error at once."""
    parent: str = ""
    """The job of which it is a part; "" if it is none."""

    @property
    def request(self) -> CompletionRequest:
        return self.written.request

    @property
    def written(self) -> Written:
        return self.asked if isinstance(self.asked, Written) else Written.of(self.asked)

    @classmethod
    def from_call(
        cls,
        job_id: Any,
        args: Any,
        kwargs: Any,
        options: dict[str, Any],
        batch: str = "",
        name: Any = "",
        max_bytes: int = MAX_REQUEST_BYTES,
        user_ids: Collection[str] = (),
    ) -> "Submission":
        """From the arguments of `complete` and Celery's options (countdown, eta, expires, link...).

        `batch`, `name`: of which it is an item, and what the caller calls it. `max_bytes`: of its
        request as JSON. `user_ids`: how ids that mean one user are spelt (`user_ids.FORMS`).

        Raises `InvalidRequest`, whatever the arguments are.
        """
        if not batch:
            checked_job_id("task_id", job_id)
        fields = named(("messages", "user_id"), args, kwargs, _TOO_MANY)
        user_id = checked_user(fields.pop("user_id", None), user_ids)
        idempotency_key = _idempotency_key(fields.pop("idempotency_key", None))
        for option in _REFUSED:
            if options.get(option) is not None and not _is_own_queue(options[option]):
                raise InvalidRequest(
                    f"{option}: a completion is routed by its lane. "
                    "Fix: pass lane='batch' or 'interactive'"
                )
        asked = written(fields, max_bytes)
        return cls(
            job_id=job_id,
            user_id=user_id,
            asked=asked,
            continuation=_continuation(options) if options else {},
            delay_ms=_delay_ms(options) if options else 0,
            deadline_ms=_deadline_ms(asked.options, options),
            idempotency_key=idempotency_key,
            batch=batch,
            name=checked_label("name", name),
        )

    def stored(self) -> Stored:
        """As the ledger takes it."""
        written = self.written
        request = written.options
        apart = taken_apart(written.text)
        document = [request.document] if request.document else []
        wire = max(written.wire, 2 if self.continuation else 1)
        item = SubmittedItem(
            id=self.job_id,
            user=self.user_id,
            lane=request.lane,
            fingerprint=written.fingerprint(),
            request=apart.request,
            continuation=json.dumps(self.continuation) if self.continuation else "",
            deadline_ms=self.deadline_ms,
            delay_ms=self.delay_ms,
            idempotency_key=self.idempotency_key,
            replays=self.replays,
            batch=self.batch,
            name=self.name,
            wrong=dump_outcome(self.wrong) if self.wrong else "",
            parent=self.parent,
            texts=",".join([*document, *apart.texts]),
            tags=",".join(sorted(set(request.tags))),
            wire=3 if apart.texts else wire,
        )
        return Stored(item, apart.texts)


def submit(submissions: list[Submission], functions: Functions, uploads: Functions) -> SubmitReply:
    """Write them in one step; those that are there already stay as they are.

    `uploads`: the ledger's functions on a connection that has time for large texts.
    """
    stored = [each.stored() for each in submissions]
    keep_texts(functions, uploads, [each.texts for each in stored])
    return functions(Submit(functions.library.name, tuple(each.item for each in stored)))


def _is_own_queue(value: Any) -> bool:
    """The one that a signature of ours carries to those who publish it by name."""
    return isinstance(value, str) and value.endswith(QUEUES["interactive"])


def _idempotency_key(value: Any) -> str:
    """ "" if there is none."""
    if value is None:
        return ""
    return checked_id("idempotency_key", value)


def _seconds_until(moment: Any, name: str) -> float:
    """From now to a datetime (naive means UTC, as in Celery) or an ISO text; or plain seconds."""
    try:
        seconds = _seconds(moment)
    except (TypeError, ValueError, ArithmeticError):
        raise InvalidRequest(f"{name}: needs seconds or a datetime. Fix: {name}=60") from None
    if not seconds <= _LONGEST_S:  # also NaN
        raise InvalidRequest(f"{name}: at most ten years from now. Fix: {name}=60")
    return seconds


def _seconds(moment: Any) -> float:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if not isinstance(moment, datetime):
        return max(float(moment), -float(_LONGEST_S))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    left: timedelta = moment - datetime.now(UTC)
    return left.total_seconds()


def _delay_ms(options: dict[str, Any]) -> int:
    given = [name for name in ("countdown", "eta") if options.get(name) is not None]
    delays = [_seconds_until(options[name], name) for name in given]
    return max(0, int(max(delays, default=0.0) * 1000))


def _deadline_ms(request: CompletionRequest, options: dict[str, Any]) -> int:
    """From submission; 0: none."""
    limits = []
    if request.deadline_s is not None:
        limits.append(request.deadline_s)
    if options.get("expires") is not None:
        limits.append(_seconds_until(options["expires"], "expires"))
    if not limits:
        return 0
    return max(1, int(min(limits) * 1000))


def _continuation(options: dict[str, Any]) -> dict[str, Any]:
    kept = {name: options[name] for name in CONTINUATION if options.get(name) not in (None, [], ())}
    if not kept:
        return {}
    try:
        plain = dict(json.loads(json.dumps(kept, allow_nan=False)))
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequest(
            "link, chain or chord: its arguments must be plain JSON. Fix: pass ids, not objects"
        ) from None
    for name, value in plain.items():
        if not _is_continuation(name, value):
            raise InvalidRequest(
                f"{name}: is none that Celery would take. Fix: pass signatures, as task.s(...)",
                {"fields": [name]},
            )
    return plain


def _is_continuation(name: str, value: Any) -> bool:
    if name in _SIGNATURES:
        listed = value if isinstance(value, list) else [value]
        return all(_is_signature(each) for each in listed)
    if name == "chord":
        return _is_signature(value)
    if name == "group_index":
        return type(value) is int
    return isinstance(value, str)


def _is_signature(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("task"), str)
