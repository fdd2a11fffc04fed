"""The task `complete`: parse, run the pipeline, obey the retry decision. Here Celery meets the
ledger.
"""

import logging
import random
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

from celery import Task
from celery.app.task import Context
from celery.exceptions import Ignore, Retry
from celery.utils import uuid
from celery.worker.request import Request
from kombu.exceptions import KombuError
from pydantic import ValidationError

from producer.contract.completions import Completion
from producer.contract.errors import Conflict, JobError, OutcomeUnknown, ProvidersExhausted
from producer.contract.names import COMPLETE
from producer.contract.outcome import Outcome
from producer.contract.publication import publish
from producer.contract.submission import Publication, Submission

from .faults import Deferred, Fault, LeaseLost, ProviderError
from .ledger.connection import ERRORS
from .ledger.ledger import Ended, Missing
from .ledger.running_job import Job
from .pipeline import AskAgain
from .retry import History, RetryAfter, decide
from .runtime import Runtime, current
from .telemetry.logs import job_ended
from .telemetry.records import JobRecord, trace_id

logger = logging.getLogger(__name__)

CRASH_DELAY_S = 1.0
"""Wait after an error of our own before the job is tried again; `LEDGER_MAX_DELIVERIES` of them
make it poison.
"""


class RedactedRequest(Request):  # type: ignore[misc]
    """A request that never shows its arguments: a foreign client may have put a prompt into them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._argsrepr = self._request_dict["argsrepr"] = "()"
        self._kwargsrepr = self._request_dict["kwargsrepr"] = "{}"

    def info(self, safe: bool = False) -> dict[str, Any]:
        return dict(super().info(safe=True))


class Parked(Retry):  # type: ignore[misc]
    """Celery's RETRY whose repr, which events and Flower show, is its reason in words."""

    def __repr__(self) -> str:
        return str(self.message)


