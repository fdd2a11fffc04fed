"""The audit log as its readers see it: what became of a job, who has looked at it and why, new
keys, and forgetting a user.

Reading needs private keys, which no worker has. Redis down: every method raises one of
`store.ERRORS`.
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

LOOKS_DAYS = 400
"""How long it is kept who looked: a year and a month, whatever the life of the entries."""
PAGE = 500


class Opened(NamedTuple):
    """An entry and what was sealed in it."""

    entry: Entry
    content: Any
    """From its JSON; None of a failure."""


class AccessRecord(NamedTuple):
    """Somebody opened a job's entries, or erased a user's."""

    at_ms: int
    what: str
    """shown, resealed or erased."""
    about: str
    """The job; of an erasure, a hash of the user's name."""
    who: str
    reason: str


class AuditReader:
    def __init__(self, sink: Redis, keys: Keys) -> None:
        self._sink = sink
        self._keys = keys

    def entries(self, job_id: str) -> list[Entry]:
        """Of a job, in order; closed."""
        return [
            Entry.load(str(text))
            for text in self._sink.lrange(self._keys.audit_entries(job_id), 0, -1)
        ]

    def jobs(self, user_id: str) -> list[str]:
        """A user's jobs, latest first."""
        return [
            str(job_id) for job_id in self._sink.zrevrange(self._keys.audit_jobs(user_id), 0, -1)
        ]

    def show(self, job_id: str, keyring: Keyring, who: str, reason: str) -> list[Opened]:
        """Open a job's entries; that is noted first, so that nobody looks unseen. Raises
        `sealing.Unopened`.
        """
        self._note("shown", job_id, who, reason)
        return [_opened(entry, keyring) for entry in self.entries(job_id)]

    def looks(self) -> list[AccessRecord]:
        """Who has looked, latest first."""
        stored: list[Any] = self._sink.xrevrange(self._keys.audit_looks)  # type: ignore[assignment]
        return [AccessRecord(int(number.partition("-")[0]), **fields) for number, fields in stored]

    def reseal(self, keyring: Keyring, seal: Seal, who: str) -> Iterator[int]:
        """Seal everything anew for another key; after each job, how many entries that took. May be
        repeated and cut off.

        Raises `sealing.Unopened`.
        """
        self._note("resealed", seal.id, who, "rotation of keys")
        for key in self._sink.scan_iter(self._keys.audit_entries("*"), count=PAGE):
            yield sum(
                self._resealed(str(key), number, str(text), keyring, seal)
                for number, text in self._numbered(str(key))
            )

    def note_erasure(self, user_id: str, who: str, reason: str, key: bytes) -> None:
        """Before anything is forgotten. Only a hash of the name, by the fleet's `key`, is kept."""
        self._note(
            "erased", hmac.new(key, user_id.encode(), hashlib.sha256).hexdigest()[:16], who, reason
        )

    def erase(self, user_id: str) -> int:
        """Forget a user's entries; how many jobs that were."""
        jobs = self.jobs(user_id)
        for start in range(0, len(jobs), PAGE):
            self._sink.delete(*map(self._keys.audit_entries, jobs[start : start + PAGE]))
        self._sink.delete(self._keys.audit_jobs(user_id))
        return len(jobs)

    def _note(self, what: str, about: str, who: str, reason: str) -> None:
        oldest_ms = (int(self._sink.time()[0]) - LOOKS_DAYS * DAY_S) * 1000
        look = {"what": what, "about": about, "who": who, "reason": reason}
        self._sink.xadd(self._keys.audit_looks, look, minid=oldest_ms)  # type: ignore[arg-type]

    def _numbered(self, key: str) -> list[tuple[int, Any]]:
        return list(enumerate(self._sink.lrange(key, 0, -1)))

    def _resealed(self, key: str, number: int, text: str, keyring: Keyring, seal: Seal) -> bool:
        entry = Entry.load(text)
        if entry.key_id == seal.id:
            return False
        content = (
            seal.close(keyring.open(entry.key_id, entry.sealed, entry.about), entry.about)
            if entry.sealed
            else ""
        )
        self._sink.lset(key, number, replace(entry, key_id=seal.id, sealed=content).dump())
        return True


def _opened(entry: Entry, keyring: Keyring) -> Opened:
    return Opened(
        entry,
        json.loads(keyring.open(entry.key_id, entry.sealed, entry.about)) if entry.sealed else None,
    )
