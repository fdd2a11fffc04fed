"""What may have been billed: in full on the fleet's books, and of one job no more than one worst
case on its user's limits.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.hand_run import HandRun
from support.ledger import KEYS, LedgerProbe, ask, connection
from support.moved_clock import set_clock, with_moved_clock

from producer.contract.errors import Cancelled, JobError, ProvidersExhausted
from worker.budgets.overrides import FLEET
from worker.budgets.possible_bills import Meant, PossibleBills
from worker.commands.usage import usage
from worker.ledger.attempt import (
    NOT_BILLED,
    NOT_SENT,
    POSSIBLY_BILLED,
    Attempt,
    Bill,
    Candidate,
)
from worker.ledger.calls import Wait
from worker.settings import Link, QuotaSettings

LIMITS = QuotaSettings(
    tokens_per_hour=10**9, requests_per_minute=10**6, user_usd_per_day=1000, usd_per_day=1000
)
LINK = Link(provider="p", model="m", adapter="simulator")
BILLS = {"maybe": POSSIBLY_BILLED, "none": NOT_SENT, "free": NOT_BILLED}


class Books:
    """A fleet of one user with all limits, and what must be on its budgets."""

    def __init__(self, url):
        self.fleet = HandRun(url, slots=100, quota=LIMITS)
        self.probe = LedgerProbe(url)
        self.connection = connection(url)
        self.open, self.lost, self.possible, self.real = {}, [], {}, []
        self.requests = 0

    def begin(self, job_id, worst):
        """The next attempt of a job; nothing while one is open."""
        if job_id in self.open:
            return
        job = self.fleet.start(job_id)
        attempt = self.fleet.attempt_of(job)
        self.fleet.quota.take_hold(job, attempt, [Candidate(LINK, 1, worst, worst)])
        self.open[job_id] = (job, attempt, worst)

    def end(self, job_id, kind, micro):
        if job_id not in self.open:
            return
        job, attempt, worst = self.open.pop(job_id)
        attempt.billed(BILLS.get(kind) or Bill("real", micro, micro))
        self.fleet._release(self.fleet.ledger.park(job, attempt, Wait(0.0, "unavailable")))
        self.requests += kind != "none"
        if kind == "real":
            self.real.append(micro)
        if kind == "maybe":
            self.possible[job_id, job.fence] = worst
            self.lost.append((job, attempt))

    def hear(self, which, micro):
        """A late reply says what an attempt cost."""
        if self.lost:
            job, attempt = self.lost.pop(which % len(self.lost))
            attempt.billed(Bill("real", micro, micro))
            self.fleet.ledger.settle(job, attempt, JobError("late"))
            if not self.possible.pop((job.id, job.fence), None):
                self.requests += 1
            self.real.append(micro)

    def forgive(self, job_id):
        """The invoice does not have what the job may have cost."""
        now, week = datetime.now(UTC), timedelta(days=7)
        bills = PossibleBills(self.connection)
        meant = [key for key in self.possible if key[0] == job_id]
        asked = Meant("", job_id, now - week, now + week)
        assert bills.count(asked)[0] == bills.forgive(asked, "me", "why")[0] == len(meant)
        assert bills.forgive(asked, "me", "why") == (0, 0.0)
        self.requests -= len(meant)
        for key in meant:
            del self.possible[key]

    def check(self):
        risks = {}
        for (job_id, _), worst in self.possible.items():
            risks[job_id] = max(risks.get(job_id, 0), worst)
        holds = {
            job_id: max(worst, risks.pop(job_id, 0)) for job_id, (_, _, worst) in self.open.items()
        }
        spent = sum(self.real)
        mine = {"held": sum(holds.values()), "spent": spent, "maybe": sum(risks.values())}
        assert self.probe.budget("usd", "user", "u") == mine
        assert self.probe.budget("tokens", "user", "u") == mine
        assert self.probe.budget("usd", "fleet", "all") == {
            "held": sum(worst for _, _, worst in self.open.values()),
            "spent": spent,
            "maybe": sum(self.possible.values()),
        }
        requests = self.probe.budget("requests", "user", "u")
        assert requests["spent"] + requests["maybe"] == self.requests
        assert requests["held"] == len(self.open)


STEPS = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(["u-i1", "u-i2"]), st.integers(0, 50)),
    st.tuples(
        st.just("end"),
        st.sampled_from(["u-i1", "u-i2"]),
        st.sampled_from(["maybe", "maybe", "none", "free", "real"]),
        st.integers(0, 50),
    ),
    st.tuples(st.just("hear"), st.integers(0, 9), st.integers(0, 50)),
    st.tuples(st.just("forgive"), st.sampled_from(["u-i1", "u-i2"])),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=30))
def test_users_bear_one_worst_case_per_job_and_the_fleet_all(redis_url, steps):
    """Under any order of attempts, failures, bills and late replies."""
    books = Books(redis_url)
    books.fleet.submit("u", 2)
    for step, *arguments in steps:
        getattr(books, step)(*arguments)
        books.check()
    books.fleet.redis.close()
    books.probe.redis.close()
    books.connection.close()


@pytest.fixture
def an_hour_each(hand_run, monkeypatch, redis_url):
    """Three calls that may have been billed, an hour apart, the last one now; and their jobs."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    with_moved_clock(monkeypatch)
    fleet = hand_run(slots=100, quota=LIMITS)
    set_clock(fleet.redis, -7_200)
    ids = fleet.submit("u1", 3)
    for job_id, then_s in zip(ids, (3_600, 3_600, 0), strict=True):
        fleet.ledger.heartbeat("test", 100, 10_000_000)
        job, attempt = fleet.start(job_id), Attempt()
        fleet.quota.take_hold(job, attempt, [Candidate(LINK, 1, 100, 10)])
        fleet.ledger.settle(job, attempt, ProvidersExhausted("no answer"))
        set_clock(fleet.redis, then_s)
    return fleet, ids


