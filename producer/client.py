"""The producer's Celery app and its one task, `complete`, in all of Celery's calling styles; and
`Job`, its result.

The app never becomes the host's current app. Nothing is read or connected at import.
"""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from celery import Celery, Task
from celery.result import AsyncResult
from celery.utils import uuid
from kombu.exceptions import KombuError

from .contract.errors import Conflict, InvalidRequest, JobError, OutcomeUnknown, Unavailable
from .contract.messages import Completion
from .contract.names import COMPLETE
from .contract.outcome import load_outcome
from .contract.publication import publish
from .contract.submission import Publication, Submission
from .redis_url import RedisUrl
from .settings import ProducerSettings, SettingsError, load
from .store import ERRORS, TIMEOUT_S, Store
from .waiting import OutcomeWaiter

CHUNK = 200
"""Jobs of `many` per script: about 5 ms in which the server does nothing else."""

T = TypeVar("T")

_settings: ProducerSettings | None = None
_store: Store | None = None


class JobStatus(NamedTuple):
    """What the ledger knows of a job. States: waiting, released, running, parked, done, failed,
    cancelled, expired, dead.
    """

    state: str
    attempts: int
    cost_usd: float
    maybe_billed_usd: float
    tried: tuple[tuple[str, str], ...]
    """(link, fault) of each closed attempt; an empty fault is an answer."""
    ahead: int = 0
    """While it waits: how many of the user's own jobs are before it in its lane."""
    users: int = 0
    """Users with jobs waiting in its lane; they are served in turn."""


class Job(AsyncResult):  # type: ignore[misc]
    """A Celery result that also reads the ledger, which knows more and knows it first."""

    def value(self, timeout: float | None = None) -> Completion:
        """Wait for the answer. Raises the job's own `JobError`, `TimeoutError` after `timeout`
        seconds (the job goes on), `OutcomeUnknown` if the ledger has no such job, `Unavailable` if
        it stays out of reach.
        """
        started = time.monotonic()
        while True:
            problem, completion = self._look()
            if completion:
                return completion
            waited = time.monotonic() - started
            if timeout is not None and waited >= timeout:
                raise problem or TimeoutError(
                    f"job {self.id} has no outcome after {timeout} s; it goes on"
                )
            # A look every 5 % of the time waited so far: at most 5 % late, and few looks for long
            # jobs.
            pause = min(max(waited * 0.05, 0.01), 0.25)
            time.sleep(pause if timeout is None else min(pause, timeout - waited))

    def __await__(self) -> Generator[Any, None, Completion]:
        """`await job`: like `value()`, without blocking the event loop; any number of jobs share
        one look at the ledger.
        """
        return self._answered().__await__()

    async def _answered(self) -> Completion:
        text = await outcome_waiter().outcome(self.id)
        if text is None:
            raise OutcomeUnknown(
                f"the ledger has no job {self.id}: never submitted, or kept too long ago"
            )
        outcome = load_outcome(text)
        if isinstance(outcome, JobError):
            raise outcome
        return outcome

    @property
    def status(self) -> JobStatus:
        """Raises `OutcomeUnknown` for an unknown job, `Unavailable` if the ledger is out of reach."""
        reply = ask_ledger("status", self.id)
        if not reply:
            raise OutcomeUnknown(f"the ledger has no job {self.id}")
        state, cost, maybe, attempts, tried = reply[:5]
        place = reply[8:10]
        history = (item.rpartition("=") for item in tried.split(";") if item)
        return JobStatus(
            state,
            attempts,
            cost / 1e6,
            maybe / 1e6,
            tuple((link, fault) for link, _, fault in history),
            *place,
        )

    def cancel(self) -> str:
        """ "cancelled" (it never runs), "cancelling" (its call is being stopped), or the state it
        had already ended in.
        """
        state, *publications = ask_ledger("cancel", self.id)
        publish_all(Publication.parse(publications))
        return str(state)

    def _look(self) -> tuple[JobError | None, Completion | None]:
        """The completion if it is there; else the error to raise if time is up. Raises the job's
        own error.
        """
        try:
            text, known = store().outcome(self.id)
        except ERRORS:
            return _unavailable(self.id), None
        if text is None:
            if not known:
                raise OutcomeUnknown(
                    f"the ledger has no job {self.id}: never submitted, or kept too long ago"
                )
            return None, None
        outcome = load_outcome(text)
        if isinstance(outcome, JobError):
            raise outcome
        return None, outcome


