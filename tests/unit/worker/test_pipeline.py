"""Cache, quota, chain: the sentence, on the simulator and budgets in memory, without a socket."""

import itertools
import threading

import pytest
from support.memory_budgets import LIMITS, MemoryBudgets

from producer.contract.errors import BudgetExceeded, Filtered, InvalidRequest, Truncated
from producer.contract.requests import CompletionRequest
from worker.audit.writer import Audit
from worker.budgets.pricing import Pricing
from worker.budgets.quota import Quota
from worker.cache import Cache
from worker.faults import Fault, ProviderError
from worker.ledger.connection import Keys
from worker.ledger.running_job import Job
from worker.loop import Loop
from worker.model_catalog import built_in
from worker.output_filters import OutputFilters
from worker.pipeline import AskAgain, Pipeline
from worker.providers.caller import ProviderCaller
from worker.providers.clients import Clients
from worker.providers.credentials import Credentials
from worker.providers.selection import LinkSelector
from worker.providers.tokens import Estimator
from worker.settings import (
    AuditSettings,
    CacheSettings,
    CallSettings,
    FilterSettings,
    Link,
    QuotaSettings,
    RetrySettings,
    SourceSettings,
)

LINKS = tuple(
    Link(provider="simulator", model=model, adapter="simulator", options={"latency_ms": "0"})
    for model in ("big", "small")
)
numbers = itertools.count()


def chain(links, call, loop, models=None):
    pricing, models = Pricing({}, (0, 0)), models or built_in()
    estimator = Estimator(models)
    clients = Clients(loop, Credentials(links, SourceSettings()))
    return ProviderCaller(
        LinkSelector(links, call, models, "fast", pricing, estimator),
        call,
        pricing,
        estimator,
        clients,
        b"key",
    )


class House:
    """A pipeline and what it stands on."""

    def __init__(self, static_fallback=None, output=None, **limits):
        call = CallSettings(max_tokens=50, timeout_s=5)
        self.loop = Loop()
        self.budgets = MemoryBudgets()
        self.chain = chain(LINKS, call, self.loop)
        # A cache of life 0 never looks anything up.
        cache = Cache(None, Keys(), CacheSettings(ttl_s=0), call, LINKS, "fast")
        retry = RetrySettings(static_fallback=static_fallback)
        filters = OutputFilters(FilterSettings(output=output or {}))
        audit = Audit(None, Keys(), AuditSettings(), b"key", lambda: None)
        self.pipeline = Pipeline(
            audit, cache, Quota(self.budgets, QuotaSettings(**limits)), self.chain, filters, retry
        )

    def job(self, text="hello", tried=(), **options):
        request = CompletionRequest.checked(messages=[{"role": "user", "content": text}], **options)
        zeros = dict.fromkeys(
            (
                "submitted_ms",
                "begun_ms",
                "deadline_ms",
                "spent_micro",
                "maybe_micro",
                "attempts",
                "first_begun_ms",
            ),
            0,
        )
        return Job(
            f"job-{next(numbers)}",
            1,
            request,
            "u1",
            lane="interactive",
            tried=tried,
            double_max_tokens=False,
            **zeros,
        )


@pytest.fixture
def house():
    house = House()
    yield house
    house.loop.close()


def test_an_answer_is_billed_at_its_real_usage(house):
    job = house.job()
    completion = house.pipeline.run(job)
    assert (job.bill.kind, job.bill.tokens) == (
        "real",
        completion.usage.input + completion.usage.output,
    )
    assert completion.cost_usd == job.bill.micro_usd / 1_000_000 > 0
    assert (completion.request_id, completion.provider, completion.model) == (
        job.id,
        "simulator",
        "big",
    )


@pytest.mark.parametrize(("fault", "bill"), [("overloaded", "none"), ("timeout", "maybe")])
def test_a_failure_is_billed_by_what_the_provider_may_have_done(house, fault, bill):
    job = house.job(f"[[sim:fault={fault}]] hello")
    with pytest.raises(ProviderError, match=fault):
        house.pipeline.run(job)
    assert job.bill.kind == bill


