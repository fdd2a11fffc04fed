"""A worker dies at one exact point of a job; the ledger keeps what it promises for that point.

In both pools.
"""

from pathlib import Path

import pytest
from support.ledger import KEYS, LedgerProbe, ask, until

pytestmark = pytest.mark.faults

SABOTAGE = str(Path(__file__).parents[1] / "support" / "sabotage")

# Where it dies -> calls on the wire in all, reported unknown attempts.
POINTS = {
    "start:after": (1, 0),  # before the intent: nothing can have been paid
    "reserve:after": (1, 1),  # after the intent: it cannot be known, so it is reported
    "settle:before": (2, 1),  # after the response: paid twice, and reported
    "settle:after": (1, 0),  # the outcome is there; only the result backend does not know yet
}


@pytest.fixture
def doomed_env(env, tmp_path):
    return env | {
        "PYTHONPATH": SABOTAGE,
        "SABOTAGE_ONCE": str(tmp_path / "died"),
        "LEDGER_LEASE_SECONDS": "2",
    }


SMOKE = "settle:before"
"""The one of which the default lane would hear first."""
CASES = [
    pytest.param(pool, point, marks=[pytest.mark.smoke] * (point == SMOKE and pool == "asyncio"))
    for pool in ("asyncio", "prefork")
    for point in POINTS
]


@pytest.mark.parametrize(("pool", "point"), CASES)
def test_a_crash_costs_what_is_promised(
    wire, doomed_env, env, submit, start_worker, redis_url, tmp_path, fresh, pool, point
):
    calls, unknown = POINTS[point]
    start_worker(doomed_env | {"SABOTAGE_CRASH": point}, pool=pool, concurrency=1)
    (job,) = submit(1)
    if pool == "asyncio":
        start_worker(doomed_env, concurrency=2)
    assert job.value(30).finish_reason == "stop"
    until(
        (tmp_path / "died").exists
    )  # the outcome can be read a moment before the script's caller knows
    assert len(wire.calls) == calls
    with LedgerProbe(redis_url) as ledger:
        assert int(ledger.redis.hget(KEYS.job(job.id), "unknown") or 0) == unknown
        assert ledger.counter("unknown_attempts") == unknown
        assert ledger.budget("usd", "fleet", "all")["held"] == 0
        assert (ledger.budget("usd", "fleet", "all")["maybe"] > 0) == bool(unknown)
    fresh()


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_a_crash_after_parking_loses_no_retry(
    wire, doomed_env, submit, start_worker, redis_url, books, pool, fresh
):
    """The next try is the ledger's, not the dead worker's."""
    wire.script = lambda request, number: "500" if number == 0 else "ok"
    start_worker(doomed_env | {"SABOTAGE_CRASH": "park:after"}, pool=pool, concurrency=1)
    jobs = submit(1)
    if pool == "asyncio":
        start_worker(doomed_env, concurrency=2)
    assert jobs[0].value(30).attempts == 2
    with LedgerProbe(redis_url) as ledger:
        assert ledger.counter("unknown_attempts") == 0
    fresh()


def test_a_fleet_may_rule_out_the_second_call(
    wire, doomed_env, submit, start_worker, redis_url, fresh
):
    """`LEDGER_ON_UNKNOWN=fail`: the job ends as unknown, its hold stays, it is a dead letter."""
    from producer.contract.errors import OutcomeUnknown

    env = doomed_env | {"LEDGER_ON_UNKNOWN": "fail"}
    start_worker(env | {"SABOTAGE_CRASH": "settle:before"}, concurrency=1)
    (job,) = submit(1)
    start_worker(env, concurrency=2)
    with pytest.raises(OutcomeUnknown):
        job.value(30)
    with pytest.raises(OutcomeUnknown):
        job.get(timeout=20)
    with LedgerProbe(redis_url) as ledger:
        assert (len(wire.calls), ledger.counter("unknown_attempts")) == (1, 1)
        budget = ledger.budget("usd", "fleet", "all")
        assert (budget["held"], budget["maybe"] > 0) == (0, True)
        assert ledger.redis.exists(KEYS.dead_letter(job.id))
    fresh()


def test_followers_are_answered_when_their_leader_dies(
    wire, doomed_env, complete, start_worker, fresh
):
    """Identical questions wait for one call; if its worker dies, it is made again for all."""
    start_worker(doomed_env | {"SABOTAGE_CRASH": "settle:before"}, concurrency=4)
    jobs = [complete.delay(ask("the same"), f"u{n}", temperature=0) for n in range(4)]
    wire.wait_for(len)
    start_worker(doomed_env, concurrency=4)
    answers = [job.value(40) for job in jobs]
    assert len({answer.text for answer in answers}) == 1
    assert sum(answer.cached for answer in answers) == 3
    assert len(wire.calls) == 2
    fresh()


def test_a_clock_a_minute_ahead_changes_nothing(
    wire, env, submit, start_worker, redis_url, books, fresh
):
    """Instants are the ledger server's; the broker's visibility allows for more than that."""
    wire.script = lambda request, number: "ok;delay=0.5"
    start_worker(env | {"PYTHONPATH": SABOTAGE, "SABOTAGE_CLOCK": "60"}, concurrency=4)
    start_worker(env, concurrency=4)
    jobs = submit(24) + submit(4, deadline_s=20)
    for job in jobs:
        assert job.value(30).attempts == 1
    assert len(wire.calls) == 28
    assert books(redis_url, jobs, wire.calls) == 0
    fresh()
