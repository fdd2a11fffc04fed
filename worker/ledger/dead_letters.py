"""Dead letters: failed jobs kept with their request and history.

The ledger writes them when a job ends; refusals of limits, wrong requests and cancelled jobs leave
none. Redis down: every method raises.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Self

from producer.contract.errors import InvalidRequest, JobError
from producer.contract.history import PastAttempt, read_history
from producer.contract.outcome import load_outcome
from producer.contract.publication import Publication
from producer.contract.requests import CompletionRequest
from producer.contract.stored_texts import Together, put_together
from producer.contract.submission import Submission

from .connection import Keys, Redis
from .ledger import Ledger

PAGE = 200


@dataclass(frozen=True)
class DeadLetter:
    """One failed job. Times are the server's, in milliseconds."""

    job_id: str
    user_id: str
    lane: str
    kind: str
    """The class of the error, one of `producer.contract.errors`."""
    message: str
    attempts: int
    unknown: int
    """Attempts whose worker died with the call on the wire."""
    tried: tuple[PastAttempt, ...]
    submitted_ms: int
    ended_ms: int
    replayed_as: str
    """Id of the job that was last sent for it, "" if none was."""
    request: str = field(repr=False)

    @classmethod
    def read(cls, job_id: str, record: dict[str, str]) -> Self:
        """From the ledger's hash."""
        outcome = load_outcome(record["outcome"])
        return cls(
            job_id=job_id,
            user_id=record["user"],
            lane=record["lane"],
            kind=record["kind"],
            message=str(outcome) if isinstance(outcome, JobError) else "",
            attempts=int(record["attempts"]),
            unknown=int(record["unknown"]),
            tried=read_history(record["tried"]),
            submitted_ms=int(record["at"]),
            ended_ms=int(record["ended"]),
            replayed_as=record.get("replayed", ""),
            request=record["request"],
        )


@dataclass(frozen=True)
class LetterFilter:
    """Which dead letters are meant; None takes all. Both may hold * and ?."""

    kind: str | None = None
    user_id: str | None = None

    def takes(self, letter: DeadLetter) -> bool:
        kind = self.kind or "*"
        user_id = self.user_id or "*"
        return fnmatchcase(letter.kind, kind) and fnmatchcase(letter.user_id, user_id)


class DeadLetters:
    """`ledger`: where a replayed request is submitted."""

    def __init__(self, redis: Redis, keys: Keys, ledger: Ledger) -> None:
        self._redis = redis
        self._keys = keys
        self._ledger = ledger

    def get(self, job_id: str) -> DeadLetter | None:
        """One of them, or None if there is none or it has aged out."""
        key = self._keys.dead_letter(job_id)
        record: dict[str, str] = self._redis.hgetall(key)  # type: ignore[assignment]
        if not record:
            return None
        return DeadLetter.read(job_id, record)

    def __iter__(self) -> Iterator[DeadLetter]:
        """All of them, newest first."""
        start = 0
        while page := self._redis.zrevrange(self._keys.dead, start, start + PAGE - 1):
            yield from filter(None, map(self.get, map(str, page)))
            start += PAGE

    def matching(self, wanted: LetterFilter) -> list[DeadLetter]:
        """Those that the filter takes, newest first."""
        return [letter for letter in self if wanted.takes(letter)]

    def request_of(self, letter: DeadLetter) -> Together:
        """What was asked, as JSON, and whether all of it is still stored."""
        return put_together(letter.request, self._ledger.stored_texts)

    def replay(self, letter: DeadLetter) -> tuple[str, list[Publication]]:
        """Send its request again as a new job, linked to it.

        Returns that job's id and what to publish. Raises `InvalidRequest` if the ledger no longer
        has all of the request.
        """
        job_id = str(uuid.uuid4())
        together = self.request_of(letter)
        if not together.complete:
            raise InvalidRequest(f"{letter.job_id}: a part of its request is no longer stored")
        request = CompletionRequest.model_validate_json(together.request)
        submission = Submission(job_id, letter.user_id, request, {}, replays=letter.job_id)
        _, _, publications = self._ledger.submit(submission)
        return job_id, publications

    def drop(self, letter: DeadLetter) -> None:
        """Forget it, request and all."""
        with self._redis.pipeline() as pipe:
            pipe.delete(self._keys.dead_letter(letter.job_id))
            pipe.zrem(self._keys.dead, letter.job_id)
            pipe.execute()