def test_the_hold_is_the_worst_case_and_is_there_during_the_call(house):
    job = house.job("[[sim:latency_ms=60000]] hello")
    caught = []

    def run():
        with pytest.raises(ProviderError) as error:
            house.pipeline.run(job)
        caught.append(error.value)

    thread = threading.Thread(target=run)
    thread.start()
    while not house.loop.cancel(job.id):
        assert thread.is_alive()
    thread.join(10)
    assert house.budgets.held(LIMITS[0], "u1") >= 50
    assert (caught[0].fault, caught[0].maybe_billed, job.bill.kind) == (
        Fault.TIMEOUT,
        True,
        "maybe",
    )


def test_a_cap_refuses_before_the_call():
    house = House(max_cost_per_request=0.00001)
    job = house.job()
    with pytest.raises(BudgetExceeded, match="max_cost_per_request"):
        house.pipeline.run(job)
    assert job.bill.kind == "none"


def test_truncation_is_an_error_a_retry_or_a_mark(house):
    with pytest.raises(Truncated) as caught:
        house.pipeline.run(house.job("[[sim:finish=length]] tell me more"))
    assert caught.value.partial_text
    with pytest.raises(AskAgain):
        house.pipeline.run(house.job("[[sim:finish=length]] tell me more", on_truncation="retry"))
    assert (
        house.pipeline.run(
            house.job("[[sim:finish=length]] x", on_truncation="accept")
        ).finish_reason
        == "length"
    )


def test_what_a_filter_finds_is_flagged_or_withheld():
    """A flag leaves the answer as it is; withheld, it was still paid for."""
    flagging, failing = House(output={"pattern": "flag"}), House(output={"pattern": "fail"})
    completion = flagging.pipeline.run(flagging.job(expect="^never"))
    assert completion.flags == ("pattern: does not match the expected pattern",)
    job = failing.job(expect="^never")
    with pytest.raises(Filtered, match="pattern") as caught:
        failing.pipeline.run(job)
    assert (caught.value.details["filter"], job.bill.kind) == ("pattern", "real")


def test_a_filter_may_ask_once_more_and_only_once():
    """The attempt before is in the history."""
    house = House(output={"pattern": "retry"})
    with pytest.raises(AskAgain) as caught:
        house.pipeline.run(house.job(expect="^never"))
    assert (caught.value.fault, caught.value.double_max_tokens) == ("filtered", False)
    with pytest.raises(Filtered):
        house.pipeline.run(house.job(expect="^never", tried=(("simulator:big", "filtered"),)))


def test_the_second_try_after_a_truncation_has_twice_the_tokens_once(house):
    job = house.job("[[sim:finish=length]] tell me more", on_truncation="retry")
    job.double_max_tokens = True
    assert {each.max_tokens for each in house.chain.selection.candidates(job)} == {100}
    with pytest.raises(Truncated):
        house.pipeline.run(job)


def test_the_least_tried_link_comes_first(house):
    def order(*tried):
        return [
            each.link.model for each in house.chain.selection.candidates(house.job(tried=tried))
        ]

    assert order() == ["big", "small"]
    assert order(("simulator:big", "overloaded")) == ["small", "big"]
    assert order(("simulator:big", "overloaded"), ("simulator:small", "timeout")) == [
        "big",
        "small",
    ]
    assert order(("simulator:big", "truncated")) == ["big", "small"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "nobody"}, "model: unknown here"),
        ({"avoid": ["simulator"]}, "avoid: leaves no link"),
    ],
)
def test_what_no_link_can_answer_is_told(house, options, message):
    with pytest.raises(InvalidRequest, match=message):
        house.pipeline.run(house.job(**options))


def test_a_link_without_words_for_a_request_is_passed_over(house):
    """And if no other is left, the error names what it is."""
    claude = Link(provider="anthropic", model="claude-haiku-4-5", adapter="anthropic")
    job = house.job(response_format={"type": "json_object"})
    three = chain((claude, *LINKS), CallSettings(), house.loop).selection
    assert [link.provider for link in three.allowed(job.request)] == ["simulator", "simulator"]
    with pytest.raises(InvalidRequest, match="json_object"):
        chain((claude,), CallSettings(), house.loop).selection.allowed(job.request)


def test_a_rescue_is_marked():
    house = House(static_fallback="Please try again later.")
    completion = house.pipeline.fallback_answer(house.job())
    assert (completion.text, completion.degraded, completion.provider) == (
        "Please try again later.",
        "static",
        "static",
    )
    assert House().pipeline.fallback_answer(house.job()) is None
