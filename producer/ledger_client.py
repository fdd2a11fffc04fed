"""The producer's connection to the ledger, and its only use of redis-py.

Nothing is read or connected before the first call. Timeouts are short and there are no retries, so
that a web request does not hang on a frozen ledger.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, cast

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from .contract import ledger as shared
from .contract.errors import OutcomeUnknown, Unavailable
from .contract.submission import Publication, Submission
from .ledger_replies import (
    BatchChange,
    Cancellation,
    ItemRecord,
    JobStatus,
    Progress,
    RetriedItems,
    StoredOutcome,
    Submitted,
    SubmittedJob,
)
from .redis_url import RedisUrl
from .settings import ProducerSettings, load

RedisError = redis.RedisError

CONNECTION_ERRORS: tuple[type[Exception], ...] = (redis.RedisError, OSError)
CHUNK = 200
"""Jobs of one call of `submit`: about 5 ms in which the server does nothing else."""
DOCUMENT_S = 3600
"""How long a stored text waits for a job that needs it. A chunk of a batch is read and submitted
well within that time.
"""
TIMEOUT_S = 0.6
"""Per socket operation: to connect and to read one reply take less than the two seconds that
`Unavailable` promises.
"""

_settings: ProducerSettings | None = None
_client: "LedgerClient | None" = None


def current_settings() -> ProducerSettings:
    """What `use_settings` set, else the environment's. Raises `SettingsError`."""
    global _settings
    _settings = _settings or load()
    return _settings


def use_settings(settings: ProducerSettings) -> None:
    """For the whole process. A connection to the ledger that was in use is closed."""
    global _settings, _client
    _settings = settings
    if _client:
        _client.close()
    _client = None


def ledger() -> "LedgerClient":
    """The process's client, made on first use. Raises `SettingsError`."""
    global _client
    if _client is None:
        settings = current_settings()
        _client = LedgerClient(settings.ledger, settings.prefix)
    return _client


def unavailable(job_id: str = "") -> Unavailable:
    """With the id of a job that can be submitted again, if there is one."""
    fix = "the ledger cannot be reached. Fix: check REDIS_URL and LEDGER_URL"
    if not job_id:
        return Unavailable(fix)
    return Unavailable(f"{fix}; repeating with task_id={job_id!r} is safe", {"job_id": job_id})


def no_such_job(job_id: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"the ledger has no job {job_id}: never submitted, or kept too long ago")


@contextmanager
def _unavailable_if_away(job_id: str = "") -> Iterator[None]:
    try:
        yield
    except CONNECTION_ERRORS:
        raise unavailable(job_id) from None


