"""A worker with broken settings does not start: it says everything that is wrong and leaves with an
error.
"""

import os
import subprocess
import sys

import pytest
from celery import Celery
from redis import Redis
from support import warm
from support.nodes import ROOT, WorkerProcess

from producer.contract.names import DEFAULT_PREFIX, FleetNames

PROBLEMS = {
    "OPENAI_API_KEY": "",
    "LLM_CHAIN": "openai:gpt-4o-mini,unknown:big",
    "LLM_MAX_TOKENS": "-5",
    "LLM_USD_PER_DAY": "nan",
}


def run(*command, **env):
    """A command of ours to its end, with nothing else in its environment."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )


def check(**env):
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env}
    return warm.run(["check", "--offline"], env)


@pytest.mark.parametrize("pool", ["asyncio", pytest.param("prefork", marks=pytest.mark.faults)])
def test_a_worker_with_broken_settings_ends_and_names_all_of_them(redis_url, tmp_path, pool):
    worker = WorkerProcess(
        {"REDIS_URL": redis_url, **PROBLEMS}, pool, 2, "broken", tmp_path / "broken.log"
    )
    worker.start()
    try:
        assert worker.wait(60) != 0
    finally:
        worker.kill()
    log = worker.log()
    for name in ("OPENAI_API_KEY", "LLM_MAX_TOKENS", "LLM_USD_PER_DAY"):
        assert name in log
    assert "Traceback" not in log
    assert " ready." not in log


def test_an_unknown_provider_is_an_error():
    done = check(LLM_CHAIN="unknown:big")
    assert done.returncode == 1
    assert "link 1, unknown:big: no adapter called 'unknown'" in done.stderr
    assert "Fix:" in done.stderr


def test_the_missing_key_is_named_with_its_fix():
    done = check()
    assert done.returncode == 1
    expected = (
        "Missing required env var: OPENAI_API_KEY (link 1, openai, needs it). "
        "Fix: export OPENAI_API_KEY=..."
    )
    assert expected in done.stderr


def test_a_complete_configuration_is_said_to_be_so():
    done = check(OPENAI_API_KEY="sk-secret-key")
    assert done.returncode == 0
    assert "complete and valid" in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_where_values_come_from_is_said_and_never_what_they_are(tmp_path):
    """Whatever is set, and every secret; a URL is shown without its password."""
    (tmp_path / "REDIS_URL").write_text("redis://:hidden@h/0")
    env = {
        "LLM_SECRETS_DIR": str(tmp_path),
        "LLM_CHAIN": "local:m",
        "LLM_LINK_LOCAL_BASE_URL": "http://gate/v1",
    }
    done = check(**env)
    origins = dict(
        line.split(maxsplit=1)
        for line in done.stdout.splitlines()
        if line.startswith(("LLM_", "REDIS_"))
    )
    expected = dict.fromkeys(env, "environment") | {
        "REDIS_URL": "LLM_SECRETS_DIR",
        "LLM_LINK_LOCAL_API_KEY": "default",
    }
    assert {variable: origins.get(variable) for variable in expected} == expected
    assert "LLM_MAX_TOKENS" not in origins
    assert "http://gate/v1" in done.stdout
    assert "hidden" not in done.stdout + done.stderr


def test_inspect_needs_redis_settings_only(redis_url):
    done = run("celery", "-A", "worker", "inspect", "ping", "--timeout", "0.5", REDIS_URL=redis_url)
    assert "No nodes replied" in done.stderr


@pytest.mark.parametrize("command", ["worker", "inspect ping", "flower"])
def test_a_broken_redis_setting_is_reported_in_words_by_all_of_celery(command):
    done = run("celery", "-A", "worker", *command.split(), LEDGER_PREFIX="two words")
    assert done.returncode == 1
    assert done.stderr.startswith("Wrong settings:\nInvalid env var: LEDGER_PREFIX: ")
    assert "Traceback" not in done.stderr


def test_a_server_that_can_lose_jobs_is_warned_about(own_valkey, tmp_path):
    """The worker starts all the same; `completions check` says it too."""
    with Redis.from_url(own_valkey.url()) as redis:
        redis.config_set("appendonly", "no")
        redis.config_set("maxmemory-policy", "allkeys-lru")
    env = {"REDIS_URL": own_valkey.url(), "LLM_CHAIN": "simulator:s"}
    worker = WorkerProcess(env, "asyncio", 2, "w", tmp_path / "w.log")
    worker.start()
    try:
        worker.wait_ready()
        worker.wait_for_log("no append-only file")
        assert "maxmemory-policy is allkeys-lru" in worker.log()
    finally:
        worker.kill()
    done = warm.run(["check"], env)
    assert done.returncode == 0
    assert done.stderr.count("UNSAFE_LEDGER") == 2
    assert done.stderr.count("Fix: CONFIG SET") == 2


def test_a_message_stays_invisible_for_longer_than_any_call(redis_url, tmp_path):
    """Even if it could not be renewed: the visibility timeout follows LLM_TIMEOUT_SECONDS."""
    env = {
        "REDIS_URL": redis_url,
        "LLM_CHAIN": "simulator:s",
        "LLM_TIMEOUT_SECONDS": "200",
        "LLM_DEADLINE_SECONDS": "900",
    }
    worker = WorkerProcess(env, "asyncio", 2, "w", tmp_path / "w.log")
    worker.start()
    try:
        worker.wait_ready()
        app = Celery(broker=redis_url)
        app.conf.update(FleetNames.of(DEFAULT_PREFIX).channels)
        (conf,) = app.control.inspect(timeout=5).conf().values()
        assert conf["broker_transport_options"]["visibility_timeout"] == 400
        app.close()
    finally:
        worker.kill()
