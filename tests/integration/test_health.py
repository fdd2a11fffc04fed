"""Each finding is caused, not made up: the fleet is broken in one way, and health says which."""

from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from support.ledger import KEYS, ask, connection, until, work

from worker.budgets.overrides import FLEET, Overrides, Subject
from worker.embedded import EmbeddedValkey
from worker.ledger.connection import connect
from worker.ledger.semantic_functions import NearKeep, NearLearn
from worker.monitoring.findings import NAMES
from worker.monitoring.health import Health
from worker.settings import HealthSettings

QUIET = {"LLM_COOLDOWN_SECONDS": "0.05", "LLM_MAX_ATTEMPTS": "1"}


@pytest.fixture
def health(redis_url):
    """`health(**thresholds)` asks the fleet."""
    ledger = connection(redis_url)

    def ask_it(**thresholds):
        settings = HealthSettings(**({"least": 3} | thresholds))
        return Health(ledger, settings).check()

    yield ask_it
    ledger.close()


def names(verdict):
    """Of everything found."""
    return {finding.name for finding in verdict.findings}


def test_a_fleet_that_is_well_says_so(complete, wire, openai_env, start_worker, health):
    """Once its clock, its answers and its server are."""
    start_worker(openai_env)
    work(complete)
    until(lambda: health().latency and health().latency.count == 4)
    verdict = health()
    assert names(verdict) == set()
    body = verdict.body()
    assert body["latency"]["count"] == 4
    assert (
        0
        < body["latency"]["p50_ms"]
        <= body["latency"]["p95_ms"]
        <= body["latency"]["p99_ms"]
        <= body["latency"]["max_ms"]
    )


def test_no_worker_is_down(health):
    assert (health().status, names(health())) == ("down", {"no_workers"})


def test_a_ledger_that_is_away_is_down(own_valkey: EmbeddedValkey):
    ledger = connection(own_valkey.url())
    own_valkey.kill()
    verdict = Health(ledger, HealthSettings()).check()
    assert (verdict.status, names(verdict), verdict.snapshot) == ("down", {"redis_away"}, None)
    assert verdict.body()["latency"]["count"] == 0


def test_a_ledger_that_takes_no_jobs_is_down(own_valkey: EmbeddedValkey):
    """Although everything can be read; as soon as it takes them, it is as before."""
    health = Health(connection(own_valkey.url()), HealthSettings())
    assert names(health.check()) == {"no_workers"}
    with Redis.from_url(own_valkey.url()) as redis:
        redis.config_set("maxmemory", 1)
        verdict = health.check()
        assert (verdict.status, names(verdict)) == ("down", {"redis_refuses", "no_workers"})
        assert "its memory is full (OOM)" in verdict.findings[0].text
        redis.config_set("maxmemory", 0)
    assert names(health.check()) == {"no_workers"}


def test_slow_jobs(complete, wire, openai_env, start_worker, health):
    wire.script = lambda request, number: "ok;delay=0.3"
    start_worker(openai_env)
    work(complete)
    until(lambda: "slow" in names(health(p95_s=0.2)))
    assert "slow" not in names(health())


def test_jobs_that_fail_and_leave_dead_letters(
    complete, wire, openai_env, start_worker, health, command
):
    """Refusals of limits are no failures of the service."""
    wire.script = lambda request, number: "500"
    start_worker(openai_env | QUIET)
    work(complete, max_tokens=1_000_000)
    assert names(health()) == set()
    work(complete)
    until(lambda: {"errors", "dead_letters", "failing"} <= names(health()))
    verdict = health()
    failing = next(finding for finding in verdict.findings if finding.name == "failing")
    assert failing.about == "openai:gpt-4o-mini"
    assert "failed 4 of 4 calls, most by unavailable" in failing.text
    assert "openai:gpt-4o-mini: 4 of 4 calls failed: unavailable 4" in command(
        "stats", "--last", "5m"
    )
    assert "ProvidersExhausted" in next(
        finding.text for finding in verdict.findings if finding.name == "errors"
    )


def test_a_provider_that_refuses_its_key(complete, wire, openai_env, start_worker, health):
    wire.script = lambda request, number: "401"
    start_worker(openai_env | QUIET)
    work(complete, 1)
    until(lambda: "auth" in names(health()))
    assert {finding.about for finding in health().findings if finding.name == "auth"} == {
        "openai:gpt-4o-mini"
    }


def test_a_link_that_cools_down(complete, wire, openai_env, start_worker, health):
    wire.script = lambda request, number: "429;ra=60"
    start_worker(openai_env | QUIET)
    work(complete, 1)
    cooling = next(finding for finding in health().findings if finding.name == "circuit")
    assert cooling.about == "openai:gpt-4o-mini"
    assert "HTTP 429" in cooling.text


def test_answers_that_are_cut(complete, wire, openai_env, start_worker, health):
    wire.script = lambda request, number: "length"
    start_worker(openai_env)
    work(complete)
    until(lambda: "truncation" in names(health()))


def test_a_queue_that_grows_old(complete, wire, openai_env, start_worker, health):
    wire.script = lambda request, number: "hang"
    worker = start_worker(openai_env, concurrency=1)
    for n in range(6):
        complete.delay(ask(f"question {n}"), "u1")
    wire.wait_for(len)
    until(lambda: "queue" in names(health(queue_s=0.1)))
    assert health().snapshot.waiting["interactive"] > 0
    worker.kill()
    until(lambda: "unknown_attempts" in names(health()) or not start_worker(openai_env))


