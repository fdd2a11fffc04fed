"""Celery's own flags mean what they say, or the worker does not start and says why.

`docs/operations.md` shows flags and pools as a table, made from `support/flags.py`.
"""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis
from support.flags import FLAGS, LIMITED, table
from support.ledger import LedgerProbe, ask, until
from support.nodes import DEFAULT_ENV, ROOT, WorkerProcess
from support.stops import POOLS

from producer.contract.errors import DeadlineExceeded, JobError
from producer.contract.names import QUARANTINE

CASES = [
    pytest.param(flag, pool, id=f"{flag.title} {pool}", marks=pytest.mark.faults)
    for flag in FLAGS
    for pool in POOLS
]


@pytest.fixture
def refused(redis_url, tmp_path):
    """`refused(pool, flags)`: what a worker says that does not start."""

    def start(pool, flags):
        env = {**DEFAULT_ENV, "REDIS_URL": redis_url}
        worker = WorkerProcess(env, pool, 1, log_path=tmp_path / "refused.log")
        worker.command += flags
        worker.start()
        try:
            assert worker.wait(30) != 0
        finally:
            worker.kill()
        return worker.log()

    return start


@pytest.fixture
def logging_elsewhere(redis_url, tmp_path):
    """As `start_worker`, for one whose log is the file of -f and not what it prints."""
    worker = WorkerProcess({}, name="elsewhere", log_path=tmp_path / "printed.log")

    def start(env, pool, slots, flags):
        worker.__init__({**env, "REDIS_URL": redis_url}, pool, slots, worker.name, worker.log_path)
        worker.command += flags
        worker.start()
        worker.log_path = tmp_path / "own.jsonl"
        worker.wait_ready()
        return worker

    yield start
    worker.kill()


def alive(group):
    """Processes of a group, but for those that only wait to be counted."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, own, *_ = path.read_text().rpartition(")")[2].split()
            if int(own) == group and state != "Z":
                found.append(path.parent.name)
    return found


def outcomes(jobs):
    for job in jobs:
        try:
            yield job.value(20)
        except JobError as error:
            yield error


@pytest.mark.parametrize(("flag", "pool"), CASES)
def test_each_flag_in_each_pool(
    flag, pool, complete, wire, openai_env, start_worker, logging_elsewhere, redis_url, refused
):
    """All jobs are called once, and none is blamed for what its worker was told."""
    if why := flag.refusal(pool):
        said = refused(pool, flag.arguments)
        assert why in said
        assert "Fix: " in said
        assert "Traceback" not in said
        return
    limited = flag.does[pool] == LIMITED
    wire.script = lambda request, number: f"ok;delay={20 if limited else 0.2}"
    slots = 1 if pool == "solo" else 2
    start = logging_elsewhere if "-f" in flag.arguments else start_worker
    worker = start(openai_env, pool, slots, flags=flag.arguments)
    jobs = [complete.delay(ask(f"question {n}"), f"u{n}") for n in range(3)]
    ended = list(outcomes(jobs))
    assert len(wire.calls) == 3
    if limited:
        assert all(isinstance(each, DeadlineExceeded) for each in ended)
        assert all("time limit of 2 s" in str(each) for each in ended)
    else:
        assert [each.finish_reason for each in ended] == ["stop"] * 3
    with Redis.from_url(redis_url) as redis, LedgerProbe(redis_url) as ledger:
        assert redis.llen(QUARANTINE) == 0
        assert ledger.counter("unknown_attempts") == 0
    group = worker.pid
    worker.terminate()
    assert worker.wait(20) == 0
    until(lambda: not alive(group))  # whatever it had started is gone
    if "-f" in flag.arguments:
        text = worker.log()
        assert text.count('"event": "job_ended"') == text.count('"event": "provider_call"') == 3


@pytest.mark.faults
@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_greenlets_are_refused(pool, refused):
    """No call ever ended there."""
    said = refused(pool, ())
    assert f"--pool: calls run on our loop or in processes, not in {pool}" in said
    assert "Traceback" not in said


def test_what_a_host_tells_its_own_worker_by_variables_is_not_ours(
    complete, start_worker, redis_url
):
    """Celery's command reads each of them, and writes the first over what was there."""
    away = "redis://127.0.0.1:1/0"
    hosts = {
        "BROKER_URL": away,
        "CELERY_BROKER_URL": redis_url,
        "RESULT_BACKEND": away,
        "CELERY_WORKER_QUEUES": "shop",
        "CELERY_WORKER_PREFETCH_MULTIPLIER": "4",
        "CELERY_WORKER_DETACH": "1",
        "CELERY_CONFIG_MODULE": "no.such.module",
        "LOADER": "no.such.loader",
    }
    worker = start_worker(hosts)
    assert complete.delay(ask("q"), "u1").get(timeout=20)["finish_reason"] == "stop"
    assert "HOST_VARIABLE: CELERY_WORKER_QUEUES is passed over" in worker.log()
    assert "Fix: --queues, if it is ours" in worker.log()


def test_limits_of_remote_control_are_refused_with_the_reason(complete, start_worker):
    start_worker()
    options = {"rate_limit": {"rate_limit": "1/m"}, "time_limit": {"soft": 1, "hard": 2}}
    for command, arguments in options.items():
        (reply,) = complete.app.control.broadcast(
            command,
            arguments={"task_name": complete.name, **arguments},
            reply=True,
            timeout=10,
            limit=1,
        )
        ((said,),) = [each.values() for each in reply.values()]
        assert "refused: " in said
    assert complete.delay(ask("still"), "u1").value(20).finish_reason == "stop"


@pytest.mark.faults
def test_multi_writes_its_log_where_it_is_told(complete, redis_url, tmp_path):
    env = {**WorkerProcess({**DEFAULT_ENV, "REDIS_URL": redis_url}).env}
    common = ["w1", f"--pidfile={tmp_path}/%n.pid", f"--logfile={tmp_path}/%n%I.jsonl"]

    def multi(*arguments):
        command = [sys.executable, "-m", "celery", "multi", *arguments]
        subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True, timeout=60)

    multi("start", *common, "-A", "worker", "-P", "prefork", "-c", "1")
    try:
        assert complete.delay(ask("logged"), "u1").value(30).finish_reason == "stop"
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            multi("stopwait", *common)
    text = "".join(path.read_text() for path in tmp_path.glob("w1*.jsonl"))
    assert '"event": "job_ended"' in text


@pytest.mark.faults
def test_a_log_that_cannot_be_written_is_told_at_the_start(refused):
    said = refused("threads", ["-f", "/proc/no/such.log"])
    assert "--logfile: " in said
    assert "Traceback" not in said


def test_the_page_has_the_table():
    assert table() in (ROOT / "docs/operations.md").read_text(), table()
