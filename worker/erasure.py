"""Forgetting a user: everything that names them, but for logs.

That is jobs, answers, cached answers, dead letters, batches, limits and entries of the audit log.
The sums of what was used stay, under no name. Logs are not reached: they hold names, no prompts.

Redis down: raises one of `connection.ERRORS`; repeating goes on where it stopped.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from producer.contract.ledger.calls import BatchChange
from producer.contract.names import FleetNames
from producer.contract.publication import Publication

from .audit.reader import AuditReader
from .budgets.overrides import Overrides, Subject
from .cache import maker
from .ledger.connection import Keys, Redis, ledger_functions
from .ledger.fleet_functions import BatchForget, ForgetJobs, ReassignUsage
from .ledger.ledger import Ledger
from .semantic.entries import Entry
from .semantic.index import VectorStore

NEW_NAME = "erased"
"""Under which the user's usage is summed afterwards."""
HEAD = 4_096
"""Characters of a cache entry: enough to hold what stands before the answer."""
PAGE = 1_000
STEP = 100
"""Jobs, rows or bills that are changed in one call of the ledger, which serves nobody else then."""
STEP_MS = 5
"""That such a call takes, or one job if that takes longer."""
USER = 4
"""The user's place in what is kept of a possible bill."""


@dataclass
class Erased:
    """What was forgotten so far."""

    scanned: int = 0
    """Keys of the ledger that were looked at."""
    jobs: int = 0
    cached: int = 0
    batches: int = 0
    unfinished: int = 0
    """Jobs and batches that were cancelled and have not ended yet: another run forgets them."""
    usage_rows: int = 0
    audited: int = 0
    """Jobs in the audit log."""
    left: int = 0
    """Vectors on a server that was not named."""

    def add_pass(self, other: "Erased") -> None:
        """Count another pass; what is unfinished is what that one left."""
        self.unfinished = 0
        self.add(other)

    def add(self, other: "Erased") -> None:
        """Count what was forgotten under another name."""
        self.jobs += other.jobs
        self.cached += other.cached
        self.batches += other.batches
        self.usage_rows += other.usage_rows
        self.audited += other.audited
        self.left += other.left
        self.unfinished += other.unfinished


