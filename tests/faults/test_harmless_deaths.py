"""Class 10: deaths of workers say nothing against the jobs that wait for a provider then."""

import contextlib
import os
import signal
from pathlib import Path

import pytest
from support.ledger import LedgerProbe, ask, until
from support.neighbours import MODEL, Neighbours

from worker.settings import LedgerSettings

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

ROUND = 100
"""Answers of the others after the deaths."""


def killed(start_worker, env, others):
    """A worker dies and another one comes; the first one lives on."""
    worker = start_worker(env, concurrency=8)
    others.wait_for(20)
    worker.kill()


def bereft(start_worker, env, others):
    """A worker's pool loses all its processes, as to the kernel's OOM killer."""
    worker = start_worker(env, pool="prefork", concurrency=8)
    others.wait_for(20)
    for child in pool_children(worker.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    others.wait_for(20)
    worker.kill()


def frozen(start_worker, env, others):
    """A worker stands still until its leases are lost, and comes back to late replies."""
    worker = start_worker(env, concurrency=8)
    others.wait_for(20)
    worker.freeze()
    others.wait_for(60)  # four users, 0.1 s and more each: longer than a lease
    worker.thaw()
    worker.stop()


def pool_children(pid):
    """Of the pool, not those that the worker itself runs for other work: they are forks of it."""
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        found = [int(each) for each in listed.read().split()]
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return [each for each in found if Path(f"/proc/{each}/cmdline").read_bytes() == command]


@pytest.mark.parametrize("dies", [killed, bereft, frozen])
def test_deaths_beside_their_jobs_are_nobody_s_guilt(
    dies, complete, provider, evil, beside_env, start_worker, redis_url
):
    """Class 10: more deaths than a job may bring down workers, while jobs of the attacker and of
    others wait for their providers.
    """
    env = beside_env | {"LEDGER_LEASE_SECONDS": "2", "LLM_MAX_ATTEMPTS": "20"}
    start_worker(env, concurrency=8)
    evil.script = lambda request, number: "ok;delay=4"
    with Neighbours(redis_url, MODEL) as others:
        long = [complete.delay(ask(f"long {n}"), "attacker", model="evil:m") for n in range(8)]
        for _ in range(LedgerSettings().deliveries + 1):
            dies(start_worker, env, others)
        others.wait_for(ROUND)
        assert all(job.value(120).text for job in long)
    others.answers()
    with LedgerProbe(redis_url) as ledger:
        until(lambda: ledger.open() == 0)
        unknown = ledger.counter("unknown_attempts")
        assert ledger.counter("dead") == 0
    paid = len([job for job in provider.calls() if job in set(others.jobs)])
    assert len(others.jobs) <= paid <= len(others.jobs) + unknown
