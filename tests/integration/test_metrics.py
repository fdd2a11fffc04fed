"""What the fleet counts about itself: nothing undercounted, percentiles within 2 %, and a dead
Redis costs samples only.
"""

import json
import math

import pytest
from support.ledger import KEYS, ask, until

from worker.embedded import EmbeddedValkey
from worker.ledger.connection import connect
from worker.telemetry import metrics
from worker.telemetry.metrics import Metrics


@pytest.fixture
def fleet(redis_url):
    redis = connect(redis_url)
    yield Metrics(redis, KEYS)
    redis.close()


def records(workers):
    for worker in workers:
        for line in worker.log().splitlines():
            if line.startswith("{"):
                yield json.loads(line)


@pytest.mark.parametrize("pool", [pytest.param("asyncio", marks=pytest.mark.faults), "prefork"])
def test_three_workers_agree_with_the_exact_percentiles(
    complete, wire, openai_env, start_worker, fleet, pool
):
    """Each call's exact time is in its log line: count, P50, P95, P99 and max of the fleet are
    those, within 2 %.
    """
    wire.script = lambda request, number: f"ok;delay={0.005 * (number % 20)}"
    env = openai_env | {"LLM_USER_TOKENS_PER_HOUR": "100000000"}
    workers = [start_worker(env, pool=pool, concurrency=3) for _ in range(3)]
    jobs = [
        complete.delay(ask(f"question {n}"), f"u{n % 5}", lane="batch" if n % 4 else "interactive")
        for n in range(150)
    ]
    for job in jobs:
        job.value(60)
    until(lambda: fleet.window(300).row("total") and fleet.window(300).row("total").count == 150)
    calls = [each for each in records(workers) if each["event"] == "provider_call"]
    assert len({each["request_id"] for each in calls}) == 150
    rows = {(row.kind, row.lane, row.provider, row.model): row for row in fleet.window(300).rows()}
    exact = sorted(each["latency_ms"] for each in calls)
    provider = rows["provider", "*", "*", "*"]
    assert provider.count == 150
    for q, value in (
        (0.5, provider.p50),
        (0.95, provider.p95),
        (0.99, provider.p99),
        (1.0, provider.max),
    ):
        assert value == pytest.approx(exact[math.floor(q * 149)], rel=0.02)
    interactive = sorted(each["latency_ms"] for each in calls if each["lane"] == "interactive")
    assert rows["provider", "interactive", "*", "*"].p95 == pytest.approx(
        interactive[math.floor(0.95 * 37)], rel=0.02
    )
    assert [rows[kind, "*", "openai", "*"].count for kind in ("queue", "provider", "total")] == [
        150,
        150,
        150,
    ]
    assert fleet.totals().row("total").count == fleet.window(7200).row("total").count == 150
    assert fleet.totals().events["done"] == fleet.window(60).events["submitted"] == 150


def test_every_call_of_a_job_is_counted_with_its_outcome(
    complete, wire, openai_env, start_worker, fleet
):
    """Also those before the last. What the cache answered is a population of its own."""
    wire.script = lambda request, number: (
        ("500", "429;ra=0", "ok")[min(number, 2)] if number < 3 else "ok"
    )
    start_worker(openai_env | {"LLM_COOLDOWN_SECONDS": "0.05"})
    for _ in range(2):
        complete.delay(ask("x"), "u1", temperature=0).value(30)
    until(lambda: fleet.window(60).row("hit"))
    window = fleet.window(60)
    assert {outcome: count for (*_, outcome), count in window.calls.items()} == {
        "unavailable": 1,
        "rate_limited": 1,
        "ok": 1,
    }
    assert {row.kind: row.count for row in reversed(window.rows())} == {
        "queue": 2,
        "provider": 3,
        "total": 1,
        "hit": 1,
    }


def test_a_window_forgets(fleet):
    """Slots and hours leave the window, and the server in time."""
    fleet.add(fleet.call_ended("batch", "p", "a|b", "ok", 5))
    redis = fleet._redis
    (slot,) = redis.keys(KEYS.slot("*"))
    hour = KEYS.hour(int(slot.rpartition(":")[2]) // 360)
    redis.copy(slot, hour)  # as the sweep adds it up
    redis.expire(hour, 172_800)
    redis.hset(KEYS.config, "added_up", int(slot.rpartition(":")[2]))
    assert 3600 < redis.ttl(slot) <= 4200
    assert 86_400 < redis.ttl(hour) <= 172_800
    assert {row.model for row in fleet.window(60).rows()} == {"*", "a/b"}
    redis.rename(slot, KEYS.slot(int(slot.rpartition(":")[2]) - 12))
    assert fleet.window(60).rows() == []
    assert fleet.window(300).row("provider").count == 1
    redis.rename(hour, KEYS.hour(int(hour.rpartition(":")[2]) - 3))
    assert fleet.window(2 * 3600).rows() == []
    assert fleet.window(5 * 3600).row("provider").count == 1


def test_a_dead_server_costs_samples_and_one_timeout(
    own_valkey: EmbeddedValkey, monkeypatch, caplog
):
    """After a failure nothing is sent for a while; then it works again, and says what was lost."""
    now = [0.0]
    monkeypatch.setattr(metrics.time, "monotonic", lambda: now[0])
    fleet = Metrics(connect(own_valkey.url()), KEYS)
    own_valkey.kill()
    for _ in range(5):
        fleet.add(fleet.call_ended("batch", "p", "m", "ok", 1))
    own_valkey.start()
    fleet.add(fleet.call_ended("batch", "p", "m", "ok", 1))
    assert fleet.totals().row("provider") is None
    now[0] = metrics.PAUSE_S + 1
    for _ in range(2):
        fleet.add(fleet.call_ended("batch", "p", "m", "ok", 1))
    assert fleet.totals().row("provider").count == 2
    assert [record.getMessage() for record in caplog.records] == [
        "12 latency samples were dropped while Redis did not answer"
    ]
    fleet._redis.close()
