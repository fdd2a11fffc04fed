"""A ledger in memory, which answers at once what it is told to."""

import math
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import NamedTuple

from ..contract.completions import Completion
from ..contract.errors import Cancelled, DeadlineExceeded, JobError, Unavailable
from ..contract.outcome import Outcome, dump_outcome
from ..contract.stored_texts import sha_of
from ..contract.submission import Submission
from ..contract.used_limits import UsedLimit
from ..ledger_replies import Cancellation, JobStatus, StoredOutcome, Submitted, SubmittedJob
from ..notices import Notices

ENDED = ("done", "failed", "cancelled", "expired")


class Reply(NamedTuple):
    """How a job ends, and after how many seconds; `math.inf`: when it is released."""

    outcome: Outcome
    after_s: float


@dataclass
class Record:
    """A job."""

    submission: Submission
    reply: Reply
    at: float = field(default_factory=time.monotonic)
    retried_as: str = ""

    @property
    def ends_at(self) -> float:
        return self.at + self.reply.after_s

    @property
    def state(self) -> str:
        if time.monotonic() < self.ends_at:
            return "waiting"
        if isinstance(self.reply.outcome, Completion):
            return "done"
        names = {Cancelled: "cancelled", DeadlineExceeded: "expired"}
        return names.get(type(self.reply.outcome), "failed")

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def text(self) -> str | None:
        """The outcome as JSON; None before the end."""
        return dump_outcome(self.reply.outcome) if self.has_ended else None


class NoNotices(Notices):
    """None come: nothing is far away, so whoever waits may look often."""

    hears = False

    def wake(self) -> None:
        pass

    def follow(self, new: Collection[str], gone: Collection[str]) -> None:
        pass

    def heard(self, timeout_s: float) -> set[str]:
        time.sleep(timeout_s)
        return set()

    def close(self) -> None:
        pass


class MemoryJobs:
    """The calls of `LedgerClient` about single jobs.

    `on_asked`: says how a job ends. `trouble`: while it is a text, the ledger is away because of
    that.
    """

    def __init__(self, on_asked: Callable[[Submission, str], Reply]) -> None:
        self.trouble = ""
        self._on_asked = on_asked
        self._lock = RLock()
        self._jobs: dict[str, Record] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._texts: dict[str, str] = {}

    def submit(self, submissions: list[Submission]) -> Submitted:
        with self._there():
            return Submitted([self._submitted(each) for each in submissions], [])

    def _submitted(self, submission: Submission) -> SubmittedJob:
        job_id = submission.job_id
        key = (submission.user_id, submission.idempotency_key)
        if submission.idempotency_key:
            job_id = self._keys.setdefault(key, job_id)
        if known := self._jobs.get(job_id):
            return SubmittedJob(_compared(known.submission, submission), job_id)
        self._run(submission)
        return SubmittedJob("new", job_id)

    def _run(self, submission: Submission) -> Record:
        reply = Reply(submission.wrong, 0.0) if submission.wrong else self._reply(submission)
        record = Record(submission, reply)
        self._jobs[submission.job_id] = record
        return record

    def _reply(self, submission: Submission) -> Reply:
        text = self._texts.get(submission.request.document or "", "")
        reply = self._on_asked(submission, text)
        after_s = reply.after_s + submission.delay_ms / 1000
        deadline_s = submission.deadline_ms / 1000 or math.inf
        if after_s > deadline_s:
            late = DeadlineExceeded("the deadline passed before the answer of the test came")
            return Reply(late, deadline_s)
        return Reply(reply.outcome, after_s)

    def release(self) -> None:
        """What waits is answered now."""
        with self._lock:
            for record in self._jobs.values():
                if not record.has_ended:
                    record.reply = record.reply._replace(after_s=time.monotonic() - record.at)

    def status(self, job_id: str) -> JobStatus | None:
        with self._there():
            record = self._jobs.get(job_id)
        if record is None:
            return None
        outcome = record.reply.outcome
        cost_usd = 0.0
        if isinstance(outcome, Completion) and record.has_ended:
            cost_usd = outcome.cost_usd
        return JobStatus(
            state=record.state,
            attempts=int(record.has_ended),
            cost_usd=cost_usd,
            maybe_billed_usd=0.0,
            tried=(),
            user_id=record.submission.user_id,
        )

    def cancel(self, job_id: str) -> Cancellation:
        with self._there():
            record = self._jobs.get(job_id)
            if record is None:
                return Cancellation("missing", [])
            self._end(record, Cancelled("it was cancelled"))
            return Cancellation(record.state, [])

    def report_wrong(self, job_id: str) -> bool:
        """No question here is answered for another."""
        with self._there():
            return False

    @staticmethod
    def _end(record: Record, error: JobError) -> None:
        if not record.has_ended:
            record.reply = Reply(error, time.monotonic() - record.at)

    def outcome(self, job_id: str) -> StoredOutcome:
        with self._there():
            record = self._jobs.get(job_id)
        if record is None:
            return StoredOutcome(None, known=False)
        return StoredOutcome(record.text, known=True)

    def outcomes(self, job_ids: list[str]) -> dict[str, StoredOutcome]:
        return {job_id: self.outcome(job_id) for job_id in job_ids}

    def notices(self) -> Notices:
        return NoNotices()

    def limits(self, user_id: str) -> list[UsedLimit]:
        """Nobody has any."""
        return []

    def keep_text(self, text: str) -> None:
        with self._there():
            self._texts[sha_of(text)] = text

    def close(self) -> None:
        """Nothing is open."""

    @contextmanager
    def _there(self) -> Iterator[None]:
        if self.trouble:
            raise Unavailable(self.trouble)
        with self._lock:
            yield


def _compared(known: Submission, given: Submission) -> str:
    same = known.request.fingerprint() == given.request.fingerprint()
    return "same" if same and known.user_id == given.user_id else "conflict"
