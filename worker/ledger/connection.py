"""The worker's one door to Redis. Nobody else imports redis; callers catch `ERRORS`."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from producer.redis_url import RedisUrl

from .keys import Keys

Redis = redis.Redis

__all__ = ["ERRORS", "Keys", "Redis", "connect", "unsafe"]

ERRORS: tuple[type[Exception], ...] = (redis.RedisError, OSError)
"""What a call raises when the server is down, frozen, read-only or out of memory."""


def connect(url: str, timeout_s: float = 5.0) -> Redis:
    """A pooled client, safe across threads, that never retries by itself: who may wait how long is
    the caller's business.

    A frozen server costs `timeout_s` per call, not the client's default ten retries.
    """
    client: Redis = RedisUrl.of(url).client(
        redis,
        min(timeout_s, 3.0),
        decode_responses=True,
        socket_timeout=timeout_s,
        socket_connect_timeout=min(timeout_s, 3.0),
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 0),
    )
    return client


def unsafe(server: Redis) -> list[str]:
    """What of the server's configuration can lose jobs, with the fix. Empty if it may not be asked
    (ACL, managed services).
    """
    try:
        told: dict[str, str] = server.config_get("maxmemory-policy", "appendonly")  # type: ignore[assignment]
    except ERRORS:
        return []
    warnings = []
    if told.get("maxmemory-policy", "noeviction") != "noeviction":
        warnings.append(
            f"UNSAFE_LEDGER: maxmemory-policy is {told['maxmemory-policy']}: an evicted key is a lost job. "
            "Fix: CONFIG SET maxmemory-policy noeviction"
        )
    if told.get("appendonly", "yes") != "yes":
        warnings.append(
            "UNSAFE_LEDGER: no append-only file: a restart forgets every job. Fix: CONFIG SET appendonly yes"
        )
    return warnings
