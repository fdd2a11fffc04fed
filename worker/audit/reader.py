"""The audit log as its readers see it.

What a job asked and what it was answered, who opened that and why, sealing with a new key, and
forgetting a user. Reading needs private keys, which no worker has. Redis down: every method raises
one of `connection.ERRORS`.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from ..ledger.connection import Keys, Redis
from ..sealing import Keyring, Seal
from .writer import DAY_S, Entry

RECORDS_DAYS = 400
"""How long access records are kept: a year and a month, whatever the life of the entries."""
PAGE = 500
HASH_DIGITS = 16


class Opened(NamedTuple):
    """An entry and what was sealed in it."""

    entry: Entry
    content: Any
    """From its JSON; None of a failure."""


class AccessRecord(NamedTuple):
    """The record that a person opened a job's entries, resealed all, or erased a user's."""

    at_ms: int
    what: str
    """shown, resealed or erased."""
    about: str
    """The job; of an erasure, a hash of the user's name."""
    who: str
    reason: str


class AuditReader:
    """`server`: the audit log's."""

    def __init__(self, server: Redis, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    def entries(self, job_id: str) -> list[Entry]:
        """Of a job, in order; closed."""
        stored = self._server.lrange(self._keys.audit_entries(job_id), 0, -1)
        return [Entry.load(str(text)) for text in stored]

    def jobs(self, user_id: str) -> list[str]:
        """A user's jobs, latest first."""
        return [str(each) for each in self._server.zrevrange(self._keys.audit_jobs(user_id), 0, -1)]

    def show(self, job_id: str, keyring: Keyring, who: str, reason: str) -> list[Opened]:
        """Open a job's entries. The access is recorded first, so that none goes unrecorded.

        Raises `sealing.Unopened`.
        """
        self._record("shown", job_id, who, reason)
        return [_opened(entry, keyring) for entry in self.entries(job_id)]

    def access_records(self) -> list[AccessRecord]:
        """Who opened, resealed or erased what; latest first."""
        key = self._keys.audit_accesses
        stored: list[Any] = self._server.xrevrange(key)  # type: ignore[assignment]
        return [AccessRecord(int(number.partition("-")[0]), **fields) for number, fields in stored]

    def reseal(self, keyring: Keyring, seal: Seal, who: str) -> Iterator[int]:
        """Seal everything anew for another key; after each job, how many entries that took.

        May be repeated and cut off. Raises `sealing.Unopened`.
        """
        self._record("resealed", seal.id, who, "rotation of keys")
        for key in self._server.scan_iter(self._keys.audit_entries("*"), count=PAGE):
            texts = self._server.lrange(str(key), 0, -1)
            yield sum(
                self._reseal_entry(str(key), index, Entry.load(str(text)), keyring, seal)
                for index, text in enumerate(texts)
            )

    def record_erasure(self, user_id: str, who: str, reason: str, hash_key: bytes) -> None:
        """Before anything is forgotten. Only a hash of the name is kept, by the fleet's key."""
        digest = hmac.new(hash_key, user_id.encode(), hashlib.sha256).hexdigest()
        self._record("erased", digest[:HASH_DIGITS], who, reason)

    def erase(self, user_id: str) -> int:
        """Forget a user's entries; how many jobs that were."""
        jobs = self.jobs(user_id)
        for start in range(0, len(jobs), PAGE):
            self._server.delete(*map(self._keys.audit_entries, jobs[start : start + PAGE]))
        self._server.delete(self._keys.audit_jobs(user_id))
        return len(jobs)

    def _record(self, what: str, about: str, who: str, reason: str) -> None:
        now_s = int(self._server.time()[0])
        oldest_ms = (now_s - RECORDS_DAYS * DAY_S) * 1000
        fields: Any = {"what": what, "about": about, "who": who, "reason": reason}
        self._server.xadd(self._keys.audit_accesses, fields, minid=oldest_ms)

    def _reseal_entry(
        self, key: str, index: int, entry: Entry, keyring: Keyring, seal: Seal
    ) -> bool:
        """Whether it had to be sealed anew."""
        if entry.key_id == seal.id:
            return False
        sealed = ""
        if entry.sealed:
            text = keyring.open(entry.key_id, entry.sealed, entry.about)
            sealed = seal.close(text, entry.about)
        self._server.lset(key, index, replace(entry, key_id=seal.id, sealed=sealed).dump())
        return True


def _opened(entry: Entry, keyring: Keyring) -> Opened:
    if not entry.sealed:
        return Opened(entry, None)
    return Opened(entry, json.loads(keyring.open(entry.key_id, entry.sealed, entry.about)))