def test_a_job_that_was_meant_to_wait_is_no_old_queue(hand_run, health):
    """Its age in line counts from when it came there: after a countdown, a backoff, another job's
    answer.
    """
    fleet = hand_run(slots=0)
    for job_id in fleet.submit("u1", 4):
        fleet.redis.hset(KEYS.job(job_id), "at", 0)
    assert health().snapshot.waiting["interactive"] > 0
    assert health().snapshot.oldest_s["interactive"] < 60


def test_money(complete, wire, openai_env, start_worker, health, redis_url):
    """A limit that is nearly spent, the settings' or one set at run time; and a day dearer than the
    alarm.
    """
    start_worker(openai_env)
    work(complete, 2)
    spent = health().snapshot.spent / 1e6
    redis = connect(redis_url)
    limits = Overrides(redis, KEYS)
    limits.change(FLEET, usd_per_day=spent * 1.05, usd_per_month=spent * 3)
    assert names(health()) == {"budget"}
    limits.change(FLEET, usd_per_day=spent * 2)
    assert names(health()) == set()
    limits.reset(FLEET)
    for n in range(12):
        limits.change(Subject("user", "u1"), group=f"team{n}")
        limits.change(Subject("group", f"team{n}"), tokens_per_hour=100_000)
        work(complete, 1)
    limits.change(FLEET, usd_per_day=spent)
    found = {
        finding.about: finding.text
        for finding in health(budget=0.0001).findings
        if finding.name == "budget"
    }
    assert set(found) == {"fleet", "groups"}
    assert found["groups"].startswith("12 groups (team")
    assert " and 2 more) have spent" in found["groups"]
    redis.close()


def test_a_day_dearer_than_the_alarm(complete, wire, openai_env, start_worker, redis_url):
    """It is a warning, not a limit."""
    start_worker(openai_env)
    work(complete, 2)
    ledger = connection(redis_url)
    alarm = HealthSettings(usd_per_day=0.000001)
    assert "spend" in names(Health(ledger, alarm).check())
    ledger.close()


def test_a_server_that_may_forget(tmp_path):
    with EmbeddedValkey(tmp_path, appendonly=False) as server:
        ledger = connection(server.url())
        ledger.redis.config_set("maxmemory-policy", "allkeys-lru")
        verdict = Health(ledger, HealthSettings()).check()
        unsafe = [finding.text for finding in verdict.findings if finding.name == "unsafe_redis"]
        assert len(unsafe) == 2
        assert all("Fix: CONFIG SET" in text for text in unsafe)
        ledger.close()


def test_a_slow_server_and_a_wrong_clock(redis_url, start_worker, health):
    start_worker()
    assert "redis_slow" in names(health(redis_ms=0.000001))
    redis = connect(redis_url)
    (worker,) = redis.hkeys(KEYS.skews)
    assert abs(float(redis.hget(KEYS.skews, worker))) < 1000
    redis.hset(KEYS.skews, mapping={"other": 5000, "gone": 5000})
    redis.zadd(KEYS.workers, {"other": 9e15})  # and "gone" no longer lives
    assert {(finding.name, finding.about) for finding in health().findings} == {
        ("clock_skew", "other")
    }
    redis.close()


def test_workers_with_other_settings(start_worker, health, tmp_path, redis_url):
    """Those of the worker that started last hold, and do not flip; the other one warns once."""
    start_worker({"LLM_BATCH_SHARE": "0.2"}, name="old")
    start_worker({"LLM_BATCH_SHARE": "0.3", "LLM_USAGE_DAYS": "30"}, name="new")
    until(lambda: "settings" in names(health()))
    (found,) = [finding for finding in health().findings if finding.name == "settings"]
    assert "old" in found.about
    assert "LLM_USAGE_DAYS, LLM_BATCH_SHARE" in found.text
    until(lambda: "OTHER_SETTINGS" in (tmp_path / "old.log").read_text())
    with connect(redis_url) as redis:
        assert float(redis.hget(KEYS.config, "share")) == 0.3
    assert "OTHER_SETTINGS" not in (tmp_path / "new.log").read_text()


def test_near_answers_that_are_wrong_more_often_than_stated(
    complete, wire, openai_env, start_worker, health, redis_url
):
    start_worker(openai_env)
    call = connection(redis_url).functions
    call(NearKeep("scope", "entry", "body", "faq -", 0.01, 10, 60_000))
    note = NearLearn("scope", "entry", "pair", items=("served:right",))
    for _ in range(100):
        call(note)
    call(replace(note, items=("served:wrong",)))
    assert names(health()) == set()
    for _ in range(9):
        call(replace(note, items=("served:wrong",)))
    (found,) = health().findings
    assert (found.name, found.about) == ("semantic", "scope")
    assert found.text.startswith("near questions of faq - (scope): 10 of 110 answers were wrong, ")


def test_every_finding_is_caused_by_a_test():
    """Here, or among the whole fleets."""
    text = (
        Path(__file__).read_text() + Path(__file__).with_name("test_health_fleets.py").read_text()
    )
    assert [name for name in NAMES if f'"{name}"' not in text and f'"{name}: ' not in text] == []
