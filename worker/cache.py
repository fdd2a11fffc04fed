"""Exact-match cache of deterministic answers, single flight for identical jobs, stale copies for
bad days.

Redis down: a miss. The answer itself is stored by `settle`, in the same step as the outcome, so
that a follower that is woken by it finds it.
"""

import hashlib
import json
from urllib.parse import quote

from producer.contract.completions import Completion
from producer.contract.requests import CompletionRequest

from .faults import Deferred
from .ledger.connection import ERRORS, Keys, Redis
from .ledger.running_job import Job
from .ledger.scripts import Scripts
from .settings import CacheSettings, CallSettings, Link

FORMAT = 3
"""Of an entry; part of every key, so that versions side by side never read each other's. 2 had no
tags and no user.
"""
FOLLOWER_WAIT_S = 30.0
"""A follower is woken by its leader's end; this is only for a hint that got lost."""


class Cache:
    """Keys are SHA-256 over model, messages, parameters and version, under a namespace and its bust
    counters.
    """

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        settings: CacheSettings,
        call: CallSettings,
        links: tuple[Link, ...],
        batch: str,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._scripts = Scripts(redis, keys.root)
        self._settings = settings
        self._call = call
        self._chain = ",".join(link.name for link in links)
        self._batch = batch

    def get(self, job: Job) -> Completion | None:
        """A fresh answer, or None. Raises `Deferred` while an identical job is on its way: one call
        serves both.
        """
        if not self._cacheable(job.request):
            return None
        wanted = int(job.request.cache != "refresh")
        content, namespace = self._content(job.request), job.request.cache_namespace
        try:
            verdict, job.cache_key, entry, leader, now = self._scripts(
                "lookup", job.id, content, namespace, wanted, wanted
            )
        except ERRORS:
            return None
        if verdict == "follow":
            raise Deferred(
                f"an identical job, {leader}, is being answered",
                FOLLOWER_WAIT_S,
                wakes_on=f"job:{leader}",
            )
        if verdict == "hit":
            return _restored(job, entry, now)
        job.stale = entry
        return None

    def put(self, job: Job, completion: Completion) -> None:
        """Have the answer kept when the job is settled; truncated and degraded ones are not."""
        if job.cache_key and completion.finish_reason != "length" and completion.degraded is None:
            fresh_ms, stale_ms = self._settings.ttl_s * 1000, self._settings.stale_s * 1000
            tags = ",".join(job.request.tags)
            whose = f"{job.now_ms + fresh_ms};{job.now_ms};{tags};{maker(job.user_id)};"
            job.keep = (job.cache_key, whose + completion.model_dump_json(), fresh_ms + stale_ms)

    def stale(self, job: Job) -> Completion | None:
        """The answer that was too old to be used at first, marked with its age."""
        if not job.stale:
            return None
        return _restored(job, job.stale, job.now_ms).model_copy(update={"degraded": "stale"})

    def bust(self, namespace: str | None = None) -> int:
        """Hide every entry of a namespace, or of all; they age out by TTL. Returns the new
        generation.
        """
        name = "all" if namespace is None else f"ns:{namespace}"
        return int(self._redis.hincrby(self._keys.cache_generations, name, 1))

    def bust_tag(self, tag: str) -> None:
        """Hide every entry made until now by a request with this tag."""
        seconds, microseconds = self._redis.time()
        self._redis.hset(
            self._keys.cache_generations, f"tag:{tag}", int(seconds * 1000 + microseconds // 1000)
        )

    def _cacheable(self, request: CompletionRequest) -> bool:
        temperature = self._call.temperature if request.temperature is None else request.temperature
        if self._settings.ttl_s == 0 or temperature > 0 or request.cache == "bypass":
            return False
        turns = sum(message.role not in ("system", "developer") for message in request.messages)
        return request.cache != "auto" or (turns == 1 and not request.tools)

    def _content(self, request: CompletionRequest) -> str:
        lane = self._batch if request.lane == "batch" and not request.model else ""
        parts = [
            FORMAT,
            self._settings.version,
            self._chain,
            lane,
            self._call.max_tokens,
            request.fingerprint(),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def maker(user_id: str) -> str:
    """How an entry names the user whose job made it, so that it can be erased with the user."""
    return quote(user_id, safe="")


def _restored(job: Job, entry: str, now_ms: int) -> Completion:
    _, made_ms, _, _, body = entry.split(";", 4)
    age_s = max(0.0, (now_ms - int(made_ms)) / 1000)
    changes = {
        "request_id": job.id,
        "cached": True,
        "cost_usd": job.spent_micro / 1_000_000,
        "age_s": age_s,
        "attempts": job.attempts,
        "latency_ms": 0,
    }
    return Completion.model_validate_json(body).model_copy(update=changes)
