"""The ledger's facade: every state change of a job is one function call here. It decides nothing
and publishes nothing.

Redis down: reading a job raises; ending or parking one is tried again for a minute, because the
answer is paid for. Methods that free or add work return what the caller is to put on the broker.
Where that is the ledger's server, too, its functions have done so with all but older messages.
"""

import json
import math
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from producer.contract.errors import InvalidRequest
from producer.contract.ledger.calls import Cancel
from producer.contract.ledger.functions import InvalidCall
from producer.contract.names import WIRE_VERSION, Lane
from producer.contract.outcome import Outcome, load_outcome
from producer.contract.publication import Publication
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission, submit

from ..faults import LeaseLost, after_the_reply
from ..loop.jobs import beside_if, pause
from ..settings import LaneSettings, LedgerSettings, PaceSettings, RetrySettings
from . import fleet_functions, job_functions
from .attempt import MIN_CALL_S, NOT_CACHED, Attempt, Candidate, Question
from .calls import Dropped, Ended, Ending, Heard, Missing, Submitted, Wait
from .connection import ERRORS, Keys, Redis, ledger_functions
from .fleet_limits import NO_LIMITS, FleetLimits
from .job_functions import ReserveReply
from .recent_settles import RecentSettles
from .reserved_link import reserved_link
from .retrying import PATIENCE_S, retried_while_away
from .running_job import RunningJob, is_large
from .settle_call import bill_of, milliseconds, settle_call

PARTS_AT_ONCE = 200
QUIET_MS = 1_500
"""Room for a slow trip, and for a server that counts its age in whole seconds."""


