"""The key dictionary is the truth: a live server holds no key of ours that the docs do not list,
and none lives longer.
"""

import contextlib
import re
from pathlib import Path

import pytest
from support.ledger import KEYS, LedgerProbe, ask

from producer.contract.errors import JobError

ROOT = Path(__file__).parents[2]
ENV = {
    "LLM_CHAIN": "simulator:sim-large,simulator:sim-small",
    "LLM_LINK_SIMULATOR_OPTIONS": "latency_ms=200",
    "LLM_MAX_ATTEMPTS": "2",
    "LLM_COOLDOWN_SECONDS": "1",
    "LLM_USER_REQUESTS_PER_MINUTE": "100",
}
PERMANENT = set(
    "open park dl cfg seq tot cooling skew alerts cgen wk slots hk w "
    "dead ring gone num inf batches docs wset wclk wlane openb versions bkeep unrep".split()
)
"""Counters and indexes, whose size does not grow with the number of ended jobs."""


@pytest.fixture
def used(complete, start_worker, redis_url):
    """A ledger after every kind of job."""
    start_worker(ENV)
    jobs = [complete.delay(ask("same"), f"u{n}", temperature=0) for n in range(3)]
    jobs += [
        complete.delay(ask(f"[[sim:fault=overloaded;link=sim-large]] {n}"), "u9") for n in range(4)
    ]
    jobs.append((complete.s(ask("linked"), "u1") | complete.si(ask("next"), "u1")).apply_async())
    jobs.append(complete.delay(ask("in time"), "u4", deadline_s=60, idempotency_key="once"))
    jobs.append(complete.delay(ask("[[sim:fault=overloaded]] for good"), "u5"))
    for job in jobs:
        with contextlib.suppress(JobError):
            job.value(30)
    with LedgerProbe(redis_url) as ledger:
        yield ledger


def test_a_live_server_holds_what_is_documented_and_no_longer_than_that(used):
    """One ledger after every kind of job: it takes a while to make."""
    every_key_is_documented(used)
    only_counters_and_indexes_are_for_ever(used)
    assert (
        list(used.redis.scan_iter(KEYS.request("*"))) == []
    )  # a prompt is gone with the end of its job


def every_key_is_documented(used):
    page = (ROOT / "docs/redis-keys.md").read_text()
    documented = set(re.findall(r"`\.(\w+)", page))
    found = {
        key.removeprefix(KEYS.root).partition(":")[0]
        for key in used.redis.scan_iter(f"{KEYS.prefix}:*")
    }
    assert len(found) > 10
    assert found <= documented
    foreign = {key for key in used.redis.scan_iter("*") if not key.startswith(f"{KEYS.prefix}:")}
    celerys = (
        r"completions\.|cc\.unacked|_kombu\.|celery-task-meta-|cc\.celeryev|"
        r".*\.reply\.cc\.celery\.pidbox|/\d+\.cc\.celery"
    )
    assert [key for key in foreign if not re.match(celerys, key)] == []


def only_counters_and_indexes_are_for_ever(used):
    immortal = {
        key.removeprefix(KEYS.root)
        for key in used.redis.scan_iter(f"{KEYS.prefix}:*")
        if used.redis.ttl(key) < 0
    }
    assert {name.partition(":")[0] for name in immortal} <= PERMANENT
