"""The producer's connection to the ledger, and its only use of redis-py.

Nothing is connected before the first call. Timeouts are short and there are no retries, so that a
web request does not hang on a frozen ledger.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Literal, TypeVar, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .connections import YOUNG, OneTrip
from .contract.errors import InvalidRequest, OutcomeUnknown, Unavailable
from .contract.ledger import calls
from .contract.ledger.call import Call, Reply
from .contract.ledger.functions import Functions, InvalidCall, LibraryMissing, ServerTooOld
from .contract.ledger.keys import LedgerKeys
from .contract.ledger.texts import keep_texts
from .contract.stored_texts import sha_of
from .contract.submission import Submission, submit
from .contract.used_limits import UsedLimit, used_limits
from .ledger_replies import (
    BatchChange,
    Cancellation,
    ItemRecord,
    JobStatus,
    OpenedBatch,
    Progress,
    RetriedItems,
    StoredOutcome,
    Submitted,
    SubmittedJob,
)
from .notices import Notices, Subscription
from .redis_trouble import described, refusal_of
from .redis_url import RedisUrl
from .settings import TIMEOUT_S

RedisError = redis.RedisError
_LIBRARY = SimpleNamespace(Redis=OneTrip, sentinel=redis.sentinel)
R = TypeVar("R", bound=Reply)

CONNECTION_ERRORS: tuple[type[Exception], ...] = (redis.RedisError, OSError)
UPLOAD_TIMEOUT_S = 10.0
"""To send one large text: 32 MB by a line of 30 Mbit/s."""


class LedgerClient:
    """Calls of the ledger, each with a typed reply. Every method raises `Unavailable`."""

    def __init__(self, url: str, keys: LedgerKeys, connections: int) -> None:
        """`connections`: at most so many, beside one to send large texts and one for notices."""
        self._url = url
        self._keys = keys
        self._redis = _client_of(url, TIMEOUT_S, connections, TIMEOUT_S)
        self._functions = Functions(self._redis, self._keys, redis.ResponseError)
        self._uploads = _client_of(url, UPLOAD_TIMEOUT_S, 1, UPLOAD_TIMEOUT_S)
        self._uploading = Functions(self._uploads, self._keys, redis.ResponseError)
        self._listening = _client_of(url, TIMEOUT_S, 1, TIMEOUT_S)

    def submit(self, submissions: list[Submission]) -> Submitted:
        """Write them in one step; those that are there already stay as they are."""
        with self._unavailable_if_away():
            reply = submit(submissions, self._functions, self._uploading)
        jobs = [SubmittedJob(state, job_id) for state, job_id in reply.jobs]
        return Submitted(jobs, reply.publications)

    def status(self, job_id: str) -> JobStatus | None:
        """None: the ledger has no such job."""
        reply = self._call(calls.Status(job_id), job_id)
        return JobStatus.from_reply(reply) if reply.state else None

    def cancel(self, job_id: str) -> Cancellation:
        """End a job that does not run, or ask its worker to stop its call."""
        reply = self._call(calls.Cancel(job_id), job_id)
        return Cancellation(reply.state, reply.publications)

    def report_wrong(self, job_id: str) -> bool:
        """Count the near question's answer that a job was given as wrong; False: it had none."""
        return self._call(calls.NearWrong(job_id), job_id).state == "ok"

    def outcome(self, job_id: str) -> StoredOutcome:
        return self.outcomes([job_id])[job_id]

    def outcomes(self, job_ids: list[str]) -> dict[str, StoredOutcome]:
        """Of each job, in one trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.get(self._keys.outcome(job_id))
            pipeline.exists(self._keys.job(job_id))
        with self._unavailable_if_away(job_ids[0] if len(job_ids) == 1 else ""):
            found = pipeline.execute()
        replies = zip(job_ids, found[::2], found[1::2], strict=True)
        return {job_id: StoredOutcome(text, bool(known)) for job_id, text, known in replies}

    def notices(self) -> Notices:
        """Of the ends of jobs. Raises nothing."""
        return Subscription(self._listening, self._keys.ended, CONNECTION_ERRORS)

    def limits(self, user_id: str) -> list[UsedLimit]:
        """Of the user, then of the user's group."""
        own = self._call(calls.LimitsLeft("user", user_id))
        found = used_limits("user", own.limits)
        if own.group:
            group = self._call(calls.LimitsLeft("group", own.group))
            found += used_limits("group", group.limits)
        return found

    def keep_text(self, text: str) -> None:
        """Store a text for an hour; a job that needs it keeps it longer."""
        with self._unavailable_if_away():
            keep_texts(self._functions, self._uploading, [{sha_of(text): text}])

    def open_batch(
        self, batch_id: str, user_id: str, label: str, retention_ms: int, max_micro: int | None
    ) -> OpenedBatch:
        """`max_micro`: the micro-dollars it may spend; None: as many as before."""
        if max_micro is None:
            max_micro = -1
        reply = self._call(calls.BatchOpen(batch_id, user_id, label, retention_ms, max_micro))
        stored_micro = None
        if reply.max_micro >= 0:
            stored_micro = reply.max_micro
        return OpenedBatch(reply.state, stored_micro)

    def close_batch(self, batch_id: str, total: int) -> None:
        """Say how many items it has. Raises `OutcomeUnknown`, as all that follow."""
        reply = self._call(calls.BatchClose(batch_id, total))
        _refuse_missing(batch_id, reply.state)

    def pause_batch(self, batch_id: str) -> BatchChange:
        """What runs goes on; nothing else starts."""
        return self._change("pause", batch_id)

    def resume_batch(self, batch_id: str) -> BatchChange:
        return self._change("resume", batch_id)

    def cancel_batch(self, batch_id: str) -> BatchChange:
        """Nothing starts any more, and calls under way are stopped."""
        return self._change("cancel", batch_id)

    def retry_items(self, batch_id: str, job_ids: list[str]) -> RetriedItems:
        """Try ended items again, each under a new id and with the request it had."""
        reply = self._call(calls.BatchRetry(batch_id, tuple(job_ids)))
        _refuse_missing(batch_id, reply.state)
        return RetriedItems(reply.ids, reply.publications)

    def batch_progress(self, batch_id: str) -> Progress:
        reply = self._call(calls.BatchProgress(batch_id))
        _refuse_missing(batch_id, reply.state or "missing")
        return Progress.from_reply(batch_id, reply)

    def latest_batches(self, count: int) -> list[str]:
        """Their ids, youngest first."""
        with self._unavailable_if_away():
            ids = self._redis.zrevrange(self._keys.batches, 0, count - 1)
        return cast(list[str], ids)

    def ended_items(self, batch_id: str, start: int) -> list[str]:
        """Ids of ended items from the `start`th on, in the order in which they ended."""
        key = self._keys.batch_ended(batch_id)
        with self._unavailable_if_away():
            ids = self._redis.lrange(key, start, -1)
        return cast(list[str], ids)

    def latest_tries(self, batch_id: str, job_ids: list[str]) -> list[str]:
        """Of each item the id under which it was tried last."""
        if not job_ids:
            return []
        key = self._keys.batch_tries(batch_id)
        with self._unavailable_if_away():
            tries = cast(list[str | None], self._redis.hmget(key, job_ids))
        numbered = zip(job_ids, tries, strict=True)
        return ["~".join(filter(None, pair)) for pair in numbered]

    def items(self, job_ids: list[str]) -> list[ItemRecord]:
        """In one trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.hmget(self._keys.job(job_id), "state", "name", "again", "ended")
            pipeline.get(self._keys.outcome(job_id))
        with self._unavailable_if_away():
            found = pipeline.execute()
        records = []
        for job_id, record, outcome in zip(job_ids, found[::2], found[1::2], strict=True):
            state, name, retried_as, ended_ms = (value or "" for value in record)
            ended_s = int(ended_ms or 0) // 1000
            records.append(ItemRecord(job_id, state, name, retried_as, ended_s, outcome))
        return records

    def close(self) -> None:
        self._redis.close()
        self._uploads.close()
        self._listening.close()

    @contextmanager
    def _unavailable_if_away(self, job_id: str = "") -> Iterator[None]:
        """`job_id`: for `Unavailable`, whose `refused` is the code with which a server refuses."""
        details = {"job_id": job_id} if job_id else {}
        try:
            yield
        except CONNECTION_ERRORS as error:
            if refusal := refusal_of(error):
                details["refused"] = refusal.code
            raise Unavailable(described(self._url, error), details) from None
        except (LibraryMissing, ServerTooOld) as error:
            raise Unavailable(str(error), details) from None
        except InvalidCall as error:
            raise InvalidRequest(f"the ledger refuses the call: {error}. Fix: correct it") from None

    def _change(self, change: Literal["pause", "resume", "cancel"], batch_id: str) -> BatchChange:
        reply = self._call(calls.BatchChange(batch_id, change))
        _refuse_missing(batch_id, reply.state)
        return BatchChange(reply.state, reply.publications)  # type: ignore[arg-type]

    def _call(self, call: Call[R], job_id: str = "") -> R:
        """`job_id`: for `Unavailable`."""
        with self._unavailable_if_away(job_id):
            return self._functions(call)


def _client_of(url: str, timeout_s: float, connections: int, wait_s: float) -> redis.Redis:
    """`timeout_s`: to send a call, and to read its reply; `wait_s`: for a connection."""
    options = {"decode_responses": True, "retry": Retry(NoBackoff(), 0)}
    bounds = {"max_connections": connections, "wait_s": wait_s}
    timeouts = {"socket_timeout": timeout_s, "socket_connect_timeout": TIMEOUT_S}
    options |= bounds | timeouts
    client: redis.Redis = RedisUrl.parse(url).client(_LIBRARY, TIMEOUT_S, YOUNG, **options)
    return client


def _refuse_missing(batch_id: str, state: str) -> None:
    if state == "missing":
        raise OutcomeUnknown(
            f"the ledger has no batch {batch_id}: never submitted, or kept too long ago"
        )
