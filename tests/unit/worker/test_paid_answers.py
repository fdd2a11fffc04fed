"""An answer that was paid for ends its job, whatever goes wrong with it: it is not asked again."""

from dataclasses import replace

import pytest
import redis
from celery.exceptions import Retry
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paid_answers import REPLY, REQUEST, Job, OwnTask, steps
from support.running_jobs import running_job

from producer.contract.completions import Completion, Usage
from producer.contract.errors import JobError, OutcomeUnknown
from worker.faults import Deferred, Fault, LeaseLost, ProviderError
from worker.ledger.job_functions import Park
from worker.pipeline import AskAgain
from worker.sealing import Seal, new_pair

PLAIN = (KeyError("k"), ValueError("v"), RecursionError(), MemoryError(), AssertionError())


def one_of(errors):
    """Each takes every place; one of them stands for all in the default lane."""
    return [errors[0], *(pytest.param(each, marks=pytest.mark.faults) for each in errors[1:])]


@pytest.mark.parametrize("error", one_of(PLAIN), ids=repr)
def test_an_error_at_any_line_after_the_reply_ends_the_job(error):
    """It is booked, really or as possibly billed, and never parked for another call."""
    excluded = ("/tasks.py", "/telemetry", "/ledger/settling.py", "/ledger/recent_settles.py")
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


@pytest.mark.parametrize("error", one_of(DECEPTIVE), ids=repr)
def test_an_error_that_looks_like_one_before_the_call_ends_the_job_too(error):
    excluded = ("/tasks.py", "/faults.py", "/ledger", "/telemetry/records.py")
    for place, job in steps("call", error, excluded):
        assert job.calls == 1, place
        assert not any(isinstance(each, Park) for each in job.booked), place
        assert isinstance(job.outcome, JobError | Completion), place
        assert job.bill in ("real", "maybe"), place


BESIDE = ("/cache.py", "/audit", "/telemetry")
"""What is done with an answer besides giving it out."""


@pytest.mark.parametrize("error", one_of([PLAIN[0], *DECEPTIVE[::3]]), ids=repr)
def test_an_error_beside_the_answer_costs_no_answer(error):
    for place, job in steps("line", error, included=BESIDE):
        assert job.answer == job.outcome, place
        assert (job.answer.text, job.calls, job.bill) == (REPLY.text, 1, "real"), place


class BrokenSink:
    """Fails in a way that no Redis does."""

    def pipeline(self, **_):
        raise KeyError("k")


def test_an_audit_log_that_breaks_costs_no_answer():
    """It is counted; the prompt was kept before."""
    job = Job()
    failures = []
    audit = job.runtime.pipeline.audit
    audit._seal = Seal(new_pair().public)
    audit._failed = lambda: failures.append("failed")
    job.replied = lambda: setattr(audit, "_sink", BrokenSink())
    assert job.run().text == REPLY.text
    assert failures == ["failed"]


WRONG = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200)
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


@pytest.mark.parametrize("refusals", [1, 2])
def test_what_the_ledger_refuses_is_settled_without_it(refusals):
    """At first without what is kept beside the answer, at last without the answer."""
    job = Job()
    refused = []

    def book(call):
        if len(refused) < refusals:
            refused.append(call)
            raise ValueError("INVALID settle: tokens needs a whole number")
        return Job._book(job, call)

    job.runtime.ledger._call = book
    if refusals == 1:
        assert job.run().text == REPLY.text
        assert (job.bill, job.booked[0].cache_key) == ("real", "")
    else:
        with pytest.raises(OutcomeUnknown, match="not repeated"):
            job.run()
        assert job.bill == "maybe"
    assert (job.calls, len(job.booked), bool(refused[0].cache_key)) == (1, 1, True)


def test_only_what_is_meant_to_asks_again():
    """Truncated, and the caller asked for that: one more call, which is an attempt of its own."""
    job = Job(replace(REPLY, finish="length"))
    request = REQUEST.model_copy(update={"on_truncation": "retry"})
    with pytest.raises(Retry) as caught:
        OwnTask()._answer(job.runtime, running_job("job", request))
    assert isinstance(caught.value.exc, AskAgain)
