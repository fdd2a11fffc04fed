"""The producer's one door to Redis. Short timeouts and no retries: a web request must not hang on a
frozen ledger.
"""

from typing import Any

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from .contract import ledger
from .redis_url import RedisUrl

Redis = redis.Redis
RedisError = redis.RedisError

ERRORS: tuple[type[Exception], ...] = (redis.RedisError, OSError)
DOCUMENT_S = 3600
"""How long a stored text waits for a job that needs it: a piece of a batch is read and submitted
well within.
"""
TIMEOUT_S = 0.6
"""Per socket operation: connect and one reply stay under the two seconds that `Unavailable`
promises.
"""


class Store:
    """The ledger as a producer sees it. Every method raises what `ERRORS` lists."""

    def __init__(self, url: str, prefix: str) -> None:
        self.keys = ledger.SharedKeys(prefix)
        self._redis: Redis = RedisUrl.of(url).client(
            redis,
            TIMEOUT_S,
            decode_responses=True,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._scripts: dict[str, Any] = {}

    def run(self, name: str, *argv: str | int) -> list[Any]:
        """A shared script's reply, as its header documents."""
        if name not in self._scripts:
            self._scripts[name] = self._redis.register_script(ledger.script(name))
        reply: list[Any] = self._scripts[name](keys=[self.keys.root], args=argv)
        return reply

    def outcome(self, job_id: str) -> tuple[str | None, bool]:
        """The stored outcome, if any, and whether the ledger knows the job at all; one trip."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.get(self.keys.outcome(job_id))
        pipeline.exists(self.keys.job(job_id))
        text, known = pipeline.execute()
        return text, bool(known)

    def ended(self, batch: str, start: int) -> list[str]:
        """Ids of a batch's ended items from the `start`th on, in the order in which they ended."""
        ids: list[str] = self._redis.lrange(self.keys.batch_ended(batch), start, -1)  # type: ignore[assignment]
        return ids

    def items(
        self, batch: str, ids: list[str], latest: bool
    ) -> list[tuple[str, dict[str, str], str | None]]:
        """(id, {state, name, again, ended}, outcome) of each; `latest`: of its latest try instead.
        Two trips.
        """
        if latest and ids:
            tries: list[str | None] = self._redis.hmget(self.keys.batch_tries(batch), ids)  # type: ignore[assignment]
            ids = [
                f"{job_id}~{number}" if number else job_id
                for job_id, number in zip(ids, tries, strict=True)
            ]
        names = ("state", "name", "again", "ended")
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in ids:
            pipeline.hmget(self.keys.job(job_id), *names)
            pipeline.get(self.keys.outcome(job_id))
        found = pipeline.execute()
        records = [
            {name: value or "" for name, value in zip(names, record, strict=True)}
            for record in found[::2]
        ]
        return list(zip(ids, records, found[1::2], strict=True))

    def keep_document(self, sha: str, text: str) -> None:
        """Store a text for `DOCUMENT_S`; a job that needs it keeps it longer."""
        key = self.keys.document(sha)
        if not self._redis.set(key, text, nx=True, ex=DOCUMENT_S) and self._redis.ttl(key) >= 0:
            self._redis.expire(key, DOCUMENT_S)

    def batches(self, count: int) -> list[str]:
        """The latest batches' ids, youngest first."""
        ids: list[str] = self._redis.zrevrange(self.keys.batches, 0, count - 1)  # type: ignore[assignment]
        return ids

    def close(self) -> None:
        self._redis.close()


class AsyncStore:
    """Outcomes for an event loop. Raises what `ERRORS` lists."""

    def __init__(self, url: str, prefix: str) -> None:
        self._keys = ledger.SharedKeys(prefix)
        self._redis: redis.asyncio.Redis = RedisUrl.of(url).client(
            redis.asyncio,
            3.0,
            decode_responses=True,
            socket_timeout=5.0,
            socket_connect_timeout=3.0,
        )

    async def outcomes(self, job_ids: list[str]) -> dict[str, tuple[str | None, bool]]:
        """Of each job, its outcome if it has one, and whether the ledger knows it; one trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.get(self._keys.outcome(job_id))
            pipeline.exists(self._keys.job(job_id))
        found = await pipeline.execute()
        return {
            job_id: (text, bool(known))
            for job_id, text, known in zip(job_ids, found[::2], found[1::2], strict=True)
        }

    async def close(self) -> None:
        await self._redis.aclose()
        sentinels = getattr(self._redis.connection_pool, "sentinel_manager", None)
        for each in sentinels.sentinels if sentinels else ():
            await each.aclose()