class LedgerClient:
    """Calls of the ledger, each with a typed reply. Every method raises `Unavailable`."""

    def __init__(self, url: str, prefix: str) -> None:
        self._keys = shared.SharedKeys(prefix)
        self._redis: redis.Redis = RedisUrl.parse(url).client(
            redis,
            TIMEOUT_S,
            decode_responses=True,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._scripts: dict[str, Any] = {}

    def submit(self, submissions: list[Submission]) -> Submitted:
        """Write them in one step; those that are there already stay as they are."""
        reply = self._run("submit", *(value for each in submissions for value in each.argv()))
        border = 2 * len(submissions)
        pairs = zip(reply[:border:2], reply[1:border:2], strict=True)
        jobs = [SubmittedJob(state, job_id) for state, job_id in pairs]
        return Submitted(jobs, Publication.parse(reply[border + 1 :]))

    def status(self, job_id: str) -> JobStatus | None:
        """None: the ledger has no such job."""
        reply = self._run("status", job_id, job_id=job_id)
        if not reply:
            return None
        state, cost, maybe_billed, attempts, tried, _, _, _, ahead, users = reply
        history = [item.rpartition("=") for item in tried.split(";") if item]
        return JobStatus(
            state=state,
            attempts=attempts,
            cost_usd=cost / 1e6,
            maybe_billed_usd=maybe_billed / 1e6,
            tried=tuple((link, fault) for link, _, fault in history),
            ahead=ahead,
            users=users,
        )

    def cancel(self, job_id: str) -> Cancellation:
        """End a job that does not run, or ask its worker to stop its call."""
        state, *publications = self._run("cancel", job_id, job_id=job_id)
        return Cancellation(state, Publication.parse(publications))

    def outcome(self, job_id: str) -> StoredOutcome:
        """In one trip."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.get(self._keys.outcome(job_id))
        pipeline.exists(self._keys.job(job_id))
        with _unavailable_if_away(job_id):
            text, known = pipeline.execute()
        return StoredOutcome(text, bool(known))

    def keep_document(self, sha: str, text: str) -> None:
        """Store a text for `DOCUMENT_S`; a job that needs it keeps it longer."""
        key = self._keys.document(sha)
        with _unavailable_if_away():
            stored = self._redis.set(key, text, nx=True, ex=DOCUMENT_S)
            if not stored and self._redis.ttl(key) >= 0:
                self._redis.expire(key, DOCUMENT_S)

    def open_batch(
        self, batch_id: str, user_id: str, label: str, retention_ms: int, max_micro: int | None
    ) -> Literal["new", "same", "conflict"]:
        """`max_micro`: the micro-dollars it may spend. "conflict": it is another user's."""
        if max_micro is None:
            max_micro = -1
        (opened,) = self._batch("open", batch_id, user_id, label, retention_ms, max_micro)
        return cast(Literal["new", "same", "conflict"], opened)

    def close_batch(self, batch_id: str, total: int) -> None:
        """Say how many items it has. Raises `OutcomeUnknown`, as all that follow."""
        self._batch("close", batch_id, total)

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
        _, *reply = self._batch("retry", batch_id, *job_ids)
        border = reply.index("|")
        return RetriedItems(reply[:border], Publication.parse(reply[border + 1 :]))

    def batch_progress(self, batch_id: str) -> Progress:
        reply = self._batch("look", batch_id)
        border = reply.index("|")
        record = dict(zip(reply[:border:2], reply[1:border:2], strict=True))
        awaited_link, slowest, slowest_ms, now_ms = reply[border + 1 :]
        return Progress.from_record(batch_id, record, awaited_link, slowest, slowest_ms, now_ms)

    def latest_batches(self, count: int) -> list[str]:
        """Their ids, youngest first."""
        with _unavailable_if_away():
            ids = self._redis.zrevrange(self._keys.batches, 0, count - 1)
        return cast(list[str], ids)

    def ended_items(self, batch_id: str, start: int) -> list[str]:
        """Ids of ended items from the `start`th on, in the order in which they ended."""
        key = self._keys.batch_ended(batch_id)
        with _unavailable_if_away():
            ids = self._redis.lrange(key, start, -1)
        return cast(list[str], ids)

    def latest_tries(self, batch_id: str, job_ids: list[str]) -> list[str]:
        """Of each item the id under which it was tried last."""
        if not job_ids:
            return []
        key = self._keys.batch_tries(batch_id)
        with _unavailable_if_away():
            tries = cast(list[str | None], self._redis.hmget(key, job_ids))
        numbered = zip(job_ids, tries, strict=True)
        return ["~".join(filter(None, pair)) for pair in numbered]

    def items(self, job_ids: list[str]) -> list[ItemRecord]:
        """In one trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.hmget(self._keys.job(job_id), "state", "name", "again", "ended")
            pipeline.get(self._keys.outcome(job_id))
        with _unavailable_if_away():
            found = pipeline.execute()
        records = []
        for job_id, record, outcome in zip(job_ids, found[::2], found[1::2], strict=True):
            state, name, retried_as, ended_ms = (value or "" for value in record)
            ended_s = int(ended_ms or 0) // 1000
            records.append(ItemRecord(job_id, state, name, retried_as, ended_s, outcome))
        return records

    def close(self) -> None:
        self._redis.close()

    def _change(self, operation: str, batch_id: str) -> BatchChange:
        state, *publications = self._batch(operation, batch_id)
        return BatchChange(state, Publication.parse(publications))

    def _batch(self, operation: str, batch_id: str, *argv: str | int) -> list[Any]:
        reply = self._run("batch", operation, batch_id, *argv)
        if reply[0] == "missing":
            raise OutcomeUnknown(
                f"the ledger has no batch {batch_id}: never submitted, or kept too long ago"
            )
        return reply

    def _run(self, name: str, *argv: str | int, job_id: str = "") -> list[Any]:
        """A shared script's reply, as its header documents. `job_id`: for `Unavailable`."""
        if name not in self._scripts:
            self._scripts[name] = self._redis.register_script(shared.script(name))
        with _unavailable_if_away(job_id):
            reply: list[Any] = self._scripts[name](keys=[self._keys.root], args=argv)
        return reply


class AsyncLedgerClient:
    """Outcomes for an event loop. Raises `CONNECTION_ERRORS`."""

    def __init__(self, url: str, prefix: str) -> None:
        self._keys = shared.SharedKeys(prefix)
        self._redis: redis.asyncio.Redis = RedisUrl.parse(url).client(
            redis.asyncio,
            3.0,
            decode_responses=True,
            socket_timeout=5.0,
            socket_connect_timeout=3.0,
        )

    async def outcomes(self, job_ids: list[str]) -> dict[str, StoredOutcome]:
        """Of each job, in one trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.get(self._keys.outcome(job_id))
            pipeline.exists(self._keys.job(job_id))
        found = await pipeline.execute()
        replies = zip(job_ids, found[::2], found[1::2], strict=True)
        return {job_id: StoredOutcome(text, bool(known)) for job_id, text, known in replies}

    async def close(self) -> None:
        await self._redis.aclose()
        manager = getattr(self._redis.connection_pool, "sentinel_manager", None)
        if manager:
            for sentinel in manager.sentinels:
                await sentinel.aclose()