class Complete(Task):  # type: ignore[misc]
    """Answers one job. Raises `JobError` for the caller, `Parked` while the ledger waits, `Ignore`
    if needless.
    """

    name = COMPLETE
    Request = RedactedRequest
    throws = (JobError,)

    def apply_async(
        self, args: Any = None, kwargs: Any = None, task_id: str | None = None, **options: Any
    ) -> Any:
        """A canvas step published from inside this worker takes the submit path, like any other.

        If it is wrong, the step fails: raising would fail the job before it, which is answered and
        paid for.
        """
        job_id = task_id or uuid()
        try:
            submission = Submission.from_call(
                job_id, tuple(args or ()), dict(kwargs or {}), options
            )
            job_id = self._submit(current(), submission, patient=True)
        except JobError as error:
            if not options.get("parent_id"):
                raise
            self.backend.mark_as_failure(job_id, error, request=_context(job_id, options))
        return self.AsyncResult(job_id)

    def run(self, *args: Any, **kwargs: Any) -> Completion:
        runtime = current()
        try:
            if args or kwargs:
                self._adopt(runtime, args, kwargs)
            opened = runtime.ledger.begin(self.request.id)
            if isinstance(opened, Job):
                self.request.job = opened
                with runtime.leases.holding(opened):
                    return self._answer(runtime, opened)
        except ERRORS as error:
            logger.warning(
                "ledger away (%s): job %s is left to the sweep",
                type(error).__name__,
                self.request.id,
            )
            raise Ignore from None
        except ValidationError:
            logger.exception(
                "job %s: its stored request is unreadable; left to its lease, then poison",
                self.request.id,
            )
            raise Ignore from None
        match opened:
            case Ended(outcome=outcome, told=False):
                job_ended(_record_of_outcome(self.request.id, outcome))
                return _return_or_raise(outcome)
            case Missing():
                raise OutcomeUnknown(
                    "The ledger has no record of this job: it expired, or the ledger was lost."
                )
        raise Ignore  # told already, or held by another delivery

    def on_retry(self, *args: Any) -> None:
        """Park only now: RETRY is stored, so that a fast next delivery cannot be overwritten by it."""
        job, again, fault, double_max_tokens = self.request.parking
        try:
            jobs, wait = current().ledger, (again.after_s, fault, again.cool_s, again.wakes_on)
            _, publications = jobs.park(
                job, *wait, double_max_tokens=double_max_tokens, patient=again.patient
            )
        except ERRORS as error:
            logger.warning(
                "ledger away (%s): job %s is left to its lease", type(error).__name__, job.id
            )
        else:
            self.publish(publications)

    def after_return(self, status: str, retval: Any, task_id: str, *_: Any) -> None:
        """Note that the result backend knows; if the note is lost, a later delivery tells it again."""
        if status in ("SUCCESS", "FAILURE"):
            with suppress(*ERRORS):
                current().ledger.tell(task_id)

    def _answer(self, runtime: Runtime, job: Job) -> Completion:
        outcome: Outcome
        runtime.credentials.look()
        try:
            outcome = (
                runtime.summaries.run(job, self.publish)
                if job.request.document
                else runtime.pipeline.run(job)
            )
        except JobError as error:
            outcome = error
        except LeaseLost:
            raise Ignore from None
        except AskAgain as again:
            self._park(
                job, RetryAfter(0.0), again, again.fault, double_max_tokens=again.double_max_tokens
            )
        except (ProviderError, Deferred) as failure:
            return self._obey(runtime, job, failure)
        except ERRORS:
            raise
        except Exception:
            logger.exception("job %s: an error of our own", job.id)
            _, publications = runtime.ledger.park(job, CRASH_DELAY_S, crashed=True)
            self.publish(publications)
            raise Ignore from None
        return self._end(runtime, job, outcome)

    def _obey(self, runtime: Runtime, job: Job, failure: ProviderError | Deferred) -> Completion:
        history = History(
            link=job.link,
            attempts=job.attempts,
            tried=job.tried,
            links=len(runtime.chain.selection.allowed(job.request)),
            remaining_s=job.remaining_s(runtime.settings.retry.deadline_s),
            asked_s=job.asked_s,
        )
        fault = str(failure.fault) if isinstance(failure, ProviderError) else ""
        if fault == Fault.MISCONFIGURED:
            runtime.credentials.look(refused=True)
        decision = decide(failure, history, runtime.settings.retry, random.random())  # noqa: S311 -- jitter, not a secret
        if isinstance(decision, RetryAfter):
            self._park(job, decision, failure, fault)
        rescued = (
            runtime.pipeline.fallback_answer(job)
            if isinstance(decision.error, ProvidersExhausted)
            else None
        )
        return self._end(runtime, job, rescued or decision.error, fault, decision.cool_s)

    def _park(
        self,
        job: Job,
        decision: RetryAfter,
        why: Exception,
        fault: str,
        double_max_tokens: bool = False,
    ) -> NoReturn:
        """Show the wait as Celery's RETRY; `on_retry` does the parking."""
        self.request.parking = (job, decision, fault, double_max_tokens)
        where = f"{job.link} " if fault else ""
        raise Parked(
            f"{where}{why}; next try in {decision.after_s:.1f} s", exc=why, when=decision.after_s
        )

    def _end(
        self, runtime: Runtime, job: Job, outcome: Outcome, fault: str = "", cool_s: float = 0.0
    ) -> Completion:
        state, publications = runtime.ledger.settle(job, outcome, fault, cool_s)
        self.publish(publications)
        if state == "lost":
            raise Ignore
        if state != "ok":
            outcome = runtime.ledger.outcome(job.id) or outcome
        job_ended(_record_of_run(job, outcome))
        return _return_or_raise(outcome)

    def _adopt(self, runtime: Runtime, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Write a foreign message, arguments and all, into the ledger under its own id."""
        request = self.request
        options = {
            "link": request.callbacks,
            "link_error": request.errbacks,
            "chain": request.chain,
            "chord": request.chord,
            "group_id": request.group,
            "group_index": request.group_index,
            "root_id": request.root_id,
            "parent_id": request.parent_id,
            "expires": request.expires,
        }
        # It has an id already, and its caller looks for the answer under that one.
        fields = {name: value for name, value in kwargs.items() if name != "idempotency_key"}
        self._submit(
            runtime, Submission.from_call(request.id, args, fields, options), delivered=True
        )

    def _submit(
        self,
        runtime: Runtime,
        submission: Submission,
        delivered: bool = False,
        patient: bool = False,
    ) -> str:
        """Its id: another one's, if that has the same idempotency key."""
        state, job_id, publications = runtime.ledger.submit(submission, patient)
        if state == "conflict":
            raise Conflict(
                f"job {job_id} exists and asks something else. Fix: use a new id or idempotency_key"
            )
        self.publish(
            [order for order in publications if not (delivered and order.job_id == job_id)]
        )
        return job_id

    def publish(self, publications: list[Publication]) -> None:
        """A publication that fails is not lost: the sweep finds the released job that nobody began."""
        try:
            publish(self.app, publications)
        except (KombuError, *self.app.connection_for_write().connection_errors) as error:
            logger.warning(
                "broker away (%s): %d jobs left to the sweep",
                type(error).__name__,
                len(publications),
            )


def _context(job_id: str, options: dict[str, Any]) -> Context:
    """The request of a job that never was, with the continuations its failure must reach."""
    errbacks = options.get("link_error")
    listed = errbacks if isinstance(errbacks, list | None) else [errbacks]
    names = ("chain", "chord", "group_index", "root_id", "parent_id")
    kept = {name: options.get(name) for name in names} | {
        "group": options.get("group_id"),
        "errbacks": listed,
    }
    return Context(kept, id=job_id, task=COMPLETE, args=(), kwargs={})


def _return_or_raise(outcome: Outcome) -> Completion:
    if isinstance(outcome, JobError):
        raise outcome
    return outcome


def _record_of_run(job: Job, outcome: Outcome) -> JobRecord:
    """The record of a job that this process ran to its end."""
    bill = job.bill
    doubtful = job.maybe_micro + (job.held_micro if bill.kind == "maybe" else 0)
    return replace(
        _record_of_outcome(job.id, outcome),
        user_id=job.user_id,
        lane=job.lane,
        attempts=job.attempts,
        micro_usd=job.spent_micro + bill.micro_usd,
        maybe_billed_micro_usd=doubtful,
        queue_ms=job.first_begun_ms - job.submitted_ms,
        provider_ms=job.provider_ms,
        total_ms=job.now_ms - job.submitted_ms,
        trace_id=trace_id(job.request.metadata),
    )


def _record_of_outcome(job_id: str, outcome: Outcome) -> JobRecord:
    """The record of a job that ended without a worker: cancelled, past its deadline, poison, or its
    worker died telling it.
    """
    answer = outcome if isinstance(outcome, Completion) else None
    return JobRecord(
        job_id=job_id,
        user_id=None,
        lane=None,
        state="done" if answer else "failed",
        error=None if answer else type(outcome).__name__,
        provider=answer.provider if answer else None,
        model=answer.model if answer else None,
        finish_reason=answer.finish_reason if answer else None,
        attempts=None,
        micro_usd=None,
        maybe_billed_micro_usd=None,
        queue_ms=None,
        provider_ms=None,
        total_ms=None,
        cached=bool(answer and answer.cached),
        degraded=answer.degraded if answer else None,
        trace_id=None,
    )
