"""The rate at which a link is called after a 429, where its limit is not known."""

import json

import pytest
from support.ledger import KEYS

from worker.faults import Fault


def brake(fleet):
    return json.loads(fleet.redis.hget(KEYS.pace("p:a"), "brake"))


def call(fleet):
    """However little room there is, and later than the last change of the rate."""
    if fleet.redis.hexists(KEYS.pace("p:a"), "brake"):
        age_brake(fleet, 5)
    job = fleet.start(fleet.submit("u")[0])
    fleet.redis.hset(KEYS.pace("p:a"), "request_room", 1)
    assert fleet.reserve(job, "a") == "a"
    return job


def call_and_refuse(fleet):
    fleet.fail(call(fleet), Fault.RATE_LIMITED, after_s=100)


def call_and_answer(fleet):
    fleet.answer(call(fleet))


def age_brake(fleet, ms):
    """As if so much time had passed since the rate was last changed."""
    found = brake(fleet)
    for name in ("at", "dead_at"):
        if name in found:
            found[name] -= ms
    fleet.redis.hset(KEYS.pace("p:a"), "brake", json.dumps(found))


def test_a_429_brakes_once_for_all_calls_under_way(hand_run):
    """To what was sent lately and not refused, whatever limit was set."""
    fleet = hand_run(slots=8, pace={"p:a": {"requests": 6000}})
    jobs = [fleet.start(job_id) for job_id in fleet.submit("u", 3)]
    for job in jobs:
        fleet.reserve(job, "a")
    for job in jobs:
        fleet.fail(job, Fault.RATE_LIMITED, after_s=100)
    assert 0.9 * 120 < brake(fleet)["rate"] <= 120
    call_and_refuse(fleet)
    assert 0.9 * 120 < brake(fleet)["rate"] <= 120


def test_a_429_limits_a_link_of_unknown_limits(hand_run):
    fleet = hand_run(slots=8)
    jobs = [fleet.start(job_id) for job_id in fleet.submit("u", 8)]
    for job in jobs:
        fleet.reserve(job, "a")
    for job in jobs:
        fleet.fail(job, Fault.RATE_LIMITED, after_s=100)
    wait = fleet.reserve(fleet.start(fleet.submit("u")[0]), "a")
    assert wait.wakes_on == "pace:p:a"


def test_where_nothing_is_answered_a_link_is_tried_ever_more_seldom(hand_run):
    """Once it answers, soon: at half the rate, a limit on calls at once; late: at what a minute
    took before, a limit per minute.
    """
    fleet = hand_run(slots=200)
    for _ in range(40):
        call_and_answer(fleet)
    for _ in range(4):
        call_and_refuse(fleet)
    rates = []
    for _ in range(5):
        rates.append(brake(fleet)["rate"])
        call_and_refuse(fleet)
    assert rates == [60, 30, 15, 7.5, 6]
    top = brake(fleet)["top"]
    age_brake(fleet, 3_000)
    call_and_answer(fleet)
    assert brake(fleet)["rate"] == pytest.approx(top / 2)
    for _ in range(3):
        call_and_refuse(fleet)
    assert brake(fleet)["rate"] == 60
    age_brake(fleet, 30_000)
    call_and_answer(fleet)
    assert 0.9 * 40 < brake(fleet)["rate"] < 44


def test_refusals_that_stay_when_calls_become_fewer_are_no_limit(hand_run):
    """A few in a hundred, evenly: the link is called as before."""
    fleet = hand_run(slots=500)
    while not fleet.redis.hexists(KEYS.pace("p:a"), "brake") or "free" not in brake(fleet):
        for _ in range(20):
            call_and_answer(fleet)
        call_and_refuse(fleet)
        assert fleet.count["u"] < 400
    job = fleet.start(fleet.submit("u")[0])
    fleet.redis.hset(KEYS.pace("p:a"), "request_room", 0)
    assert fleet.reserve(job, "a") == "a"


def test_a_rate_that_is_not_refused_grows_and_is_forgotten(hand_run):
    fleet = hand_run(slots=200)
    for _ in range(20):
        call_and_answer(fleet)
    call_and_refuse(fleet)
    age_brake(fleet, 100_000)
    fleet.redis.hset(KEYS.pace("p:a"), "request_room", 0)
    assert fleet.reserve(fleet.start(fleet.submit("u")[0]), "a") != "a"
    age_brake(fleet, 300_000)
    assert fleet.reserve(fleet.start(fleet.submit("u")[0]), "a") == "a"
