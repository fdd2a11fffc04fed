"""`Job`: a job by its id. It waits for the answer, says where the job stands, and cancels it."""

import asyncio
import time
from contextlib import suppress
from typing import Any, TypeVar

from celery.exceptions import BackendError
from pydantic import BaseModel

from . import forks
from .awaited import Awaited
from .celery_bases import AsyncResult
from .contract.completions import Completion
from .contract.errors import JobError, OutcomeUnknown, Unavailable
from .contract.names import COMPLETE
from .contract.outcome import load_outcome
from .current import connection_errors, current_settings, ledger
from .ledger_replies import JobStatus
from .publishing import current_app, publish_all
from .redis_trouble import described
from .waiting import outcome_waiter

T = TypeVar("T", covariant=True)

AWAY_S = 1.0
"""Between two tries of a result backend that is away."""


class AnyJob(Awaited[T], AsyncResult):
    """A Celery result that also reads the ledger, which knows more and knows it first.

    `state` and `status` are Celery's word, from the result backend: PENDING, STARTED, RETRY,
    SUCCESS, FAILURE. What the ledger knows is in `progress()`.
    """

    def _completion(self, timeout: float | None) -> Completion:
        """Wait for the answer."""
        with suppress(Unavailable):
            outcome = ledger().outcome(self.id)
            if outcome.text is not None or not outcome.known:
                return self._told(outcome.text)
        try:
            return self._told(outcome_waiter().wait(self.id, timeout))
        except TimeoutError:
            last = ledger().outcome(self.id)
        if last.text is None and last.known:
            raise self._timed_out(timeout)
        return self._told(last.text)

    def _timed_out(self, timeout: float | None) -> TimeoutError:
        waits_for = ""
        with suppress(JobError):
            waits_for = self.progress().waits_for
        goes_on = f"it waits for {waits_for}" if waits_for else "it goes on"
        return TimeoutError(f"job {self.id} has no outcome after {timeout} s; {goes_on}")

    async def _awaited(self) -> Completion:
        text = await outcome_waiter().outcome(self.id)
        return self._told(text)

    def throw(self, error: Any, *more: Any) -> Any:
        """Also Celery's, which brings a traceback, too."""
        if more:
            return AsyncResult.throw(self, error, *more)
        return super().throw(error)

    def get(self, timeout: float | None = None, *args: Any, **options: Any) -> Any:
        """Celery's own, from the result backend: the answer as a dict.

        Raises the job's own `JobError`, Celery's `TimeoutError`, and `Unavailable` if the result
        backend is out of reach when the time is over.
        """
        forks.notice()
        started = time.monotonic()
        while True:
            left = timeout and max(0.0, timeout - time.monotonic() + started)
            try:
                return super().get(left, *args, **options)
            except (BackendError, *connection_errors()) as error:
                if left is not None and left <= AWAY_S:
                    variables = "REDIS_URL and CELERY_RESULT_BACKEND, or use job.value()"
                    told = described(current_settings().backend, error, variables)
                    raise Unavailable(told, {"job_id": self.id}) from None
            time.sleep(AWAY_S)

    def _told(self, outcome: str | None) -> Completion:
        return _returned_or_raised(self.id, outcome)

    def __reduce__(self) -> Any:
        """For another process of this side: without login and connections, which are its own."""
        return _in_this_process, (type(self), self.id, vars(self).get("model"))

    def progress(self) -> JobStatus:
        """Where it stands now: state, attempts, cost, how many jobs are before it, what it waits
        for.

        Raises `OutcomeUnknown` for an unknown job, `Unavailable` without the ledger.
        """
        found = ledger().status(self.id)
        if found is None:
            raise _no_such_job(self.id)
        return found

    async def aprogress(self) -> JobStatus:
        """`progress` for async code."""
        return await asyncio.to_thread(self.progress)

    def cancel(self) -> str:
        """End the job, or stop its call. Returns the state afterwards.

        "cancelled" (it never runs), "cancelling" (its call is being stopped), the state in which
        it had ended before, or "missing".
        """
        cancellation = ledger().cancel(self.id)
        publish_all(cancellation.publications)
        return cancellation.state

    def report_wrong(self) -> bool:
        """Say that the answer is wrong which it was given from a question that means the same
        (`Completion.cached == "semantic"`): nobody else is given it until its own evidence proves
        it right. False: it was given none in the last 7 days, or that is reported already.
        """
        return ledger().report_wrong(self.id)

    async def areport_wrong(self) -> bool:
        """`report_wrong` for async code."""
        return await asyncio.to_thread(self.report_wrong)

    async def acancel(self) -> str:
        """`cancel` for async code."""
        return await asyncio.to_thread(self.cancel)


class Job(AnyJob[Completion]):
    """A job whose answer is a `Completion`: `job.value()`, or `await job`."""

    model: type[BaseModel] | None = None
    """Of which `Completion.parsed` is an instance: the `response_format` that was passed here."""

    def value(self, timeout: float | None = None) -> Completion:
        """Wait for the answer.

        Raises the job's own `JobError`, `TimeoutError` after `timeout` seconds (the job goes on),
        `OutcomeUnknown` if the ledger has no such job, `Unavailable` if it stays out of reach.
        """
        return self._completion(timeout)

    async def _answer(self) -> Completion:
        return await self._awaited()

    def _told(self, outcome: str | None) -> Completion:
        return super()._told(outcome).parsed_as(self.model)

    def _repr_markdown_(self) -> str:
        """For notebooks: the answer, its error, or where it stands, as it is now."""
        try:
            text = ledger().outcome(self.id).text
            if text is not None:
                return self._told(text)._repr_markdown_()
            return f"*job {self.id}: {self.progress().state}*"
        except JobError as error:
            return f"*job {self.id}: {type(error).__name__}: {error}*"


def _in_this_process(kind: type[AnyJob[Any]], job_id: str, model: Any) -> Any:
    job = kind(job_id, app=current_app(), task_name=COMPLETE)
    if model is not None:
        vars(job)["model"] = model
    return job


def _returned_or_raised(job_id: str, outcome: str | None) -> Completion:
    """The completion in a stored outcome, or its error raised. None: there is no such job."""
    if outcome is None:
        raise _no_such_job(job_id)
    loaded = load_outcome(outcome)
    if isinstance(loaded, JobError):
        raise loaded
    return loaded


def _no_such_job(job_id: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"the ledger has no job {job_id}: never submitted, or kept too long ago")