class Erasure:
    """`results`: Celery's result backend. `audit_log`, `vectors`: None if there is none."""

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        ledger: Ledger,
        results: Redis,
        audit_log: AuditReader | None,
        vectors: VectorStore | None = None,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._ledger = ledger
        self._call = ledger_functions(redis, keys)
        self._results = results
        self._result = FleetNames.of(keys.prefix).results
        self._audit_log = audit_log
        self._vectors = vectors

    def run(self, user_id: str) -> Iterator[tuple[Erased, list[Publication]]]:
        """One pass over everything; after each page, what was done so far and what to publish."""
        erased = Erased()
        cursor = -1
        while cursor != 0:
            start = max(cursor, 0)
            cursor, page = self._redis.scan(start, match=f"{self._keys.root}*", count=PAGE)
            erased.scanned += len(page)
            yield erased, list(self._erase_page(user_id, [str(key) for key in page], erased))
        self._clear_lines(user_id)
        erased.usage_rows = self._rename_usage(user_id)
        self._forget_possible_bills(user_id)
        Overrides(self._redis, self._keys).reset(Subject("user", user_id))
        if self._vectors:
            self._vectors.erase(maker(user_id))
        if self._audit_log:
            erased.audited = self._audit_log.erase(user_id)
        yield erased, []

    def _erase_page(self, user_id: str, page: list[str], erased: Erased) -> Iterator[Publication]:
        """Whatever is the user's, of these keys."""
        erased.cached += self._erase_cached(user_id, page)
        self._erase_near(user_id, page, erased)
        for batch in self._owned(user_id, page, self._keys.batch("")):
            yield from self._erase_batch(batch, erased)
        jobs = self._owned(user_id, page, self._keys.job(""))
        letters = self._owned(user_id, page, self._keys.dead_letter(""))
        for job_id in jobs:
            yield from self._ledger.cancel(job_id).publications
        ids = [*jobs, *letters]
        erased.unfinished += len(jobs)
        while ids:
            reply = self._call(ForgetJobs(user_id, STEP_MS, tuple(ids[:STEP])))
            if forgotten := reply.forgotten:
                self._results.delete(*(self._result + each for each in forgotten))
            erased.jobs += len(forgotten)
            erased.unfinished -= len(forgotten)
            ids = ids[reply.seen :]

    def _clear_lines(self, user_id: str) -> None:
        """Of jobs that wait no more: dispatch passes over them only when it has room for others."""
        while self._call(ForgetJobs(user_id, STEP_MS, ())).passed:
            pass

    def _owned(self, user_id: str, page: list[str], prefix: str) -> list[str]:
        """Names of the hashes under `prefix` whose field "user" is that user."""
        names = [key.removeprefix(prefix) for key in page if key.startswith(prefix)]
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hget(prefix + name, "user")
            users = pipe.execute()
        return [name for name, user in zip(names, users, strict=True) if user == user_id]

    def _erase_cached(self, user_id: str, page: list[str]) -> int:
        entries = [key for key in page if key.startswith(self._keys.cached)]
        with self._redis.pipeline(transaction=False) as pipe:
            for key in entries:
                pipe.getrange(key, 0, HEAD)
            heads = pipe.execute()
        wanted = maker(user_id)
        mine = [key for key, head in zip(entries, heads, strict=True) if _made_by(head) == wanted]
        if not mine:
            return 0
        return self._redis.delete(*mine)

    def _erase_near(self, user_id: str, page: list[str], erased: Erased) -> None:
        """Questions of the user that are compared with others', and their vectors."""
        wanted, prefix = maker(user_id), self._keys.near_entries("")
        for key in page:
            if not key.startswith(prefix):
                continue
            scope = key.removeprefix(prefix)
            rows = self._redis.hscan_iter(key, count=PAGE)
            entries = ((name, Entry.read(body)) for name, body in rows)
            mine = {name: entry for name, entry in entries if entry.maker == wanted}
            if not self._vectors:
                erased.left += sum(not entry.vector for entry in mine.values())
            if mine:
                self._redis.hdel(key, *mine)
                self._redis.zrem(self._keys.near_order(scope), *mine)
                self._redis.delete(*(self._keys.near_own(scope, each) for each in mine))

    def _erase_batch(self, batch: str, erased: Erased) -> list[Publication]:
        """Cancel one that is open; forget one that has ended.

        Its items are jobs of the user like any other.
        """
        publications = self._call(BatchChange(batch, "cancel")).publications
        if self._call(BatchForget(batch)).forgotten:
            erased.batches += 1
        else:
            erased.unfinished += 1
        return publications

    def _forget_possible_bills(self, user_id: str) -> None:
        """They stay booked, and can no longer be forgiven."""
        key = self._keys.possible_bills
        entries = (str(entry) for entry, _ in self._redis.zscan_iter(key, count=PAGE))
        mine = [entry for entry in entries if json.loads(entry)[USER] == user_id]
        for step in _steps(mine):
            self._redis.zrem(key, *step)

    def _rename_usage(self, user_id: str) -> int:
        """Add the user's rows of usage to those of `NEW_NAME`; how many there were."""
        count = 0
        for key in list(self._redis.scan_iter(f"{self._keys.usages}*", count=PAGE)):
            rows = self._redis.hscan_iter(str(key), count=PAGE)
            mine = [name for name, _ in rows if json.loads(name)[0] == user_id]
            day = int(str(key).removeprefix(self._keys.usages))
            for step in _steps(mine):
                count += self._call(ReassignUsage(day, NEW_NAME, step)).rows
        return count


def _steps(items: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(items), STEP):
        yield tuple(items[start : start + STEP])


def _made_by(head: str) -> str:
    """The user whose job made the cache entry that begins so, as `cache.maker` writes it.

    "" of an entry that has gone meanwhile.
    """
    fields = head.split(";", 4)
    return fields[3] if len(fields) > 3 else ""
