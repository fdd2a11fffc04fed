"""Rolling upgrades: workers and producers of the previous version share one ledger with those of
this one.

`tests/fixtures/wire-1.zip` holds both packages as they were with wire version 1.
"""

import json
import os
import subprocess
import sys
import zipfile

import pytest
from support.ledger import KEYS, LedgerProbe, ask, until
from support.nodes import ROOT, WorkerProcess

from producer.contract.errors import JobError
from producer.contract.ledger.library import library
from producer.contract.names import WIRE_VERSION
from worker.ledger.connection import connect
from worker.ledger.ledger import Ledger
from worker.settings import LedgerSettings

OLD_PRODUCER = """
import json, sys, producer
print(producer.__file__, file=sys.stderr)
ask = lambda n: [{"role": "user", "content": "the same" if n < 4 else f"old {n}"}]
jobs = [producer.complete.delay(ask(n), "old", temperature=n % 2) for n in range(int(sys.argv[1]))]
print(json.dumps([[job.id, job.value(60).text] for job in jobs]))
"""


@pytest.fixture
def previous(tmp_path):
    """The folder of the previous version."""
    folder = tmp_path / "previous"
    with zipfile.ZipFile(ROOT / "tests/fixtures/wire-1.zip") as archive:
        archive.extractall(folder)
    # Even while nothing has changed since, the ledger's functions are another library.
    with (folder / "producer/contract/ledger/lua/call.lua").open("a") as module:
        module.write("-- of the previous version\n")
    return folder


@pytest.fixture
def old_worker(previous, redis_url, tmp_path):
    """`old_worker(env)` gives a ready worker of the previous version."""
    workers = []

    def start(env, pool="threads"):
        worker = WorkerProcess(
            env | {"REDIS_URL": redis_url}, pool, 4, f"old{len(workers)}", tmp_path / "old.log"
        )
        worker.env["PYTHONPATH"] = str(previous)
        workers.append(worker)
        worker.start()
        worker.wait_ready()
        return worker

    yield start
    for worker in workers:
        worker.kill()


def test_both_versions_share_the_queue(
    complete, wire, openai_env, start_worker, old_worker, previous, redis_url
):
    """Jobs of both producers end, on either worker, in success or failure, once; the money of both
    is in one book.

    Also where both ask the same, whose answer one of them has cached.
    """
    env = openai_env | {
        "LLM_USER_TOKENS_PER_HOUR": "100000000",
        "LLM_USD_PER_DAY": "100000",
        "LLM_MAX_ATTEMPTS": "2",
    }
    wire.script = lambda request, number: (
        "500" if "broken" in request["messages"][-1]["content"] else "ok;delay=0.1"
    )
    old, new = old_worker(env), start_worker(env, concurrency=4)
    command = [sys.executable, "-c", OLD_PRODUCER, "60"]
    from_old = subprocess.Popen(
        command,
        cwd=previous,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(previous), "REDIS_URL": redis_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    questions = ["the same" if n < 8 else f"new {n}" for n in range(60)]
    jobs = [complete.delay(ask(text), "new", temperature=n % 2) for n, text in enumerate(questions)]
    broken = [complete.delay(ask(f"broken {n}"), "new") for n in range(4)]
    assert len([job.value(60).text for job in jobs]) == 60
    for job in broken:
        with pytest.raises(JobError):
            job.value(60)
    told, where = from_old.communicate(timeout=60)
    assert str(previous) in where
    assert len(json.loads(told)) == 60
    for worker in (old, new):
        assert worker.log().count('"provider_call"') > 0
        assert "Traceback" not in worker.log()
    with LedgerProbe(redis_url) as ledger:
        until(lambda: ledger.open() == 0)
        assert len(wire.calls) == sum(int(job.get("attempts", 0)) for job in ledger.jobs())
        budget = ledger.budget("usd", "fleet", "all")
        assert (budget["held"], ledger.counter("unknown_attempts")) == (0, 0)
        assert budget["spent"] == sum(int(job.get("cost", 0)) for job in ledger.jobs())
        libraries = {each[1] for each in ledger.redis.function_list(library="completions_*")}
        assert {library(KEYS.prefix).name} < libraries


@pytest.mark.parametrize("dies", ["old", pytest.param("new", marks=pytest.mark.faults)])
def test_either_takes_over_from_the_other(
    complete, wire, openai_env, start_worker, old_worker, dies
):
    """A worker killed with calls on the wire: the other version ends its jobs."""
    wire.script = lambda request, number: "hang" if number < 4 else "ok"
    start = {
        "old": lambda: old_worker(openai_env),
        "new": lambda: start_worker(openai_env, concurrency=4),
    }
    doomed = start[dies]()
    jobs = [complete.delay(ask(f"question {n}"), "u1") for n in range(4)]
    wire.wait_for(lambda calls: len(calls) == 4)
    start["old" if dies == "new" else "new"]()
    doomed.kill()
    assert [job.value(30).attempts for job in jobs] == [2] * 4


def test_a_job_that_needs_a_newer_worker_waits_for_one(
    complete, wire, openai_env, start_worker, redis_url
):
    """It is not poison, and is started as soon as such a worker is there."""
    redis = connect(redis_url)
    ledger = Ledger(redis, KEYS, LedgerSettings(), "old")
    ledger.heartbeat("old", 1, 3600)
    job = complete.delay(ask("x"), "u1")
    redis.hset(KEYS.job(job.id), "wire", WIRE_VERSION + 1)
    for _ in range(LedgerSettings().deliveries + 1):
        assert ledger.start(job.id) == ("newer",)
    redis.hset(KEYS.job(job.id), "wire", WIRE_VERSION)
    ledger.heartbeat("old", 0, 1)
    start_worker(openai_env)
    assert job.value(30).attempts == 1
    redis.close()


def test_what_a_newer_worker_says_is_read(complete, wire, openai_env, start_worker, redis_url):
    """An answer with a field, and an error of a kind, that this producer does not know."""
    start_worker(openai_env)
    job = complete.delay(ask("x"), "u1")
    job.value(30)
    with LedgerProbe(redis_url) as ledger:
        stored = json.loads(ledger.redis.get(KEYS.outcome(job.id)))
        stored["completion"] |= {"mood": "good"}
        stored["completion"]["usage"] |= {"dreamt": 5}
        ledger.redis.set(KEYS.outcome(job.id), json.dumps(stored))
        assert job.value(5).request_id == job.id
        ledger.redis.set(
            KEYS.outcome(job.id), json.dumps({"error": {"type": "Bored", "args": ["no mood", {}]}})
        )
        with pytest.raises(JobError, match="no mood"):
            job.value(5)
