"""The task `complete` in all of Celery's calling styles, and `Job`, its result.

Nothing is read or connected at import.
"""

import time
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import Any

from celery import Task
from celery.exceptions import BackendError
from celery.result import AsyncResult
from celery.utils import uuid
from kombu.exceptions import KombuError
from pydantic import BaseModel

from . import connections
from .celery_app import new_app
from .contract.completions import Completion
from .contract.errors import Conflict, InvalidRequest, JobError, Unavailable
from .contract.names import COMPLETE
from .contract.outcome import load_outcome
from .contract.publication import Publication, publish
from .contract.submission import Submission
from .ledger_client import (
    CHUNK,
    CONNECTION_ERRORS,
    current_settings,
    ledger,
    no_such_job,
    safe_to_repeat,
    use_settings,
)
from .ledger_replies import JobStatus, StoredOutcome, SubmittedJob
from .redis_trouble import described
from .settings import load
from .waiting import OutcomeWaiter

AWAY_S = 1.0
"""Between two tries of a result backend that is away."""
ONCE_MORE = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
_published = 0.0


class AnyJob(AsyncResult):  # type: ignore[misc]
    """A Celery result that also reads the ledger, which knows more and knows it first."""

    def _completion(self, timeout: float | None) -> Completion:
        """Wait for the answer."""
        started = time.monotonic()
        while True:
            away: Unavailable | None = None
            outcome = StoredOutcome(None, known=True)
            try:
                outcome = ledger().outcome(self.id)
            except Unavailable as error:
                away = error
            if outcome.text is not None or not outcome.known:
                return self._told(outcome.text)
            waited = time.monotonic() - started
            # Every 5 % of the time waited so far: at most 5 % late, and seldom for long jobs.
            pause = min(max(waited * 0.05, 0.01), 0.25)
            if timeout is not None:
                if waited >= timeout:
                    raise away or self._timed_out(timeout)
                pause = min(pause, timeout - waited)
            time.sleep(pause)

    def _timed_out(self, timeout: float) -> TimeoutError:
        waits_for = ""
        with suppress(JobError):
            waits_for = self.status.waits_for
        goes_on = f"it waits for {waits_for}" if waits_for else "it goes on"
        return TimeoutError(f"job {self.id} has no outcome after {timeout} s; {goes_on}")

    async def _awaited(self) -> Completion:
        text = await OutcomeWaiter.of_this_loop().outcome(self.id)
        return self._told(text)

    def get(self, timeout: float | None = None, *args: Any, **options: Any) -> Any:
        """Celery's own, from the result backend: the answer as a dict.

        Raises the job's own `JobError`, Celery's `TimeoutError`, and `Unavailable` if the result
        backend is out of reach when the time is over.
        """
        started = time.monotonic()
        while True:
            left = timeout and max(0.0, timeout - time.monotonic() + started)
            try:
                return super().get(left, *args, **options)
            except (BackendError, *CONNECTION_ERRORS) as error:
                if left is not None and left <= AWAY_S:
                    variables = "REDIS_URL and CELERY_RESULT_BACKEND, or use job.value()"
                    told = described(current_settings().backend, error, variables)
                    raise Unavailable(told, {"job_id": self.id}) from None
            time.sleep(AWAY_S)

    def _told(self, outcome: str | None) -> Completion:
        return _returned_or_raised(self.id, outcome)

    @property
    def status(self) -> JobStatus:
        """Raises `OutcomeUnknown` for an unknown job, `Unavailable` without the ledger."""
        found = ledger().status(self.id)
        if found is None:
            raise no_such_job(self.id)
        return found

    def cancel(self) -> str:
        """End the job, or stop its call. Returns the state afterwards.

        "cancelled" (it never runs), "cancelling" (its call is being stopped), the state in which
        it had ended before, or "missing".
        """
        cancellation = ledger().cancel(self.id)
        publish_all(cancellation.publications)
        return cancellation.state


class Job(AnyJob):
    """A job whose answer is a `Completion`."""

    model: type[BaseModel] | None = None
    """Of which `Completion.parsed` is an instance: the `response_format` that was passed here."""

    def value(self, timeout: float | None = None) -> Completion:
        """Wait for the answer.

        Raises the job's own `JobError`, `TimeoutError` after `timeout` seconds (the job goes on),
        `OutcomeUnknown` if the ledger has no such job, `Unavailable` if it stays out of reach.
        """
        return self._completion(timeout)

    def __await__(self) -> Generator[Any, None, Completion]:
        """`await job`: like `value()`, without blocking the event loop.

        All awaited jobs of a loop are looked up together.
        """
        return self._awaited().__await__()

    def _told(self, outcome: str | None) -> Completion:
        return super()._told(outcome).parsed_as(self.model)


def _model_in(options: dict[str, Any]) -> type[BaseModel] | None:
    wanted = options.get("response_format")
    return wanted if isinstance(wanted, type) and issubclass(wanted, BaseModel) else None


