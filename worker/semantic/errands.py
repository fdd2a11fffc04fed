"""Errands: jobs that a worker does itself beside the one it runs, for the same user. They have a
price, a budget, a record and an exact cache as any job, but no place in line.
"""

import uuid
from collections.abc import Callable
from typing import NamedTuple

from producer.contract.completions import Completion
from producer.contract.errors import Cancelled, JobError
from producer.contract.ledger.functions import Functions
from producer.contract.outcome import Outcome
from producer.contract.publication import Publication
from producer.contract.requests import CompletionRequest

from ..ledger.attempt import Attempt, Start
from ..ledger.leases import Leases
from ..ledger.ledger import Ledger
from ..ledger.running_job import RunningJob
from ..ledger.semantic_functions import Errand
from ..ledger.settling import settle
from ..telemetry.logs import job_ended, spared
from ..telemetry.records import record_of_run
from ..telemetry.samples import samples_of

TAG = "semantic-cache"
"""Of every errand: usage is grouped by it."""

Run = Callable[[RunningJob, Attempt], Completion]
Publish = Callable[[list[Publication]], None]


class Done(NamedTuple):
    """`answer`: None if it came to nothing."""

    answer: Completion | None
    micro_usd: int


Early = Callable[[Done], object]


def _nothing(_: Done) -> None:
    """Nobody waits for it."""


class Errands:
    """`run`: what a pipeline does with a job. `publish`: puts what an end released on the broker;
    until there is one, the sweep does. `paid_by`: on whose limits and usage they count, the user's,
    or ("fleet") the fleet's alone.
    """

    def __init__(
        self,
        call: Functions,
        ledger: Ledger,
        leases: Leases,
        owner: str,
        lease_ms: int,
        run: Run,
        paid_by: str = "user",
    ) -> None:
        self._call = call
        self._ledger = ledger
        self._leases = leases
        self._owner = owner
        self._lease_ms = lease_ms
        self._run = run
        self._paid_by = paid_by
        self.publish: Publish = lambda _: None

    def do(self, asker: RunningJob, request: CompletionRequest, early: Early = _nothing) -> Done:
        """One try; a failure is no job's failure, and leaves no dead letter. `early` is told what
        came of it before it is settled: who waits for that waits for no trip more.

        Raises `ERRORS` while the ledger is away.
        """
        start = Start(self._started(asker, request))
        outcome: Outcome
        with self._leases.holding(start.job):
            try:
                outcome = self._run(start.job, start.attempt)
            except JobError as error:
                outcome = error
            except Exception as error:  # noqa: BLE001 -- whatever it is, the errand has ended
                outcome = Cancelled(f"{type(error).__name__}: the errand is not tried again")
            answer = outcome if isinstance(outcome, Completion) else None
            done = Done(answer, start.attempt.bill.micro_usd)
            with spared("what an errand is for"):
                early(done)
            self._end(start, outcome)
        return done

    def _started(self, asker: RunningJob, request: CompletionRequest) -> RunningJob:
        job_id = f"errand-{uuid.uuid4()}"
        reply = self._call(
            Errand(
                id=job_id,
                user=asker.user_id,
                lane=asker.lane,
                fingerprint=request.fingerprint(),
                request=request.to_json(),
                tags=",".join(request.tags),
                wire=request.wire,
                owner=self._owner,
                lease_ms=self._lease_ms,
                paid_by=self._paid_by,
            )
        )
        now_ms = reply.now_ms
        return RunningJob(
            id=job_id,
            fence=reply.fence,
            request=request,
            user_id=asker.user_id,
            lane=asker.lane,
            submitted_ms=now_ms,
            started_ms=now_ms,
            deadline_ms=now_ms + int((request.deadline_s or 0) * 1000),
            first_started_ms=now_ms,
            group=reply.group,
            fleet_pays=self._paid_by == "fleet",
        )

    def _end(self, start: Start, outcome: Outcome) -> None:
        if isinstance(outcome, JobError):
            self._ledger.cancel(start.job.id)
        with spared("the errand's samples"):
            start.ended_ms = start.job.now_ms
            start.attempt.samples = samples_of(start, outcome)
        ending, outcome = settle(self._ledger, start.job, start.attempt, outcome)
        self.publish(ending.publications)
        with spared("the errand's record"):
            job_ended(record_of_run(start, outcome))