def called(*arguments, code=0):
    done = CliRunner().invoke(usage, arguments)
    assert done.exit_code == code, done.output
    return done.output


def maybe_billed_calls():
    *_, total = called("--json", "--since", "2d").splitlines()
    return json.loads(total)["maybe_billed_calls"]


def ago(hours):
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="seconds")


def test_what_the_invoice_does_not_have_is_forgiven(an_hour_each, redis_url):
    """By link, time or job; also when the job's record is gone; with a record of it."""
    fleet, (first, second, third) = an_hour_each
    with LedgerProbe(redis_url) as probe:
        assert "no call" in called("forgive", "--link", "p:other", "--yes", code=1)
        told = called("forgive", "--since", ago(1.5), "--until", ago(0.5), "--yes")
        assert told.startswith("1 calls, $0.0001")
        assert maybe_billed_calls() == 2
        assert "no call" in called("forgive", "--job", second, "--yes", code=1)
        told = called("forgive", "--job", first, "--reason", "invoice 11", "--yes")
        assert told.startswith("1 calls")
        probe.redis.delete(KEYS.job(third))
        assert called("forgive", "--link", "p:m", "--since", "1d", "--yes").startswith("1 calls")
        assert probe.redis.exists(KEYS.job(third)) == 0
    assert {each.maybe_billed for each in fleet.limits.current(FLEET).used} <= {0}
    assert maybe_billed_calls() == 0
    records = [json.loads(line) for line in called("forgiven", "--json").splitlines()]
    assert [(each["link"], each["job"], each["calls"]) for each in records] == [
        ("p:m", "", 1),
        ("", first, 1),
        ("", "", 1),
    ]
    assert records[1]["reason"] == "invoice 11"
    assert records[2]["until"] > records[2]["since"] > ago(2)
    assert all("@" in each["who"] and each["usd"] == 0.0001 for each in records)
    assert "invoice 11" in called("forgiven")


@pytest.mark.parametrize("time", ["yesterday", "2026-11-01T25:00", "T14"])
def test_a_time_that_is_none_is_told(time):
    assert "write 2026-11-01" in called("forgive", "--since", time, code=2)


def test_an_outage_is_told_as_one_whatever_the_last_check_says(
    complete, wire, openai_env, start_worker
):
    """At a model whose worst cases together are beyond the cap, and a user's limit for one of them;
    with the fallback that an outage has.
    """
    wire.script = lambda request, number: "504"
    env = {
        "LLM_CHAIN": "openai:gpt-4o",
        "LLM_MAX_COST_PER_REQUEST": "0.04",
        "LLM_USER_USD_PER_DAY": "0.04",
        "LLM_MAX_ATTEMPTS": "4",
        "LLM_BACKOFF_SECONDS": "0.01",
        "LLM_COOLDOWN_SECONDS": "0.01",
    }
    start_worker(openai_env | env)
    with pytest.raises(ProvidersExhausted) as told:
        complete.delay(ask("x"), "u1").value(30)
    assert [each["status"] for each in told.value.attempts] == [504] * 4


def test_beyond_the_operators_risk_a_job_is_not_called_again(
    complete, wire, openai_env, start_worker
):
    wire.script = lambda request, number: "504"
    env = {
        "LLM_CHAIN": "openai:gpt-4o",
        "LLM_MAX_POSSIBLY_BILLED_PER_JOB": "0.07",
        "LLM_STATIC_FALLBACK": "Come back later.",
        "LLM_MAX_ATTEMPTS": "9",
        "LLM_BACKOFF_SECONDS": "0.01",
        "LLM_COOLDOWN_SECONDS": "0.01",
    }
    start_worker(openai_env | env)
    answer = complete.delay(ask("x"), "u1").value(30)
    assert (answer.text, answer.degraded) == ("Come back later.", "static")
    assert len(wire.calls) == 2
    assert 0.05 < answer.maybe_billed_usd <= 0.07


def test_of_several_links_only_one_within_the_operators_risk_is_called(hand_run):
    fleet = hand_run(quota=QuotaSettings(max_possibly_billed_per_job=0.00006))
    dear, cheap = (
        Link(provider="p", model=name, adapter="simulator") for name in ("dear", "cheap")
    )
    candidates = [Candidate(dear, 1, 50, 10), Candidate(cheap, 1, 1, 10)]
    (job_id,) = fleet.submit("u")
    for expected in (dear, cheap):
        job = fleet.start(job_id)
        attempt = fleet.attempt_of(job)
        assert fleet.quota.take_hold(job, attempt, candidates).link == expected
        fleet.ledger.park(job, attempt, Wait(0.0, "unavailable"))


def test_who_cancels_a_call_bears_its_prompt_and_the_fleet_all(
    complete, wire, openai_env, start_worker, redis_url
):
    wire.script = lambda request, number: "hang"
    start_worker(openai_env)
    job = complete.delay(ask("x"), "u1", max_tokens=9_000)
    wire.wait_for(len)
    job.cancel()
    with pytest.raises(Cancelled):
        job.value(30)
    with LedgerProbe(redis_url) as probe:
        assert 0 < probe.budget("tokens", "user", "u1")["maybe"] < 100
        assert probe.budget("usd", "fleet", "all")["maybe"] >= 9_000 * 0.6
    assert job.progress().maybe_billed_usd > 0.005
