"""`completions http`, as its users run it: health for machines, one page for Prometheus, and what
deploy/ makes of it.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from support import warm
from support.ledger import until, work
from support.nodes import ROOT

from worker.embedded import free_port, tethered
from worker.monitoring.findings import NAMES


@pytest.fixture
def site(redis_url, tmp_path):
    """`site(path)` gives status and text of `completions http`, which runs as its users run it."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("completions")), "http", "--port", str(port)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REDIS_URL": redis_url}
    with (tmp_path / "http.log").open("wb") as log:
        process = subprocess.Popen(
            tethered(command), env=env, stdout=log, stderr=log, process_group=0
        )

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


def test_the_command_and_the_site_say_the_same(
    complete, wire, openai_env, start_worker, redis_url, site
):
    """Exit codes and status codes; Prometheus reads the page."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REDIS_URL": redis_url}
    down = warm.run(["health", "--json"], env)
    assert (down.returncode, json.loads(down.stdout)["status"]) == (2, "down")
    assert [site(path)[0] for path in ("/live", "/ready", "/health", "/metrics", "/other")] == [
        200,
        503,
        503,
        200,
        404,
    ]
    start_worker(openai_env)
    work(complete, 3)
    until(lambda: json.loads(site("/health")[1])["latency"]["count"] == 3)
    text = site("/health")[1]
    now = warm.run(["health", "--json"], env)
    assert now.returncode == {"ok": 0, "degraded": 1}[json.loads(text)["status"]]
    assert json.loads(now.stdout)["latency"] == json.loads(text)["latency"]
    assert site("/ready")[0] == 200
    until(lambda: "\ncompletions_workers 1.0" in site("/metrics")[1])
    page = {family.name: family for family in text_string_to_metric_families(site("/metrics")[1])}
    samples = {
        (each.name, *sorted(each.labels.items())): each.value
        for family in page.values()
        for each in family.samples
    }
    assert samples["completions_jobs_total", ("state", "done")] == 3
    called = (
        ("lane", "interactive"),
        ("model", "gpt-4o-mini"),
        ("outcome", "ok"),
        ("provider", "openai"),
    )
    assert samples["completions_calls_total", *called] == 3
    assert samples["completions_finding", ("name", "no_workers")] == 0
    buckets = [
        each.value
        for each in page["completions_job_seconds"].samples
        if each.name.endswith("_bucket")
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 3
    assert not {"user", "user_id", "job"} & {
        label for family in page.values() for each in family.samples for label in each.labels
    }


def test_a_frozen_ledger_does_not_hold_who_asks_whether_this_process_lives(site, valkey):
    """However many ask the rest meanwhile: else it would be restarted for what is not its fault."""
    valkey.freeze()
    askers = [
        threading.Thread(target=suppressed(site), args=("/ready",), daemon=True) for _ in range(50)
    ]
    for asker in askers:
        asker.start()
    try:
        assert site("/live")[0] == 200
    finally:
        valkey.thaw()
        for asker in askers:
            asker.join(30)


def suppressed(site):
    def ask_it(path):
        with contextlib.suppress(OSError):
            site(path)

    return ask_it


def test_rules_and_dashboard_ask_for_metrics_that_there_are(complete, start_worker, site):
    """Every name in deploy/ is on the page of a fleet that has done something, with the labels that
    are asked for.
    """
    start_worker()
    work(complete, 1)
    page = site("/metrics")[1]
    labels = {}
    for family in text_string_to_metric_families(page):
        for each in family.samples:
            labels.setdefault(each.name, set()).update(each.labels)
    known = {
        family
        for line in page.splitlines()
        if line.startswith("# TYPE")
        for family in [line.split()[2]]
    }
    rules = yaml.safe_load((ROOT / "deploy/prometheus-rules.yml").read_text())["groups"][0]["rules"]
    dashboard = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    asked = [rule["expr"] for rule in rules] + [
        target["expr"] for panel in dashboard["panels"] for target in panel["targets"]
    ]
    assert len(asked) > 15
    for expression in asked:
        for name, braces in re.findall(r"(completions_\w+)(?:\{([^}]*)\})?", expression):
            assert name in labels or name in known, expression
            wanted = set(re.findall(r'(\w+)[!=]~?=?"', braces or ""))
            assert wanted <= labels.get(name, wanted), expression
    for name in [
        each for rule in rules for each in re.findall(r'name!?=~?"([^"]*)"', rule["expr"])
    ]:
        assert set(name.split("|")) <= set(NAMES)
    for rule in rules:
        assert {"summary", "runbook"} <= set(rule["annotations"])


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs Prometheus' promtool")
def test_promtool_has_nothing_to_say_about_the_page(complete, start_worker, site):
    start_worker()
    work(complete, 1)
    until(lambda: "completions_latency_seconds{" in site("/metrics")[1])
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=site("/metrics")[1], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
