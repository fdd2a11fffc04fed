"""Rate limits and budgets: the ledger and its model in memory take the same decisions."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from support.ledger import LedgerProbe
from support.memory_budgets import LIMITS, MemoryBudgets
from support.running_jobs import running_job

from producer.contract.errors import BudgetExceeded, JobError, RateLimited
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from worker.budgets.quota import Quota, hold_of
from worker.faults import Deferred, Fault, ProviderError
from worker.ledger.attempt import NOT_SENT, POSSIBLY_BILLED, Attempt, Bill, Candidate
from worker.ledger.connection import Keys
from worker.ledger.fleet_limits import FleetLimits
from worker.ledger.ledger import Ledger
from worker.ledger.running_job import RunningJob
from worker.settings import LedgerSettings, Link, QuotaSettings

LINK = Link(provider="simulator", model="m", adapter="simulator")
REQUEST = CompletionRequest.checked(messages=[{"role": "user", "content": "x"}])
TOKENS, REQUESTS, USER_USD, USD = LIMITS
UNLIMITED = {"max_cost_per_request": None, "tokens_per_hour": None}
numbers = itertools.count()


class InLedger:
    """Budgets in Redis, through the ledger's functions."""

    def __init__(self, url: str) -> None:
        self.redis = Redis.from_url(url, decode_responses=True)
        self.budgets = Ledger(self.redis, Keys(), LedgerSettings(), "test")
        self.budgets.heartbeat("test", 1000, 3600)
        self.ledger = LedgerProbe(url)

    def quota(self, settings):
        """By which the fleet goes from now on."""
        self.budgets._limits = FleetLimits.of(settings)
        self.budgets.heartbeat("test", 1000, 3600)
        return Quota(self.budgets, settings)

    def open(self, user):
        job_id = f"job-{next(numbers)}"
        self.budgets.submit(Submission(job_id, user, REQUEST, {}))
        job = self.budgets.start(job_id)
        assert isinstance(job, RunningJob)
        return job

    def state(self, user):
        names = (
            ("tokens", "user", user),
            ("requests", "user", user),
            ("usd", "user", user),
            ("usd", "fleet", "all"),
        )
        read = [self.ledger.budget(*name) for name in names]
        return [(each["held"], each["spent"] + each["maybe"]) for each in read]

    def close(self):
        self.redis.close()
        self.ledger.redis.close()


class InMemory:
    """Budgets in this process."""

    def __init__(self) -> None:
        self.budgets = MemoryBudgets()

    def quota(self, settings):
        self.budgets.limits = FleetLimits.of(settings)
        return Quota(self.budgets, settings)

    def open(self, user):
        return running_job(f"job-{next(numbers)}", user_id=user)

    def state(self, user):
        return [
            (self.budgets.held(limit, user), self.budgets.used(limit, user)) for limit in LIMITS
        ]

    def close(self):
        pass


@pytest.fixture(params=["ledger", "memory"])
def side(request):
    opened = (
        InLedger(request.getfixturevalue("redis_url")) if request.param == "ledger" else InMemory()
    )
    yield opened
    opened.close()


def candidate(tokens=10, micro=100):
    return [Candidate(LINK, 1, micro, tokens)]


def spend(side, quota, user="u1", tokens=10, micro=100):
    job, attempt = side.open(user), Attempt()
    quota.take_hold(job, attempt, candidate(tokens, micro))
    attempt.billed(Bill("real", micro, tokens))
    side.budgets.settle(job, attempt, JobError("done"))


def test_limit_5_the_6th_request_is_refused(side):
    """And it says which limit, how much is used and asked, and when it frees."""
    quota = side.quota(QuotaSettings(**UNLIMITED, requests_per_minute=5))
    for _ in range(5):
        spend(side, quota)
    with pytest.raises(RateLimited) as caught:
        spend(side, quota)
    details = caught.value.details
    assert (details["limit"], details["allowed"], details["used"], details["asked"]) == (
        "user_requests_per_minute",
        5,
        5,
        1,
    )
    assert 0 < details["retry_after_s"] <= 61
    spend(side, quota, user="u2")


def test_what_only_holds_are_in_the_way_of_waits(side):
    """It is not refused: it fits once they are settled below their worst case."""
    quota = side.quota(QuotaSettings(max_cost_per_request=None, tokens_per_hour=100))
    first, second = side.open("u1"), side.open("u1")
    attempt = Attempt()
    quota.take_hold(first, attempt, candidate(tokens=80))
    with pytest.raises(Deferred, match="user_tokens_per_hour"):
        quota.take_hold(second, Attempt(), candidate(tokens=80))
    attempt.billed(Bill("real", 1, 15))
    side.budgets.settle(first, attempt, JobError("done"))
    quota.take_hold(second, Attempt(), candidate(tokens=80))
    assert side.state("u1")[0] == (80, 15)


