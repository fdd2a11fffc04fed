"""Forgetting a user: jobs, answers, cached answers, dead letters, batches, limits, audit log. What
was used stays counted.

Redis down: raises one of `store.ERRORS`; repeating goes on where it stopped. Logs are not reached:
they hold names, no prompts.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from producer.contract.submission import Publication

from .audit.reader import AuditReader
from .budgets.overrides import Overrides, Subject
from .cache import maker
from .ledger.connection import Keys, Redis
from .ledger.ledger import Ledger
from .ledger.scripts import Scripts

NOBODY = "erased"
"""Whose usage it is afterwards."""
HEAD = 4_096
"""Enough of a cache entry to hold what stands before the answer."""
PAGE = 1_000
RESULT = "celery-task-meta-{}"
"""Celery's key of a result."""


@dataclass
class Erased:
    """What was forgotten so far."""

    looked_at: int = 0
    """Keys of the ledger."""
    jobs: int = 0
    cached: int = 0
    batches: int = 0
    unfinished: int = 0
    """Jobs and batches that were cancelled and have not ended yet: they are forgotten by another
    run.
    """
    usage_rows: int = 0
    audited: int = 0
    """Jobs in the audit log."""


class Erasure:
    """`results`: Celery's result backend. `trail`: the audit log's, None if there is none."""

    def __init__(
        self, redis: Redis, keys: Keys, jobs: Ledger, results: Redis, trail: AuditReader | None
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._jobs = jobs
        self._scripts = Scripts(redis, keys.root)
        self._results = results
        self._trail = trail

    def run(self, user_id: str) -> Iterator[tuple[Erased, list[Publication]]]:
        """One pass over everything; after each page, what was done so far and what to publish."""
        erased = Erased()
        cursor = -1
        while cursor != 0:
            cursor, found = self._redis.scan(
                max(cursor, 0), match=f"{self._keys.root}*", count=PAGE
            )
            erased.looked_at += len(found)
            yield erased, list(self._page(user_id, [str(key) for key in found], erased))
        erased.usage_rows = self._disown(user_id)
        Overrides(self._redis, self._keys).reset(Subject("user", user_id))
        if self._trail:
            erased.audited = self._trail.erase(user_id)
        yield erased, []

    def _page(self, user_id: str, found: list[str], erased: Erased) -> Iterator[Publication]:
        """Of these keys, whatever is the user's."""
        erased.cached += self._cached(user_id, found)
        for batch in self._owned(user_id, found, self._keys.batch("")):
            yield from self._batch(batch, erased)
        jobs = self._owned(user_id, found, self._keys.job(""))
        letters = self._owned(user_id, found, self._keys.dead_letter(""))
        for job_id in jobs:
            yield from self._jobs.cancel(job_id)[1]
        forgotten = self._scripts("erase", user_id, *jobs, *letters) if jobs or letters else []
        if forgotten:
            self._results.delete(*map(RESULT.format, forgotten))
        erased.jobs += len(forgotten)
        erased.unfinished += len(jobs) - len(forgotten)

    def _owned(self, user_id: str, found: list[str], prefix: str) -> list[str]:
        """Names of the hashes under `prefix` whose field "user" is that user."""
        names = [key.removeprefix(prefix) for key in found if key.startswith(prefix)]
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hget(prefix + name, "user")
            return [
                name for name, user in zip(names, pipe.execute(), strict=True) if user == user_id
            ]

    def _cached(self, user_id: str, found: list[str]) -> int:
        entries = [
            key for key in found if key.startswith(self._keys.cached("", "", "").rstrip(":") + ":")
        ]
        with self._redis.pipeline(transaction=False) as pipe:
            for key in entries:
                pipe.getrange(key, 0, HEAD)
            heads = pipe.execute()
        whose = [(key, head.split(";", 4)[3:4]) for key, head in zip(entries, heads, strict=True)]
        # An entry of a version before this names nobody.
        mine = [
            key
            for key, names in whose
            if names in ([], [maker(user_id)]) or names[0].startswith("{")
        ]
        return self._redis.delete(*mine) if mine else 0

    def _batch(self, batch: str, erased: Erased) -> list[Publication]:
        """Cancel one that is open; forget one that has ended. Its items are jobs of the user like
        any other.
        """
        _, *publications = self._scripts("batch", "cancel", batch)
        if self._redis.hexists(self._keys.batch(batch), "ended"):
            keys = self._keys
            self._redis.delete(
                keys.batch(batch),
                keys.batch_staged(batch),
                keys.batch_live(batch),
                keys.batch_ended(batch),
                keys.batch_tries(batch),
                keys.limits("batch", batch),
                keys.budget("usd", "batch", batch),
            )
            self._redis.zrem(keys.batches, batch)
            erased.batches += 1
        else:
            erased.unfinished += 1
        return Publication.parse(publications)

    def _disown(self, user_id: str) -> int:
        """The sums of what the user used go to nobody."""
        rows = 0
        for key in list(self._redis.scan_iter(f"{self._keys.root}use:*", count=PAGE)):
            day = str(key).rpartition(":")[2]
            mine = [
                name
                for name, _ in self._redis.hscan_iter(str(key), count=PAGE)
                if json.loads(name)[0] == user_id
            ]
            rows += int(self._scripts("disown", day, NOBODY, *mine)[0]) if mine else 0
        return rows