class Complete(Task):  # type: ignore[misc]
    """`complete(messages, user_id, **options)`, where options are the fields of
    `CompletionRequest`.
    """

    name = COMPLETE
    ignore_result = False

    def apply_async(
        self, args: Any = None, kwargs: Any = None, task_id: str | None = None, **options: Any
    ) -> Job:
        """Write the job into the ledger and publish its id. Celery's options: countdown, eta,
        expires, link, task_id...

        `idempotency_key` in kwargs: the same key and request of a user within 24 h give the same
        job.

        Raises `InvalidRequest`, `Conflict` (that id or key asks something else), or `Unavailable`
        within two seconds; then repeating with `task_id=error.job_id` is safe. With the broker down
        the job is accepted: a steward publishes it.
        """
        submission = Submission.from_call(
            task_id or uuid(), tuple(args or ()), dict(kwargs or {}), options
        )
        state, job_id, _, *publications = ask_ledger(
            "submit", *submission.argv(), job_id=submission.job_id
        )
        if state == "conflict":
            raise Conflict(
                f"job {job_id} exists and asks something else. Fix: use a new task_id or idempotency_key"
            )
        publish_all(Publication.parse(publications))
        return self.AsyncResult(job_id)

    def many(self, requests: Iterable[Any], user_id: str, **options: Any) -> list[Job]:
        """Submit many jobs at once, far cheaper than one by one; in the order of `requests`.

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
            told, publications = submit(chunk, len(jobs))
            publish_all(publications)
            for state, job_id in told:
                if state == "conflict":
                    raise Conflict(
                        f"job {job_id} exists and asks something else. Fix: use a new task_id or idempotency_key"
                    )
                jobs.append(self.AsyncResult(job_id))
        return jobs

    def AsyncResult(self, task_id: str, **kwargs: Any) -> Job:
        return Job(task_id, app=self.app, task_name=self.name, **kwargs)

    def run(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("this side only submits: use complete.delay(...) and a worker")


def configure(redis_url: str | None = None, **settings: str | None) -> None:
    """Set where Redis is instead of the environment; names are the fields of `ProducerSettings`.
    For the whole process.
    """
    global app, _settings, _store
    _settings = load(url=redis_url, **settings)
    if _store:
        _store.close()
    _store = None
    app = _new_app()
    app.register_task(complete)


def store() -> Store:
    """The ledger, connected on first use."""
    global _store
    if _store is None:
        settings = _current_settings()
        _store = Store(settings.ledger, settings.prefix)
    return _store


def _current_settings() -> ProducerSettings:
    global _settings
    _settings = _settings or load()
    return _settings


def _configuration() -> dict[str, Any]:
    try:
        told = _current_settings().celery(TIMEOUT_S)
    except SettingsError:  # Celery asks at import; the first send says what is wrong
        told = {"broker_transport_options": {}}
    return {
        **told,
        "accept_content": ["json"],
        "task_send_sent_event": True,
        "result_extended": False,
        "result_backend_thread_safe": True,
        "redis_socket_timeout": 5,
        "redis_socket_connect_timeout": 3,
        # One try: a job whose publication fails is in the ledger, and a steward publishes it.
        "broker_transport_options": {
            "socket_timeout": TIMEOUT_S,
            "socket_connect_timeout": TIMEOUT_S,
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0,
            "connect_retries_timeout": TIMEOUT_S,
            **told["broker_transport_options"],
        },
    }


def ask_ledger(script: str, *argv: str | int, job_id: str | None = None) -> list[Any]:
    """A shared script's reply. Raises `Unavailable`."""
    try:
        return store().run(script, *argv)
    except ERRORS:
        raise _unavailable(job_id or str(argv[0])) from None


def outcome_waiter() -> OutcomeWaiter:
    """The running event loop's, where awaited jobs wait."""
    settings = _current_settings()
    return OutcomeWaiter.of_this_loop(settings.ledger, settings.prefix)


def read_ledger(read: Callable[[Store], T]) -> T:
    """What `read` finds in the ledger. Raises `Unavailable`."""
    try:
        return read(store())
    except ERRORS:
        raise Unavailable(
            "the ledger cannot be reached. Fix: check REDIS_URL and LEDGER_URL"
        ) from None


def submit(
    submissions: list[Submission], before: int
) -> tuple[list[tuple[str, str]], list[Publication]]:
    """Write them in one step: (state, job id) of each, and what to publish. `before`: how many the
    caller wrote already, for `Unavailable`.
    """
    try:
        reply = store().run("submit", *(value for each in submissions for value in each.argv()))
    except ERRORS:
        away = f"the ledger cannot be reached; {before} jobs were written before"
        raise Unavailable(
            f"{away}. Fix: check REDIS_URL and LEDGER_URL", {"written": before}
        ) from None
    told, publications = reply[: 2 * len(submissions)], reply[2 * len(submissions) + 1 :]
    return list(zip(told[::2], told[1::2], strict=True)), Publication.parse(publications)


def numbered(number: int, request: Any, user_id: str, options: dict[str, Any]) -> Submission:
    """One of many, its number in the place of `InvalidRequest`."""
    fields = {
        "user_id": user_id,
        **options,
        **(request if isinstance(request, dict) else {"messages": request}),
    }
    try:
        return Submission.from_call(str(fields.pop("task_id", "") or uuid()), (), fields, {})
    except InvalidRequest as error:
        raise InvalidRequest(
            f"requests[{number}]: {error.message}", {**error.details, "number": number}
        ) from None


def _unavailable(job_id: str) -> Unavailable:
    return Unavailable(
        f"the ledger cannot be reached. Fix: check REDIS_URL and LEDGER_URL; repeating with task_id={job_id!r} is safe",
        {"job_id": job_id},
    )


def publish_all(publications: list[Publication]) -> None:
    """Best effort: an id that the broker does not take is published by the sweep of any worker."""
    with suppress(KombuError, *ERRORS):
        publish(app, publications, retry=False)


class _App(Celery):  # type: ignore[misc]
    @property
    def backend_cls(self) -> str:
        """The result backend's URL, where Celery looks before CELERY_RESULT_BACKEND, which it would
        take as it is written.
        """
        try:
            return RedisUrl.of(_current_settings().backend).url
        except SettingsError:
            return "disabled"


def _new_app() -> Celery:
    """Reads its configuration, through `_configuration`, when it is first used."""
    new = _App("completions-producer", set_as_current=False)
    new.add_defaults(_configuration)
    return new


app = _new_app()
complete = app.register_task(Complete())