def test_a_failure_gives_back_its_hold_or_keeps_it_as_possibly_billed(side):
    """The provider that may have worked is counted at its worst case."""
    quota = side.quota(QuotaSettings(max_cost_per_request=None, tokens_per_hour=1000))
    for maybe, expected in ((False, (0, 0)), (True, (0, 80))):
        job, attempt = side.open("u1"), Attempt()
        quota.take_hold(job, attempt, candidate(tokens=80))
        with pytest.raises(ProviderError), hold_of(attempt):
            raise ProviderError(Fault.TIMEOUT, "late", maybe_billed=maybe)
        side.budgets.settle(job, attempt, JobError("done"))
        assert side.state("u1")[0] == expected


def test_the_cap_per_request_counts_earlier_attempts(side):
    """A job cannot pay its way past the cap by retrying."""
    quota = side.quota(QuotaSettings(max_cost_per_request=0.001, tokens_per_hour=None))
    job = replace(side.open("u1"), spent_micro_usd=950)
    with pytest.raises(BudgetExceeded, match="max_cost_per_request") as caught:
        quota.take_hold(job, Attempt(), candidate(micro=100))
    assert caught.value.retry_after_s is None


amounts = st.integers(0, 60)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.sampled_from(["u1", "u2"]), amounts, amounts),
        st.tuples(
            st.just("settle"),
            st.integers(0, 5),
            st.integers(0, 100),
            st.sampled_from(["real", "none", "maybe"]),
        ),
    ),
    max_size=40,
)
LIMIT = QuotaSettings(
    max_cost_per_request=None,
    tokens_per_hour=120,
    requests_per_minute=8,
    user_usd_per_day=0.000150,
    usd_per_day=0.000200,
)
ALLOWED = (120, 8, 150, 200)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_both_decide_alike_and_never_overshoot(redis_url, steps):
    """After every step: used + held within each limit, equal in both; a refusal or a wait only when
    it does not fit.
    """
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    sides = [InLedger(redis_url), InMemory()]
    quotas = [side.quota(LIMIT) for side in sides]
    running = []
    for kind, first, second, third in steps:
        if kind == "reserve":
            jobs = [side.open(first) for side in sides]
            verdicts = {
                decision(*pair, candidate(second, third)) for pair in zip(quotas, jobs, strict=True)
            }
            assert len(verdicts) == 1
            if verdicts == {"go"}:
                running.append((first, jobs, second, third))
            else:
                assert_does_not_fit(sides[1].state(first), (second, 1, third, third), *verdicts)
                close(sides, jobs, 0, 0, "none")  # else it would be the first in the ledger's line
        elif running:
            _, jobs, tokens, micro = running.pop(first % len(running))
            close(sides, jobs, tokens * second // 100, micro * second // 100, third)
        for user in ("u1", "u2"):
            states = [side.state(user) for side in sides]
            assert states[0] == states[1]
            assert all(
                held + used <= allowed
                for (held, used), allowed in zip(states[0], ALLOWED, strict=True)
            )
    for _, jobs, _, _ in running:
        close(sides, jobs, 0, 0, "none")
    assert [held for user in ("u1", "u2") for held, _ in sides[0].state(user)] == [0] * 8
    sides[0].close()


def decision(quota, job, candidates):
    try:
        quota.take_hold(job, Attempt(), candidates)
    except Deferred:
        return "wait"
    except (BudgetExceeded, RateLimited):
        return "refuse"
    return "go"


def assert_does_not_fit(state, asked, verdict):
    """Refused: it would not fit what is really used. Waiting: only the holds are in the way."""
    numbers = list(zip(state, asked, ALLOWED, strict=True))
    over_used = [want and used + want > allowed for (_, used), want, allowed in numbers]
    over_all = [want and held + used + want > allowed for (held, used), want, allowed in numbers]
    assert any(over_used) if verdict == "refuse" else any(over_all)


def close(sides, jobs, tokens, micro, how):
    bills = {"real": Bill("real", micro, tokens), "none": NOT_SENT, "maybe": POSSIBLY_BILLED}
    for side, job in zip(sides, jobs, strict=True):
        side.budgets.settle(job, Attempt(bill=bills[how]), JobError("done"))
