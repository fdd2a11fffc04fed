"""The task `complete`: start the job, run the pipeline, end or park the job.

This is where Celery and the ledger meet.
"""

import logging
import random
from dataclasses import replace
from typing import Any, NoReturn

from celery.exceptions import Ignore
from celery.utils import uuid
from kombu.exceptions import KombuError

from producer.contract.completions import Completion
from producer.contract.errors import (
    BudgetExceeded,
    JobError,
    OutcomeUnknown,
    ProvidersExhausted,
    RateLimited,
)
from producer.contract.names import COMPLETE
from producer.contract.outcome import Outcome
from producer.contract.publication import Publication
from producer.contract.submission import Submission
from producer.redis_trouble import reason

from .broker.entries import FOREIGN
from .broker.foreign_ids import say_foreign
from .broker.foreign_messages import (
    request_of_failed_step,
    submission_of_message,
    what_follows,
)
from .broker.publishing import publish
from .broker.task import OwnLimits, Parked
from .faults import Deferred, Fault, LeaseLost, Outage, ProviderError
from .ledger.attempt import Start
from .ledger.calls import Dropped, Ended, Missing, Wait
from .ledger.connection import ERRORS, is_its_own
from .ledger.running_job import RunningJob
from .ledger.settling import ANSWER_LOST, settle
from .loop.jobs import beside, beside_if
from .pipeline import AskAgain
from .retry import History, RetryAfter, decide, end_of_refused
from .runtime import Runtime, current
from .telemetry.logs import job_ended, spared
from .telemetry.records import record_of_outcome, record_of_run
from .telemetry.samples import samples_of

logger = logging.getLogger(__name__)

CRASH_DELAY_S = 1.0
"""Wait after an error of our own before a call; `LEDGER_MAX_DELIVERIES` of them make it poison."""