def _returned_or_raised(job_id: str, outcome: str | None) -> Completion:
    """The completion in a stored outcome, or its error raised. None: there is no such job."""
    if outcome is None:
        raise no_such_job(job_id)
    loaded = load_outcome(outcome)
    if isinstance(loaded, JobError):
        raise loaded
    return loaded


class Complete(Task):  # type: ignore[misc]
    """`complete(messages, user_id, **options)`: options are the fields of `CompletionRequest`."""

    name = COMPLETE
    ignore_result = False

    def apply_async(
        self, args: Any = None, kwargs: Any = None, task_id: str | None = None, **options: Any
    ) -> Job:
        """Write the job into the ledger and publish its id.

        `options`: Celery's countdown, eta, expires, link... The same id, user and request are the
        same job. `idempotency_key` in kwargs: so are the same key, user and request within 24 h.

        Raises `InvalidRequest`, `Conflict` (the id or key is taken by a job of another user, or by
        another request), or `Unavailable` within two seconds; then repeating with
        `task_id=error.job_id` is safe. With the broker down the job is accepted: a steward
        publishes it.
        """
        settings = current_settings()
        submission = Submission.from_call(
            task_id or uuid(),
            args or (),
            kwargs or {},
            options,
            max_bytes=settings.max_request_bytes,
            user_ids=settings.user_ids,
        )
        try:
            submitted = ledger().submit([submission])
        except Unavailable as error:
            raise safe_to_repeat(error, submission.job_id) from None
        publish_all(submitted.publications)
        (job,) = submitted.jobs
        accepted = self._accepted(job)
        accepted.model = _model_in(kwargs or {})
        return accepted

    def many(self, requests: Iterable[Any], user_id: str, **options: Any) -> list[Job]:
        """Submit many jobs at once, far cheaper than one by one; jobs in the order of `requests`.

        Each is a list of messages, or a dict of `complete`'s arguments that win over `options`
        (also `task_id`). All are checked before the first is written: `InvalidRequest` names the
        number of the wrong one. `Unavailable` says how many were written for sure; give task_ids or
        idempotency keys if you want to repeat the whole safely.
        """
        submissions = [
            numbered(number, each, user_id, options) for number, each in enumerate(requests)
        ]
        jobs: list[Job] = []
        for start in range(0, len(submissions), CHUNK):
            chunk = submissions[start : start + CHUNK]
            jobs += [self._accepted(job) for job in submit_chunk(chunk, len(jobs))]
        for job in jobs:
            job.model = _model_in(options)
        return jobs

    def _accepted(self, job: SubmittedJob) -> Job:
        if job.state == "conflict":
            raise Conflict(
                f"job {job.job_id} exists and is another user's or asks something else. "
                "Fix: use a new task_id or idempotency_key"
            )
        return self.AsyncResult(job.job_id)

    def AsyncResult(self, task_id: str, **kwargs: Any) -> Job:
        return Job(task_id, app=self.app, task_name=self.name, **kwargs)

    def run(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("this side only submits: use complete.delay(...) and a worker")


def configure(redis_url: str | None = None, **settings: str | None) -> None:
    """Set where Redis is instead of the environment, for the whole process.

    Names are the fields of `ProducerSettings`. Raises `SettingsError`, also for any other name.
    """
    global app
    use_settings(load(**{"url": redis_url} | settings))
    app = new_app()
    app.register_task(complete)


def submit_chunk(submissions: list[Submission], written: int) -> list[SubmittedJob]:
    """Write them in one step and publish what is to run.

    `written`: how many the caller wrote before, for `Unavailable`.
    """
    try:
        submitted = ledger().submit(submissions)
    except Unavailable as error:
        reason = f"{error.message}; {written} jobs were written before"
        raise Unavailable(reason, {**error.details, "written": written}) from None
    publish_all(submitted.publications)
    return submitted.jobs


def numbered(
    number: int,
    request: Any,
    user_id: str,
    options: dict[str, Any],
    batch: str = "",
    name: Any = "",
) -> Submission:
    """One submission of many; `InvalidRequest` then says its number.

    `batch`, `name`: as in `Submission`.
    """
    if not isinstance(request, dict):
        request = {"messages": request}
    fields = {"user_id": user_id, **options, **request}
    job_id = fields.pop("task_id", None) or uuid()
    try:
        settings = current_settings()
        bounds = (settings.max_request_bytes, settings.user_ids)
        return Submission.from_call(job_id, (), fields, {}, batch, name, *bounds)
    except InvalidRequest as error:
        raise InvalidRequest(
            f"requests[{number}]: {error.message}", {**error.details, "number": number}
        ) from None


def publish_all(publications: list[Publication]) -> None:
    """Best effort: an id that the broker does not take is published by the sweep of any worker.

    After a pause the connection may have been forgotten by what is between: then it is tried twice.
    """
    global _published
    idle_s, _published = time.monotonic() - _published, time.monotonic()
    options = {"retry": idle_s > connections.IDLE_S, "retry_policy": ONCE_MORE}
    with suppress(KombuError, *CONNECTION_ERRORS):
        publish(app, current_settings().names, publications, **options)


app = new_app()
complete = app.register_task(Complete())
