"""The producer's one door to Redis. Short timeouts and no retries: a web request must not hang on a frozen ledger."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .contract import ledger

Redis = redis.Redis

ERRORS: tuple[type[Exception], ...] = (redis.RedisError, OSError)
TIMEOUT_S = 0.6
"""Per socket operation: connect and one reply stay under the two seconds that `Unavailable` promises."""


class Store:
    """The ledger as a producer sees it. Every method raises what `ERRORS` lists."""

    def __init__(self, url: str, prefix: str) -> None:
        self.keys = ledger.SharedKeys(prefix)
        self._redis: Redis = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._scripts: dict[str, Any] = {}

    def run(self, name: str, *argv: str | int) -> list[Any]:
        """A shared script's reply, as its header documents."""
        self._register(name)
        reply: list[Any] = self._scripts[name](keys=[self.keys.root], args=argv)
        return reply

    def _register(self, name: str) -> None:
        if name not in self._scripts:
            self._scripts[name] = self._redis.register_script(ledger.script(name))

    def run_many(self, name: str, argvs: list[tuple[str | int, ...]]) -> list[list[Any]]:
        """A shared script's replies for each of `argvs`, sent together in one trip."""
        self._register(name)
        pipeline = self._redis.pipeline(transaction=False)
        for argv in argvs:
            self._scripts[name](keys=[self.keys.root], args=argv, client=pipeline)
        replies: list[list[Any]] = pipeline.execute()
        return replies

    def outcome(self, job_id: str) -> tuple[str | None, bool]:
        """The stored outcome, if any, and whether the ledger knows the job at all; one trip."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.get(self.keys.outcome(job_id))
        pipeline.exists(self.keys.job(job_id))
        text, known = pipeline.execute()
        return text, bool(known)

    def close(self) -> None:
        self._redis.close()