class Complete(OwnLimits):
    """Answers one job.

    Raises `JobError` for the caller, `Parked` if the job must wait, `Ignore` if this delivery has
    nothing to do or to report.
    """

    name = COMPLETE
    throws = (JobError,)

    def apply_async(
        self, args: Any = None, kwargs: Any = None, task_id: str | None = None, **options: Any
    ) -> Any:
        """Submit a canvas step, which Celery publishes from inside this worker.

        If its arguments are wrong, the step fails: raising would fail the job before it, which is
        answered and paid for.
        """
        job_id = task_id or uuid()
        alike = current().settings.redis.user_ids
        try:
            step = Submission.from_call(job_id, args or (), kwargs or {}, options, user_ids=alike)
            submitted = current().ledger.submit(step, retry_while_away=True).or_conflict()
        except JobError as error:
            if not options.get("parent_id"):
                raise
            self.backend.mark_as_failure(
                job_id, error, request=request_of_failed_step(job_id, options)
            )
            return self.AsyncResult(job_id)
        self.publish(submitted.publications)
        return self.AsyncResult(submitted.job_id)

    def run(self) -> Completion:
        runtime = current()
        try:
            opened = self._start(runtime)
            if isinstance(opened, RunningJob):
                with runtime.leases.holding(opened):
                    return self._answer(runtime, opened)
            return self._report(opened)
        except (JobError, Parked, Ignore):
            raise
        except ERRORS as error:
            logger.warning(
                "ledger: %s; job %s is left to the sweep", reason(error), self.request.id
            )
        except Exception:
            # A stored request that cannot be read, for one. Celery would print what it says.
            text = "job %s: an error of our own; it is left to its lease, then poison"
            logger.exception(text, self.request.id)
        raise Ignore

    def _start(self, runtime: Runtime) -> RunningJob | Ended | Dropped | Missing:
        """Take the lease of the job; a message of a plain Celery client becomes one before.

        What follows the job is what its submission asked, whatever the message says.
        """
        opened = runtime.ledger.start(self.request.id, self.limit_s)
        foreign = self.request.get(FOREIGN)
        if foreign and isinstance(opened, Missing):
            self._adopt(runtime, foreign)
            opened = runtime.ledger.start(self.request.id, self.limit_s)
        continuation = {}
        if isinstance(opened, RunningJob | Ended):
            continuation = opened.continuation
        self.request.update(what_follows(continuation))
        return opened

    def on_retry(self, *args: Any) -> None:
        """Park only now: RETRY is stored, so a fast next delivery cannot be overwritten by it."""
        start: Start = self.request.start
        job = start.job
        assert start.wait, "only a start that waits raises Parked"
        with spared("the job's samples"):
            start.attempt.samples = samples_of(start)
        try:
            ending = current().ledger.park(job, start.attempt, start.wait)
        except ERRORS as error:
            logger.warning("ledger: %s; job %s is left to its lease", reason(error), job.id)
        else:
            self.publish(ending.publications)

    def after_return(self, status: str, retval: Any, task_id: str, *_: Any) -> None:
        """Have noted that the result backend knows the outcome.

        Without the note a later delivery reports the outcome again.
        """
        if status in ("SUCCESS", "FAILURE"):
            with spared("the note that an outcome is reported"):
                current().leases.note_reported(task_id, self.backend.fate_of(task_id))

    def _report(self, opened: Ended | Dropped | Missing) -> Completion:
        """For a job that this delivery does not run: its outcome, if Celery has not stored it."""
        match opened:
            case Ended(outcome=outcome, reported=False, user_id=user_id, lane=lane):
                record = record_of_outcome(self.request.id, outcome)
                job_ended(replace(record, user_id=user_id or None, lane=lane or None))
                return _return_or_raise(outcome)
            case Missing():
                say_foreign(current().settings.redis.prefix)
                raise OutcomeUnknown(
                    "The ledger has no record of this job: it expired, or the ledger was lost."
                )
        raise Ignore

    def _answer(self, runtime: Runtime, job: RunningJob) -> Completion:
        """Run the job, then end or park it as its outcome or failure demands."""
        start = Start(job)
        self.request.start = start
        runtime.credentials.reload_if_due()
        try:
            outcome: Outcome = self._complete(runtime, start)
        except (BudgetExceeded, RateLimited) as refused:
            error = end_of_refused(refused, _history(runtime, start))
            outcome = self._or_fallback(runtime, start, error)
        except JobError as failed:
            outcome = failed
        except LeaseLost:
            raise Ignore from None
        except AskAgain as again:
            wait = Wait(0.0, again.fault, double_max_tokens=again.double_max_tokens)
            self._park(start, wait, again)
        except (ProviderError, Deferred) as failure:
            return self._decide(runtime, start, failure)
        except ERRORS as error:
            if start.attempt.number:
                raise
            logger.warning("ledger: %s; job %s is given back", reason(error), job.id)
            self._give_back(runtime, start, crashed=not is_its_own(error))
        except Exception:
            logger.exception("job %s: an error of our own", job.id)
            outcome = self._after_error_of_ours(runtime, start)
        return self._end(runtime, start, outcome)

    def _after_error_of_ours(self, runtime: Runtime, start: Start) -> JobError:
        """The end of a job whose call may have been paid for; one that was not called is parked."""
        if not start.attempt.number:
            self._give_back(runtime, start, crashed=True)
        return OutcomeUnknown(ANSWER_LOST)

    def _give_back(self, runtime: Runtime, start: Start, crashed: bool) -> NoReturn:
        """Park a job that was not called, also one that did not hear of the hold it was given."""
        wait = Wait(CRASH_DELAY_S, str(Fault.LOST), crashed=crashed)
        ending = runtime.ledger.park(start.job, start.attempt, wait)
        self.publish(ending.publications)
        raise Ignore from None

    def _complete(self, runtime: Runtime, start: Start) -> Completion:
        start.job.require_whole_request()
        if runtime.near:
            runtime.near.errands.publish = self.publish
        if start.job.request.document:
            return beside(runtime.summaries.run, start.job, start.attempt, self.publish)
        return beside_if(start.job.large, runtime.pipeline.run, start.job, start.attempt)

    def _decide(
        self, runtime: Runtime, start: Start, failure: ProviderError | Deferred
    ) -> Completion:
        """Park or end a job that was not answered, as `retry.py` decides."""
        fault = failure.noted
        if isinstance(failure, ProviderError) and failure.fault is Fault.MISCONFIGURED:
            runtime.credentials.reload_if_due(refused=True)
        jitter = random.random()  # noqa: S311 -- jitter, not a secret
        history = _history(runtime, start)
        decision = decide(failure, history, runtime.settings.retry, jitter)
        if isinstance(decision, RetryAfter):
            wait = Wait(
                decision.after_s,
                fault,
                decision.wakes_on,
                restart_clock=decision.waits_for_room,
            )
            self._park(start, wait, failure)
        outage = isinstance(failure, Outage)
        outcome = self._or_fallback(runtime, start, decision.error, outage)
        return self._end(runtime, start, outcome, fault)

    def _or_fallback(
        self, runtime: Runtime, start: Start, error: JobError, outage: bool = False
    ) -> Outcome:
        if outage or isinstance(error, ProvidersExhausted):
            return runtime.pipeline.fallback_answer(start.job, start.attempt) or error
        return error

    def _park(self, start: Start, wait: Wait, why: Exception) -> NoReturn:
        """Show the wait as Celery's RETRY; `on_retry` does the parking."""
        start.wait = wait
        reason = f"{start.attempt.link} {why}" if wait.fault else str(why)
        if not isinstance(why, Outage):
            reason += f"; next try in {wait.after_s:.1f} s"
        raise Parked(reason, exc=why, when=wait.after_s)

    def _end(self, runtime: Runtime, start: Start, outcome: Outcome, fault: str = "") -> Completion:
        """Settle the job and report its outcome: another one, if the job had ended before."""
        with spared("the job's samples"):
            start.ended_ms = start.job.now_ms
            start.attempt.samples = samples_of(start, outcome)
        ending, outcome = settle(runtime.ledger, start.job, start.attempt, outcome, fault)
        self.publish(ending.publications)
        if ending.state == "lost":
            raise Ignore
        if ending.state != "ok":
            outcome = runtime.ledger.outcome(start.job.id) or outcome
        with spared("the job's record"):
            job_ended(record_of_run(start, outcome))
        return _return_or_raise(outcome)

    def _adopt(self, runtime: Runtime, foreign: dict[str, Any]) -> None:
        """Write a foreign message, arguments and all, into the ledger under its own id."""
        alike = runtime.settings.redis.user_ids
        submission = submission_of_message(self.request.id, foreign, alike)
        submitted = runtime.ledger.submit(submission, adopted=True)
        # The message that was delivered already stands for its own publication.
        job_id = self.request.id
        self.publish([each for each in submitted.publications if each.job_id != job_id])

    def publish(self, publications: list[Publication]) -> None:
        """Put ids on the broker.

        One that fails is not lost: the sweep publishes a released job that was not started.
        """
        with spared("publishing"):
            try:
                publish(self.app, current().settings.redis.names, publications)
            except (KombuError, *self.app.connection_for_write().connection_errors) as error:
                left = len(publications)
                logger.warning("broker: %s; %d jobs are left to the sweep", reason(error), left)


def _history(runtime: Runtime, start: Start) -> History:
    request = start.attempt.request or start.job.request
    links = len(runtime.chain.selection.allowed(request))
    return History.of(start.job, start.attempt, links, runtime.settings.retry)


def _return_or_raise(outcome: Outcome) -> Completion:
    if isinstance(outcome, JobError):
        raise outcome
    return outcome
