"""What public reports of other gateways told of limits, books and health, and no other file here
has: names that must not meet, jobs that end in line, and settings that differ.
"""

import pytest
from support.ledger import KEYS, ask, connection, until
from support.scripted_fleet import ScriptedFleet

from producer.contract.errors import RateLimited
from worker.budgets.overrides import Subject
from worker.budgets.quota import Quota
from worker.ledger.attempt import Attempt, Candidate
from worker.ledger.calls import Ended
from worker.ledger.fleet_limits import FleetLimits
from worker.ledger.ledger import Ledger
from worker.monitoring.health import Health
from worker.settings import HealthSettings, LedgerSettings, Link, QuotaSettings

LINK = Link(provider="p", model="a", adapter="simulator")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b:c"), ("a:b", "c")),
        (("a", "1:b"), ("a1:", "b")),
        (("3:a:b", "c"), ("3", "a:b:c")),
        (("user:a", "k"), ("user", "a:k")),
    ],
)
def test_keys_of_two_users_never_meet(complete, one, other):
    """Idempotency keys: each has a job and a bill of their own."""
    (first, key), (second, other_key) = one, other
    jobs = [
        complete.delay(ask("q"), first, idempotency_key=key),
        complete.delay(ask("q"), second, idempotency_key=other_key),
    ]
    assert [job.progress().user_id for job in jobs] == [first, second]
    assert complete.delay(ask("q"), first, idempotency_key=key).id == jobs[0].id


@pytest.mark.parametrize("lane", ["interactive", "batch"])
@pytest.mark.parametrize("end", ["cancelled", "expired"])
def test_a_job_that_ends_in_line_is_told_with_user_and_lane(hand_run, lane, end):
    fleet = hand_run(slots=1)
    fleet.submit("first", 6)
    (job_id,) = fleet.submit("u1", lane=lane)
    if end == "expired":
        fleet.redis.zadd(KEYS.deadlines, {job_id: 1})
        fleet.sweep()
    else:
        fleet.ledger.cancel(job_id)
    ended = fleet.ledger.start(job_id)
    assert isinstance(ended, Ended)
    assert (ended.user_id, ended.lane) == ("u1", lane)


def test_every_group_near_its_limit_is_reported(redis_url):
    """Whatever the number, and however many users have limits."""
    fleet = ScriptedFleet(redis_url)
    for number in range(300):
        fleet.limits.change(Subject("user", f"u{number}"), tokens_per_hour=10)
    for number in range(20):
        fleet.limits.change(Subject("user", f"m{number}"), group=f"team{number}")
        fleet.limits.change(Subject("group", f"team{number}"), tokens_per_hour=105)
        fleet.jobs(f"m{number}")
    ledger = connection(redis_url)
    (finding,) = Health(ledger, HealthSettings()).check().findings
    assert finding.name == "budget"
    assert finding.text.startswith("20 groups (")
    ledger.close()
    fleet.redis.close()


def until_the_next_millisecond(redis):
    """In which another worker starts later, as the ledger sees it."""

    def now_ms():
        seconds, micros = redis.time()
        return seconds * 1000 + micros // 1000

    last_ms = now_ms() + 1
    until(lambda: now_ms() > last_ms)


def test_workers_that_disagree_refuse_alike(hand_run):
    """By the limits of the one that started last; the other one hears of it and changes nothing."""
    fleet = hand_run(slots=50, quota=QuotaSettings(tokens_per_hour=1_000))
    strict = QuotaSettings(tokens_per_hour=100)
    until_the_next_millisecond(fleet.redis)
    newer = Ledger(fleet.redis, KEYS, LedgerSettings(), "newer", limits=FleetLimits.of(strict))
    newer.heartbeat("newer", 50, 3600)
    heard = fleet.ledger.heartbeat("test", 50, 3600)
    assert (heard.ruled_by, heard.differing) == ("newer", ("LLM_USER_TOKENS_PER_HOUR",))
    for quota in (fleet.quota, Quota(newer, strict)):
        job = fleet.start(fleet.submit("u1")[0])
        with pytest.raises(RateLimited) as told:
            quota.take_hold(job, Attempt(), [Candidate(LINK, 1, 1, 200)])
        assert told.value.details["allowed"] == 100
