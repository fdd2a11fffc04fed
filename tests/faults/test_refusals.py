"""A server that refuses (its disk or memory is full, it became a replica, rights are taken away) is
told as what it is. Workers wait, survive it and go on when it is mended; nothing is paid twice.
"""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.ledger import ask, until
from support.refusing import TROUBLES, Server

import producer
from producer.contract.errors import Unavailable
from worker.embedded import EmbeddedValkey

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

LASTS_S = 2.5
"""Longer than a worker of these tests takes to notice."""

TOLD_ONLY = {"replica without data", "too few replicas"}
"""To a worker they are like "replica"."""


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "valkey") as started:
        yield started


def question(text):
    return producer.complete.delay(ask(text), "u1", max_tokens=9)


def refusal():
    """What a caller is told. On a busy machine a server may also not answer in time."""
    with pytest.raises(Unavailable) as caught:
        question("refused")
    return str(caught.value)


def taken(text):
    """The job of a question, asked again under its id while the server does not answer in time."""
    jobs = []

    def submit():
        with contextlib.suppress(Unavailable):
            jobs.append(producer.complete.apply_async((ask(text), "u1"), task_id=text))
        return jobs

    until(submit)
    return jobs[0]


@contextlib.contextmanager
def trouble_during_a_call(server, wire, trouble, jobs):
    """It begins while the call of a new job is on the wire, and is over behind the block."""
    wire.script = lambda request, number: "ok;delay=1.5"
    called = len(wire.calls)
    jobs.append(question(f"during {trouble.said} at {server.port}"))
    wire.wait_for(lambda calls: len(calls) > called)
    trouble.begin(server)
    yield
    threading.Event().wait(LASTS_S)  # the fault itself
    trouble.end(server)
    wire.script = lambda request, number: "ok"


def check_answered(jobs, wire):
    """All, by the result backend as well, each by one call."""
    for job in jobs:
        assert job.value(40).attempts == 1
        assert job.get(timeout=40)
    assert len(wire.calls) == len(jobs)


def test_a_server_that_refuses_everything_in_turn(server, wire, env, start_worker, command):
    """Broker, results and ledger are one server. Whatever it refuses, the job whose call is on the
    wire is answered by that call, and so is what is submitted afterwards.
    """
    worker = start_worker(env | {"REDIS_URL": server.app_url()}, concurrency=4)
    pid = worker.pid
    producer.configure(server.app_url())
    jobs = []
    troubles = {name: each for name, each in TROUBLES.items() if name not in TOLD_ONLY}
    for name, trouble in troubles.items():
        with trouble_during_a_call(server, wire, trouble, jobs):
            until(lambda said=trouble.said: said in refusal())
            assert trouble.said in command("health", code=2, REDIS_URL=server.app_url()), name
        jobs.append(taken(f"after-{name}"))
        check_answered(jobs, wire)
        assert worker.pid == pid, name
    log = worker.log()
    assert "Unrecoverable" not in log
    for name in troubles.keys() - {"memory"}:  # there the ledger works on, and takes no new jobs
        assert TROUBLES[name].said in log, name


@pytest.mark.parametrize("name", ["memory", "disk", "password"])
def test_a_worker_that_is_started_meanwhile_waits(server, wire, env, start_worker, name):
    """It is ready when the server is mended, and ends before that for no refusal."""
    trouble = TROUBLES[name]
    producer.configure(server.app_url())
    jobs = [question("before")]
    trouble.begin(server)
    with ThreadPoolExecutor() as beside:
        started = beside.submit(start_worker, env | {"REDIS_URL": server.app_url()})
        threading.Event().wait(3 * LASTS_S)  # the fault itself
        trouble.end(server)
        assert started.result(40).pid
        check_answered(jobs, wire)  # it ends with the thread that started it


@pytest.mark.parametrize(("which", "code"), [("broker", 2), ("results", 1)])
def test_a_broker_or_results_that_refuse(
    server, wire, env, start_worker, command, redis_url, which, code
):
    """On a server of its own: jobs are accepted, health says it, and nothing is lost or hangs."""
    variable = {"broker": "CELERY_BROKER_URL", "results": "CELERY_RESULT_BACKEND"}[which]
    argument = {"broker": "broker_url", "results": "backend_url"}[which]
    there = {variable: server.app_url()}
    worker = start_worker(env | there, concurrency=4)
    pid = worker.pid
    producer.configure(redis_url, **{argument: server.app_url()})
    jobs = []
    for name in ("memory", "disk", "rights"):
        trouble = TROUBLES[name]
        with trouble_during_a_call(server, wire, trouble, jobs):
            jobs.append(question(f"accepted meanwhile: {name}"))
            told = command("health", code=code, **there)
            assert f"redis_refuses: {which}: " in told, name
            assert trouble.said in told, name
            assert variable in told or "Fix: " in told, name
        check_answered(jobs, wire)
        assert worker.pid == pid, name


@pytest.mark.parametrize("name", sorted(TOLD_ONLY))
def test_what_a_server_refuses_is_told(server, command, name):
    """And is over when it is mended."""
    trouble = TROUBLES[name]
    producer.configure(server.app_url())
    question("loads the ledger's functions")
    trouble.begin(server)
    until(lambda: trouble.said in refusal())
    assert trouble.said in command("health", code=2, REDIS_URL=server.app_url())
    trouble.end(server)
    assert taken("mended").progress().state == "released"


@pytest.mark.parametrize("options", [("--cluster-enabled", "yes"), ("--requirepass", "secret")])
def test_a_server_that_never_takes_a_job(tmp_path, options):
    """Told by the first `delay`."""
    valkey = EmbeddedValkey(tmp_path / "other", options=options)
    with contextlib.suppress(TimeoutError):
        valkey.start(timeout_s=1.0)
    try:
        producer.configure(valkey.url())
        with pytest.raises(Unavailable, match=r"Redis refuses at 127.0.0.1:\d+: its? .*\. Fix: "):
            question("x")
    finally:
        valkey.kill()
