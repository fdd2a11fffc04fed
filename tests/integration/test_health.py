"""Each finding is caused, not made up: the fleet is broken in one way, and health says which."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from support.ledger import KEYS, ask, until
from support.nodes import ROOT

from producer.contract.errors import JobError
from worker.embedded import EmbeddedValkey, free_port, tethered
from worker.health import NAMES, Health
from worker.limits import FLEET, Limits, Subject
from worker.observe.metrics import Metrics
from worker.settings import HealthSettings
from worker.store import connect

QUIET = {"LLM_COOLDOWN_SECONDS": "0.05", "LLM_MAX_ATTEMPTS": "1"}


@pytest.fixture
def health(redis_url):
    """`health(usd_per_day=None, **thresholds)` asks the fleet."""
    redis = connect(redis_url)

    def ask_it(usd_per_day=None, **thresholds):
        return Health(redis, KEYS, Metrics(redis, KEYS), HealthSettings(**({"least": 3} | thresholds)), usd_per_day).check()

    yield ask_it
    redis.close()


@pytest.fixture
def site(redis_url, tmp_path):
    """`site(path)` gives status and text of `completions http`, which runs as its users run it."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("completions")), "http", "--port", str(port)]
    env = {"PATH": os.environ["PATH"], "REDIS_URL": redis_url}
    with (tmp_path / "http.log").open("wb") as log:
        process = subprocess.Popen(tethered(command), env=env, stdout=log, stderr=log, process_group=0)

    def get(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except urllib.error.URLError:
            assert process.poll() is None, (tmp_path / "http.log").read_text()
            return 0, ""

    try:
        until(lambda: get("/live")[0] == 200)
        yield get
    finally:
        process.terminate()
        assert process.wait(15) in (0, -15)  # uvicorn ends by the signal it was sent


def names(verdict):
    """Of everything found."""
    return {finding.name for finding in verdict.findings}


def work(complete, count=4, **options):
    """So many jobs, whatever comes of them."""
    for job in [complete.delay(ask(f"question {n}"), "u1", **options) for n in range(count)]:
        with contextlib.suppress(JobError):
            job.value(30)


def test_a_fleet_that_is_well_says_so(complete, wire, openai_env, start_worker, health):
    """Once its clock, its answers and its server are."""
    start_worker(openai_env)
    work(complete)
    until(lambda: health().latency and health().latency.count == 4)
    verdict = health()
    assert names(verdict) == set()
    body = verdict.body()
    assert body["latency"]["count"] == 4
    assert 0 < body["latency"]["p50_ms"] <= body["latency"]["p95_ms"] <= body["latency"]["p99_ms"] <= body["latency"]["max_ms"]


def test_no_worker_is_down(health):
    assert (health().status, names(health())) == ("down", {"no_workers"})


def test_a_ledger_that_is_away_is_down(own_valkey: EmbeddedValkey):
    redis = connect(own_valkey.url())
    own_valkey.kill()
    verdict = Health(redis, KEYS, Metrics(redis, KEYS), HealthSettings(), None).check()
    assert (verdict.status, names(verdict), verdict.vitals) == ("down", {"redis_away"}, None)
    assert verdict.body()["latency"]["count"] == 0


def test_slow_jobs(complete, wire, openai_env, start_worker, health):
    wire.script = lambda request, number: "ok;delay=0.3"
    start_worker(openai_env)
    work(complete)
    until(lambda: "slow" in names(health(p95_s=0.2)))
    assert "slow" not in names(health())


def test_jobs_that_fail_and_leave_dead_letters(complete, wire, openai_env, start_worker, health):
    """Refusals of limits are no failures of the service."""
    wire.script = lambda request, number: "500"
    start_worker(openai_env | QUIET)
    work(complete, max_tokens=1_000_000)
    assert names(health()) == set()
    work(complete)
    verdict = health()
    assert {"errors", "dead_letters"} <= names(verdict)
    assert "ProvidersExhausted" in next(finding.text for finding in verdict.findings if finding.name == "errors")


def test_a_provider_that_refuses_its_key(complete, wire, openai_env, start_worker, health):
    wire.script = lambda request, number: "401"
    start_worker(openai_env | QUIET)
    work(complete, 1)
    until(lambda: "auth" in names(health()))
    assert {finding.about for finding in health().findings if finding.name == "auth"} == {"openai:gpt-4o-mini"}


def test_a_link_that_cools_down(complete, wire, openai_env, start_worker, health):
    wire.script = lambda request, number: "429;ra=60"
    start_worker(openai_env | QUIET)
    work(complete, 1)
    cooling = next(finding for finding in health().findings if finding.name == "cooldown")
    assert cooling.about == "openai:gpt-4o-mini"
    assert "rate_limited" in cooling.text


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
    assert health().vitals.waiting["interactive"] > 0
    worker.kill()
    until(lambda: "unknown_attempts" in names(health()) or not start_worker(openai_env))


def test_money(complete, wire, openai_env, start_worker, health, redis_url):
    """A limit that is nearly spent, the settings' or one set at run time; and a day dearer than the alarm."""
    start_worker(openai_env)
    work(complete, 2)
    spent = health().vitals.spent / 1e6
    assert names(health(usd_per_day=spent * 1.05)) == {"budget"}
    assert names(health(usd_per_day=spent * 2)) == set()
    redis = connect(redis_url)
    Limits(redis, KEYS).change(FLEET, usd_per_day=spent)
    Limits(redis, KEYS).change(Subject("user", "u1"), tokens_per_hour=10)
    found = {finding.about for finding in health(usd_per_day=100).findings if finding.name == "budget"}
    assert found == {"fleet:all:usd_per_day", "user:u1:tokens_per_hour"}
    redis.close()


def test_a_day_dearer_than_the_alarm(complete, wire, openai_env, start_worker, redis_url):
    """It is a warning, not a limit."""
    start_worker(openai_env)
    work(complete, 2)
    redis = connect(redis_url)
    alarm = HealthSettings(usd_per_day=0.000001)
    assert "spend" in names(Health(redis, KEYS, Metrics(redis, KEYS), alarm, None).check())
    redis.close()


def test_a_server_that_may_forget(tmp_path):
    with EmbeddedValkey(tmp_path, appendonly=False) as server:
        redis = connect(server.url())
        redis.config_set("maxmemory-policy", "allkeys-lru")
        verdict = Health(redis, KEYS, Metrics(redis, KEYS), HealthSettings(), None).check()
        unsafe = [finding.text for finding in verdict.findings if finding.name == "unsafe_redis"]
        assert len(unsafe) == 2
        assert all("Fix: CONFIG SET" in text for text in unsafe)
        redis.close()


def test_a_slow_server_and_a_wrong_clock(redis_url, start_worker, health):
    start_worker()
    assert "redis_slow" in names(health(redis_ms=0.000001))
    redis = connect(redis_url)
    (worker,) = redis.hkeys(KEYS.skews)
    assert abs(float(redis.hget(KEYS.skews, worker))) < 1000
    redis.eval("return redis.call('HSET', KEYS[1], ARGV[1], 5000)", 1, KEYS.skews, "other")
    assert names(health()) == {"clock_skew"}
    redis.close()


def test_the_command_and_the_site_say_the_same(complete, wire, openai_env, start_worker, redis_url, site):
    """Exit codes and status codes; Prometheus reads the page."""
    env = {"PATH": os.environ["PATH"], "REDIS_URL": redis_url}
    command = [str(Path(sys.executable).with_name("completions")), "health", "--json"]
    down = subprocess.run(command, env=env, capture_output=True, text=True)
    assert (down.returncode, json.loads(down.stdout)["status"]) == (2, "down")
    assert [site(path)[0] for path in ("/live", "/ready", "/health", "/metrics", "/other")] == [200, 503, 503, 200, 404]
    start_worker(openai_env)
    work(complete, 3)
    until(lambda: json.loads(site("/health")[1])["latency"]["count"] == 3)
    text = site("/health")[1]
    now = subprocess.run(command, env=env, capture_output=True, text=True)
    assert now.returncode == {"ok": 0, "degraded": 1}[json.loads(text)["status"]]
    assert json.loads(now.stdout)["latency"] == json.loads(text)["latency"]
    assert site("/ready")[0] == 200
    until(lambda: "\ncompletions_workers 1.0" in site("/metrics")[1])
    page = {family.name: family for family in text_string_to_metric_families(site("/metrics")[1])}
    samples = {(each.name, *sorted(each.labels.items())): each.value for family in page.values() for each in family.samples}
    assert samples["completions_jobs_total", ("state", "done")] == 3
    called = (("lane", "interactive"), ("model", "gpt-4o-mini"), ("outcome", "ok"), ("provider", "openai"))
    assert samples["completions_calls_total", *called] == 3
    assert samples["completions_finding", ("name", "no_workers")] == 0
    buckets = [each.value for each in page["completions_job_seconds"].samples if each.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 3
    assert not {"user", "user_id", "job"} & {
        label for family in page.values() for each in family.samples for label in each.labels
    }


def test_every_finding_is_caused_by_a_test():
    """Whoever adds a probe adds its cause; that of "audit" is beside the other tests of the audit log."""
    text = Path(__file__).read_text() + Path(__file__).with_name("test_audit.py").read_text()
    assert [name for name in NAMES if f'"{name}"' not in text and f'"{name}: ' not in text] == []


def test_rules_and_dashboard_ask_for_metrics_that_there_are(complete, start_worker, site):
    """Every name in deploy/ is on the page of a fleet that has done something, with the labels that are asked for."""
    start_worker()
    work(complete, 1)
    page = site("/metrics")[1]
    labels = {}
    for family in text_string_to_metric_families(page):
        for each in family.samples:
            labels.setdefault(each.name, set()).update(each.labels)
    known = {family for line in page.splitlines() if line.startswith("# TYPE") for family in [line.split()[2]]}
    rules = yaml.safe_load((ROOT / "deploy/prometheus-rules.yml").read_text())["groups"][0]["rules"]
    dashboard = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    asked = [rule["expr"] for rule in rules] + [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(asked) > 15
    for expression in asked:
        for name, braces in re.findall(r"(completions_\w+)(?:\{([^}]*)\})?", expression):
            assert name in labels or name in known, expression
            wanted = set(re.findall(r'(\w+)[!=]~?=?"', braces or ""))
            assert wanted <= labels.get(name, wanted), expression
    for name in [each for rule in rules for each in re.findall(r'name!?=~?"([^"]*)"', rule["expr"])]:
        assert set(name.split("|")) <= set(NAMES)
    for rule in rules:
        assert {"summary", "runbook"} <= set(rule["annotations"])


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs Prometheus' promtool")
def test_promtool_has_nothing_to_say_about_the_page(complete, start_worker, site):
    start_worker()
    work(complete, 1)
    until(lambda: "completions_latency_seconds{" in site("/metrics")[1])
    checked = subprocess.run(["promtool", "check", "metrics"], input=site("/metrics")[1], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
