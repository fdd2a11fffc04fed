"""The task `complete` in all of Celery's calling styles.

Nothing is read or connected at import.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from celery.utils import uuid
from pydantic import BaseModel

from . import hosts
from .calling import checked_as_request
from .canvas import CanvasStep
from .celery_app import new_app
from .contract.errors import Conflict, InvalidRequest, Unavailable
from .contract.names import COMPLETE
from .contract.options import CallOptions, CeleryOptions, Messages, Options
from .contract.submission import CHUNK, Submission
from .current import current_settings, ledger, use_settings
from .jobs import Job
from .ledger_replies import SubmittedJob
from .publishing import current_app, publish_all, use_app
from .settings import load

if TYPE_CHECKING:
    from celery.canvas import Signature

Args = tuple[()] | tuple[Messages] | tuple[Messages, str] | list[Any]
"""The positional arguments of a call, as Celery's `apply_async` takes them."""


def _model_in(options: Mapping[str, Any]) -> type[BaseModel] | None:
    wanted = options.get("response_format")
    return wanted if isinstance(wanted, type) and issubclass(wanted, BaseModel) else None


class Complete(CanvasStep):
    """`complete.delay(messages, user_id, **options)` gives a `Job`; see `help(complete.delay)`."""

    name = COMPLETE
    ignore_result = False

    @checked_as_request
    def delay(self, messages: Messages, user_id: str, **options: Unpack[Options]) -> Job:
        """Submit a request and return its job at once: `job.value(timeout)` or `await job`.

            job = complete.delay([{"role": "user", "content": "Hello"}], "user-17", max_tokens=300)
            print(job.value(timeout=30).text)

        `messages`: turns in OpenAI's shape, or Anthropic's or Google's; the SDKs' objects, too.
        `user_id`: whose limits and budgets it counts against, and whose turn it takes.

        Options, all of them by name; docs/options.md has every one and its meaning:
        `model` ("openai:gpt-4o-mini", "fast", "smart"), `temperature` (0: cached), `max_tokens`,
        `stop`, `tools`, `response_format` (a pydantic model: `job.value().parsed` is one of it),
        `deadline_s` (seconds after which no answer is wanted), `lane` ("batch": after those who
        wait for an answer), `over_limit` ("wait" for a limit instead of failing), `cache`, `tags`,
        `metadata`, `idempotency_key`.

        Raises `InvalidRequest`, which says what is wrong, where, and how to mend it, and
        `Unavailable` within two seconds if Redis does not answer. What goes wrong later is raised
        by `job.value()`: docs/errors.md. It blocks for one trip to Redis: `adelay` does not.
        """
        return self.apply_async((messages, user_id), options)

    @checked_as_request
    async def adelay(self, messages: Messages, user_id: str, **options: Unpack[Options]) -> Job:
        """`delay` for async code: the event loop goes on meanwhile. `job = await complete.adelay(
        messages, user_id)`, then `await job`.

        Who is cancelled while it is on its way may have submitted the job all the same.
        """
        return await asyncio.to_thread(self.apply_async, (messages, user_id), options)

    def apply_async(
        self,
        args: Args = (),
        kwargs: Options | CallOptions | None = None,
        task_id: str | None = None,
        **options: Unpack[CeleryOptions],
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
            dict(options),
            max_bytes=settings.max_request_bytes,
            user_ids=settings.user_ids,
        )
        hosts.prepare(submission.continuation, self.replaces(task_id))
        try:
            submitted = ledger().submit([submission])
            publish_all(submitted.publications)
        except Unavailable as error:
            raise _safe_to_repeat(error, submission.job_id) from None
        (job,) = submitted.jobs
        accepted = self._accepted(job)
        accepted.model = _model_in(kwargs or {})
        return accepted

    def many(
        self,
        requests: Iterable[Messages | Mapping[str, object]],
        user_id: str,
        **options: Unpack[Options],
    ) -> list[Job]:
        """Submit many jobs at once, far cheaper than one by one; jobs in the order of `requests`.

        Each is a list of messages, or a dict of `complete`'s arguments that win over `options`
        (also `task_id`). All are checked before the first is written: `InvalidRequest` names the
        number of the wrong one. `Unavailable` says how many were written for sure; give task_ids or
        idempotency keys if you want to repeat the whole safely.
        """
        submissions = [
            numbered(number, each, user_id, dict(options)) for number, each in enumerate(requests)
        ]
        jobs: list[Job] = []
        for start in range(0, len(submissions), CHUNK):
            chunk = submissions[start : start + CHUNK]
            jobs += [self._accepted(job) for job in submit_chunk(chunk, len(jobs))]
        for job in jobs:
            job.model = _model_in(options)
        return jobs

    async def amany(
        self,
        requests: Iterable[Messages | Mapping[str, object]],
        user_id: str,
        **options: Unpack[Options],
    ) -> list[Job]:
        """`many` for async code."""
        return await asyncio.to_thread(self.many, requests, user_id, **options)

    def s(self, *args: Messages | str, **kwargs: Unpack[CallOptions]) -> "Signature":
        """A step of a canvas with these arguments, or some of them, as Celery's."""
        return self.signature(args, kwargs)

    def si(self, *args: Messages | str, **kwargs: Unpack[CallOptions]) -> "Signature":
        """A step that takes nothing from the one before it, as Celery's."""
        return self.signature(args, kwargs, immutable=True)

    def _accepted(self, job: SubmittedJob) -> Job:
        if job.state == "conflict":
            raise Conflict(
                f"job {job.job_id} exists and is another user's or asks something else. "
                "Fix: use a new task_id or idempotency_key"
            )
        return self.AsyncResult(job.job_id)

    def AsyncResult(self, task_id: str, **kwargs: Any) -> Job:
        """The job with this id, whoever submitted it. Asks nobody whether there is one."""
        return Job(task_id, app=current_app(), task_name=self.name, **kwargs)


def configure(redis_url: str | None = None, **settings: str | None) -> None:
    """Set where Redis is instead of the environment, for the whole process.

    Names are the fields of `ProducerSettings`. Loads what the first call would load. Raises
    `SettingsError`, also for any other name.
    """
    use_settings(load(**{"url": redis_url} | settings))
    app = new_app()
    app.register_task(complete)
    use_app(app)
    ledger()


def submit_chunk(submissions: list[Submission], written: int) -> list[SubmittedJob]:
    """Write them in one step and publish what is to run.

    `written`: how many the caller wrote before, for `Unavailable`.
    """
    try:
        submitted = ledger().submit(submissions)
        written += len(submissions)
        publish_all(submitted.publications)
    except Unavailable as error:
        reason = f"{error.message}; {written} jobs were written before"
        raise Unavailable(reason, {**error.details, "written": written}) from None
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


def _safe_to_repeat(error: Unavailable, job_id: str) -> Unavailable:
    """The same reason, with the id of a job that can be submitted again."""
    reason = f"{error.message}; repeating with task_id={job_id!r} is safe"
    return Unavailable(reason, {**error.details, "job_id": job_id})


def _task_of(app: Any) -> Complete:
    """Registered with the app when that is first used: to register it reads the settings."""
    made = Complete()
    Complete._app = app
    app.on_after_finalize.connect(lambda **_: app.register_task(made), weak=False)
    return made


complete: Complete = _task_of(current_app())
