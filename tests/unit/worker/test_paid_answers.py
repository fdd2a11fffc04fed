"""An answer that was paid for ends its job, whatever goes wrong with it: it is not asked again."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from celery.exceptions import Ignore, Retry
from hypothesis import given, settings
from hypothesis import strategies as st
from support.memory_budgets import MemoryBudgets
from support.running_jobs import running_job

import worker
from producer.contract.completions import Completion, Usage
from producer.contract.errors import JobError, OutcomeUnknown
from producer.contract.ledger.calls import StateReply
from producer.contract.outcome import load_outcome
from producer.contract.requests import CompletionRequest
from worker.audit.writer import Audit
from worker.budgets.pricing import Pricing
from worker.budgets.quota import Quota
from worker.cache import Cache
from worker.faults import Deferred, Fault, LeaseLost, ProviderError
from worker.ledger.connection import Keys
from worker.ledger.job_functions import Park, Settle
from worker.ledger.ledger import Ledger
from worker.loop import Loop
from worker.model_catalog import Models
from worker.output_filters import OutputFilters
from worker.pipeline import AskAgain, Pipeline
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
        selection = LinkSelector(LINKS, call, MODELS, "fast", pricing, estimator)
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
        if not all(isinstance(each, str | int) for each in call.arguments()):
            raise redis.DataError("Invalid input")
        late = any(isinstance(each, Settle) for each in self.booked)
        self.booked.append(call)
        return StateReply("late" if late else "ok", [])


class Injector:
    """Raises at one step after the reply: the `number`-th line, or entry of a function."""

    def __init__(self, job, error, number, event, excluded):
        self.error = error
        self.number = number
        self.event = event
        self.excluded = excluded
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
        if code.co_name in ("failures", "hold_of"):
            return None
        if self._armed and event == self.event and not self.raised_at:
            self.number -= 1
            if self.number < 0:
                self.raised_at = f"{place}:{frame.f_lineno}"
                raise type(self.error)(*self.error.args)
        return self._trace


def steps(event, error, excluded):
    """A job for each step after the reply at which `error` can be raised, until none is left."""
    for number in range(2_000):
        job = Job()
        with Injector(job, error, number, event, excluded) as injector:
            try:
                job.run()
            except (Exception, Ignore, Retry) as raised:
                job.raised = raised
        if not injector.raised_at:
            assert number > 20
            return
        yield injector.raised_at, job


PLAIN = (KeyError("k"), ValueError("v"), RecursionError(), MemoryError(), AssertionError())


@pytest.mark.parametrize("error", PLAIN, ids=repr)
def test_an_error_at_any_line_after_the_reply_ends_the_job(error):
    """It is booked, really or as possibly billed, and never parked for another call."""
    excluded = ("/tasks.py", "/telemetry", "/ledger/recent_settles.py")
    for place, job in steps("line", error, excluded):
        assert job.calls == 1, place
        assert not any(isinstance(each, Park) for each in job.booked), place
        assert isinstance(job.outcome, JobError | Completion), place
        assert job.bill in ("real", "maybe"), place


DECEPTIVE = (
    OSError("away"),
    redis.ConnectionError("away"),
    redis.ResponseError("OOM"),
    ProviderError(Fault.UNAVAILABLE, "x"),
    Deferred("x", 1.0),
    LeaseLost("job"),
    JobError("x"),
)
"""What would have the job tried again if it were raised before the call."""


@pytest.mark.parametrize("error", DECEPTIVE, ids=repr)
def test_an_error_that_looks_like_one_before_the_call_ends_the_job_too(error):
    excluded = ("/tasks.py", "/faults.py", "/ledger", "/telemetry/records.py")
    for place, job in steps("call", error, excluded):
        assert job.calls == 1, place
        assert not any(isinstance(each, Park) for each in job.booked), place
        assert isinstance(job.outcome, JobError | Completion), place
        assert job.bill in ("real", "maybe"), place


WRONG = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(
    changes=st.fixed_dictionaries(
        {},
        optional={
            "text": WRONG,
            "model": WRONG,
            "finish": WRONG | st.sampled_from(["length", "refusal", "tool_calls"]),
            "usage": WRONG
            | st.builds(Usage.model_construct, input=WRONG, output=WRONG, cached=WRONG),
            "tool_calls": WRONG,
            "provider_request_id": WRONG,
            "rate_limits": WRONG,
        },
    )
)
def test_whatever_an_adapter_returns_there_is_one_call_and_one_end(changes):
    job = Job(replace(REPLY, **changes))
    try:
        answer = job.run()
    except JobError as error:
        answer = error
    assert job.calls == 1
    assert len(job.booked) == 1
    assert job.bill in ("real", "maybe")
    assert type(answer) is type(job.outcome)


def test_an_adapter_that_raises_what_it_must_not_is_called_once():
    """It may have had its reply."""
    job = Job()

    def fail():
        raise KeyError("choices")

    job.replied = fail
    with pytest.raises(OutcomeUnknown):
        job.run()
    assert (job.calls, job.bill) == (1, "maybe")


def test_what_the_ledger_refuses_is_settled_without_it():
    job = Job()
    refuse = iter([True])

    def book(call):
        if next(refuse, False):
            raise ValueError("INVALID settle: tokens needs a whole number")
        return Job._book(job, call)

    job.runtime.ledger._call = book
    with pytest.raises(OutcomeUnknown, match="not repeated"):
        job.run()
    assert (job.calls, job.bill, len(job.booked)) == (1, "maybe", 1)


def test_only_what_is_meant_to_asks_again():
    """Truncated, and the caller asked for that: one more call, which is an attempt of its own."""
    job = Job(replace(REPLY, finish="length"))
    request = REQUEST.model_copy(update={"on_truncation": "retry"})
    with pytest.raises(Retry) as caught:
        OwnTask()._answer(job.runtime, running_job("job", request))
    assert isinstance(caught.value.exc, AskAgain)
