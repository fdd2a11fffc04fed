"""A job whose provider has replied, and errors of ours after that."""

import sys
from pathlib import Path
from types import SimpleNamespace

import redis
from celery.exceptions import Ignore, Retry
from support.memory_budgets import MemoryBudgets
from support.running_jobs import running_job

import worker
from producer.contract.completions import Usage
from producer.contract.ledger.calls import StateReply
from producer.contract.outcome import load_outcome
from producer.contract.requests import CompletionRequest
from worker.audit.writer import Audit
from worker.budgets.pricing import Pricing
from worker.budgets.quota import Quota
from worker.cache import Cache
from worker.ledger.connection import Keys
from worker.ledger.job_functions import Settle
from worker.ledger.ledger import Ledger
from worker.loop import Loop
from worker.model_catalog import Models
from worker.output_filters import OutputFilters
from worker.pipeline import Pipeline
from worker.providers.base import Reply
from worker.providers.caller import ProviderCaller
from worker.providers.clients import Clients
from worker.providers.credentials import Credentials
from worker.providers.evidence import Judge
from worker.providers.selection import LinkSelector
from worker.providers.tokens import Estimator
from worker.settings import (
    AuditSettings,
    CacheSettings,
    CallSettings,
    FilterSettings,
    LedgerSettings,
    Link,
    QuotaSettings,
    RetrySettings,
    SourceSettings,
)
from worker.settings.prices import rates
from worker.tasks import Complete

FOLDER = str(Path(worker.__file__).parent)
LINKS = tuple(
    Link(provider="openai", model=name, adapter="simulator") for name in ("gpt-4o", "gpt-4o-mini")
)
MODELS = Models.load()
REQUEST = CompletionRequest.checked(messages=[{"role": "user", "content": "x"}], temperature=0)
REPLY = Reply("an answer", "stop", "m", Usage(input=5, output=7), provider_request_id="r")


class OwnTask(Complete):
    """Without Celery: what it would publish goes nowhere."""

    request = SimpleNamespace()

    def publish(self, publications):
        assert publications == []


class Job:
    """One start of a job, with a provider whose reply is given."""

    def __init__(self, reply=REPLY):
        self.reply = reply
        self.calls = 0
        self.booked = []
        """The calls of settle and park that reached the ledger."""
        self.replied = lambda: None
        call = CallSettings(max_tokens=50)
        pricing = Pricing({}, rates("0/0"))
        estimator = Estimator(MODELS)
        clients = Clients(Loop(), Credentials(LINKS, SourceSettings()))
        clients.call = self._call
        quota = QuotaSettings()
        selection = LinkSelector(LINKS, call, MODELS, "fast", pricing, estimator, quota)
        chain = ProviderCaller(
            selection, call, pricing, estimator, clients, b"key", Judge(RetrySettings())
        )
        ledger = Ledger(None, Keys(), LedgerSettings(), "test")
        ledger._call = self._book
        self.retry = RetrySettings()
        self.runtime = SimpleNamespace(
            ledger=ledger,
            chain=chain,
            credentials=SimpleNamespace(reload_if_due=lambda **_: None),
            settings=SimpleNamespace(retry=self.retry),
            near=None,
            pipeline=Pipeline(
                Audit(None, Keys(), AuditSettings(), b"key", lambda: None),
                Cache(CacheSettings(), call, LINKS, "fast"),
                Quota(MemoryBudgets(), QuotaSettings()),
                chain,
                OutputFilters(FilterSettings()),
                self.retry,
            ),
        )

    def run(self):
        return OwnTask()._answer(self.runtime, running_job("job", REQUEST))

    @property
    def outcome(self):
        """How it ended: the first that reached the ledger."""
        return load_outcome(self._settled[0].outcome)

    @property
    def bill(self):
        return self._settled[0].billing

    @property
    def _settled(self):
        return [each for each in self.booked if isinstance(each, Settle)]

    def _call(self, link, call):
        self.calls += 1
        self.replied()
        return self.reply

    def _book(self, call):
        if not all(isinstance(each, str | int) for each in call.arguments):
            raise redis.DataError("Invalid input")
        late = any(isinstance(each, Settle) for each in self.booked)
        self.booked.append(call)
        return StateReply("late" if late else "ok", [])


GUARDS = ("failures", "hold_of", "spared", "write_answer", "_warning")
"""What keeps errors in, and so cannot be where one comes from."""


class Injector:
    """Raises at one step after the reply: the `number`-th line, or entry of a function, of files
    that begin like one of `included` and none of `excluded`.
    """

    def __init__(self, job, error, number, event, excluded, included):
        self.error = error
        self.number = number
        self.event = event
        self.excluded = excluded
        self.included = included
        self.raised_at = ""
        job.replied = self._arm
        self._armed = False

    def __enter__(self):
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_):
        sys.settrace(None)

    def _arm(self):
        self._armed = True

    def _trace(self, frame, event, _):
        code = frame.f_code
        place = code.co_filename.removeprefix(FOLDER)
        if place == code.co_filename or place.startswith(self.excluded):
            return None
        if not place.startswith(self.included) or code.co_name in GUARDS:
            return None
        if self._armed and event == self.event and not self.raised_at:
            self.number -= 1
            if self.number < 0:
                self.raised_at = f"{place}:{frame.f_lineno}"
                raise type(self.error)(*self.error.args)
        return self._trace


def steps(event, error, excluded=("/-",), included=("/",)):
    """A job for each step after the reply at which `error` can be raised, until none is left."""
    for number in range(2_000):
        job = Job()
        with Injector(job, error, number, event, excluded, included) as injector:
            try:
                job.answer = job.run()
            except (Exception, Ignore, Retry) as raised:
                job.raised = raised
        if not injector.raised_at:
            assert number > 20
            return
        yield injector.raised_at, job