class Ledger:
    """The only caller of the functions that move jobs."""

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        settings: LedgerSettings,
        owner: str,
        lanes: LaneSettings | None = None,
        pace: PaceSettings | None = None,
        retry: RetrySettings | None = None,
        limits: FleetLimits = NO_LIMITS,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._call = ledger_functions(redis, keys)
        self._unpublished = ledger_functions(redis, replace(keys, is_broker=False))
        self._settings = settings
        self.owner = owner
        self._lanes = lanes or LaneSettings()
        self._pace = pace or PaceSettings()
        self._retry = retry or RetrySettings()
        self._limits = limits
        self._lease_ms = int(settings.lease_s * 1000)
        # Leases, and settles after a restart, are renewed five times as often as they lapse.
        self._quiet_ms = self._lease_ms // 5 + QUIET_MS
        self._settled = RecentSettles()
        self._server = ""
        self._began = time.monotonic()

    @property
    def quiet_s(self) -> float:
        """In which every worker that lives renews its leases."""
        return self._quiet_ms / 1000

    def submit(
        self, submission: Submission, retry_while_away: bool = False, adopted: bool = False
    ) -> Submitted:
        """Store a job unless it is there.

        `retry_while_away`: tried again then, because it would not be sent a second time. `adopted`:
        its message is there, so the ledger publishes nothing and tells all that it released.
        """
        patience_s = PATIENCE_S if retry_while_away else 0.0
        call = self._unpublished if adopted else self._call
        try:
            reply = retried_while_away(lambda: submit([submission], call, call), patience_s)
        except InvalidCall as error:
            raise InvalidRequest(f"the ledger refuses the job: {error}. Fix: correct it") from None
        ((state, job_id),) = reply.jobs
        return Submitted(state, job_id, reply.publications)  # type: ignore[arg-type]

    def submit_parts(
        self, job: RunningJob, parts: dict[str, CompletionRequest]
    ) -> list[Publication]:
        """Submit each request as a part of `job`, unless it is there; what to publish."""
        submissions = [
            Submission(job_id, job.user_id, request, {}, parent=job.id)
            for job_id, request in parts.items()
        ]
        publications: list[Publication] = []
        for start in range(0, len(submissions), PARTS_AT_ONCE):
            some = submissions[start : start + PARTS_AT_ONCE]
            publications += submit(some, self._call, self._call).publications
        return publications

    def start(
        self, job_id: str, limit_s: float = math.inf
    ) -> RunningJob | Ended | Dropped | Missing:
        """Take the lease of a released job, which then may take `limit_s`.

        Waits out the quiet time after a start of the server.
        """
        call = job_functions.Start(
            id=job_id,
            owner=self.owner,
            lease_ms=self._lease_ms,
            deliveries=self._settings.deliveries,
            quiet_ms=self._quiet_ms,
            wire=WIRE_VERSION,
        )
        while (reply := self._call(call)).verdict == "early":
            pause(reply.wait_ms / 1000)
        if reply.verdict == "started":
            read = partial(RunningJob.from_reply, job_id, reply, self.stored_texts, limit_s)
            return beside_if(is_large(reply.request), read)
        if reply.verdict == "ended":
            continuation = json.loads(reply.continuation or "{}")
            outcome = load_outcome(reply.outcome)
            return Ended(outcome, bool(reply.reported), continuation, reply.user, reply.lane)
        return Missing() if reply.verdict == "missing" else Dropped(reply.state)

    def settle(
        self, job: RunningJob, attempt: Attempt, outcome: Outcome, fault: str = ""
    ) -> Ending:
        """End the job, book the attempt's bill and store its cache entry, in one step.

        Raises `AnswerLost` if something of it cannot be sent, and `InvalidCall` if the ledger
        refuses it; then nothing is written.
        """
        with after_the_reply():
            call = settle_call(job, attempt, outcome, fault)
        reply = retried_while_away(lambda: self._call(call))
        self._settled.add(call)
        return Ending(reply.state, reply.publications)

    def replay(self) -> int:
        """After a restart of the server, settle again what was settled shortly before: `appendfsync
        everysec` may have lost it.

        Returns how many. Settling twice changes nothing, so it may be done too often, but not too
        late: a job whose end was lost is payable again.
        """
        self._settled.forget_old()
        before, self._server = self._server, str(self._redis.info("server")["run_id"])
        if before in ("", self._server):
            return 0
        recent = self._settled.recent()
        for call in recent:
            self._call(call)
        return len(recent)

    def park(self, job: RunningJob, attempt: Attempt, wait: Wait) -> Ending:
        """Give the lease back until the wait is over; books the attempt's bill in the same step."""
        call = job_functions.Park(
            id=job.id,
            fence=job.fence,
            delay_ms=milliseconds(wait.after_s),
            fault=wait.fault,
            **bill_of(attempt),
            wakes_on=wait.wakes_on,
            crashed=wait.crashed,
            double_max_tokens=wait.double_max_tokens,
            restart_clock=wait.restart_clock,
            audited=attempt.audited,
            items=attempt.samples,
        )
        reply = retried_while_away(lambda: self._call(call))
        return Ending(reply.state, reply.publications)

    def reserve(
        self, job: RunningJob, candidates: list[Candidate], question: Question = NOT_CACHED
    ) -> ReserveReply:
        """Unless the answer is cached or an identical job is in flight: write intent and hold for
        the first candidate that may be called, has room at its pace and can answer in time.

        Raises `LeaseLost` if the job is no longer ours.
        """
        links = tuple(reserved_link(each, self._pace) for each in candidates)
        left_s = job.remaining_s(self._retry.deadline_s)
        call = job_functions.Reserve(
            job.id,
            job.fence,
            milliseconds(left_s),
            milliseconds(MIN_CALL_S),
            **question._asdict(),
            items=links,
        )
        if (reply := self._call(call)).verdict == "lost":
            raise LeaseLost(job.id)
        return reply

    def budget_left(self, job: RunningJob) -> job_functions.BudgetLeftReply:
        """What the job's budgets leave now."""
        return self._call(job_functions.BudgetLeft(job.id))

    def renew(
        self, held: list[tuple[str, int]], reported: Mapping[str, bool]
    ) -> tuple[list[str], list[str]]:
        """Extend the leases of (id, fence) pairs, and note which outcomes Celery has stored.

        Returns the ids lost and the ids to cancel.
        """
        leases = [job_functions.HeldLease(job_id, fence, False) for job_id, fence in held]
        notes = [job_functions.HeldLease(job_id, 0, known) for job_id, known in reported.items()]
        reply = self._call(job_functions.Renew(self._lease_ms, (*leases, *notes)))
        return reply.lost, reply.cancelled

    def outcome(self, job_id: str) -> Outcome | None:
        """How the job ended, or None if it has not, or is forgotten."""
        return self.outcomes([job_id])[0]

    def outcomes(self, job_ids: list[str]) -> list[Outcome | None]:
        """Like `outcome`, of several."""
        texts: list[Any] = self._redis.mget([self._keys.outcome(job_id) for job_id in job_ids])
        return [load_outcome(text) if text else None for text in texts]

    def agree(self, job: RunningJob, name: str, proposed: tuple[int, ...]) -> tuple[int, ...]:
        """Numbers on which all starts of a job agree: those that were proposed first."""
        text = ":".join(map(str, proposed))
        agreed = self._call(job_functions.Agree(job.id, name, text)).agreed
        return tuple(map(int, agreed.split(":")))

    def stored_texts(self, hashes: list[str]) -> list[str | None]:
        """Of each hash; None for one that is gone."""
        return list(self._redis.mget(map(self._keys.stored_text, hashes)))  # type: ignore[arg-type]

    def cancel(self, job_id: str) -> Ending:
        """State: "cancelled" (was queued), "cancelling" (is running), a final one, or "missing"."""
        reply = self._call(Cancel(job_id))
        return Ending(reply.state, reply.publications)

    def sweep(self, limit: int, empty: dict[Lane, bool]) -> tuple[float, list[Publication]]:
        """Promote what is due, re-queue what lapsed, expire, release. `empty`: lanes whose broker
        queue is empty.

        Also returns the seconds until a link has room for jobs that wait for that; infinite if none
        does.
        """
        reply = self._call(
            job_functions.Sweep(
                limit=limit,
                deliveries=self._settings.deliveries,
                attempts=self._retry.max_attempts,
                interactive_empty=empty["interactive"],
                batch_empty=empty["batch"],
                on_unknown=self._settings.on_unknown,
                quiet_ms=self._quiet_ms,
            )
        )
        room_s = math.inf if reply.room_ms < 0 else reply.room_ms / 1000
        return room_s, reply.publications

    def heartbeat(
        self, worker: str, slots: int, life_s: float, lanes: str = "both", taken: Iterable[str] = ()
    ) -> Heard:
        """Say that `worker` lives for `life_s` more seconds with so many slots (0: it leaves) for
        jobs of `lanes`, and starts those `taken` soon. Libraries that nobody calls are deleted.
        """
        reply = self._call(
            fleet_functions.Heartbeat(
                worker=worker,
                process=f"{self.owner} {self._began}",
                slots=slots,
                lanes=lanes,
                life_ms=int(life_s * 1000),
                age_ms=int((time.monotonic() - self._began) * 1000),
                clock_ms=int(datetime.now(UTC).timestamp() * 1000),
                library=self._call.library.name,
                outcome_ms=self._settings.result_expires_s * 1000,
                dead_letter_ms=self._settings.dead_letter_s * 1000,
                usage_ms=self._settings.usage_ms,
                batch_share=self._lanes.batch_share,
                user_in_flight=self._lanes.user_in_flight or 0,
                **self._limits.arguments(datetime.now(UTC).date()),
                items=tuple(taken),
            )
        )
        for name in reply.unneeded:
            with suppress(*ERRORS):  # its user may not: an old library is no reason to stop
                self._call.delete(name)
        return Heard(reply.ruled_by, fleet_functions.setting_names(reply.differing))
