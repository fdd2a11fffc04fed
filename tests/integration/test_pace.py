"""What the fleet sends to a link: rotation to one with room, waiting lines, grants, rates after a
429, probes after a cooldown.

Limits are so small or so large that the time a test takes changes nothing.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.house import House
from support.ledger import KEYS, ask

from worker.budgets.overrides import Subject
from worker.faults import Deferred, Fault
from worker.rate_limit_headers import Allowance

ONE_A_MINUTE = {"p:a": {"requests": 1}}
ONE_AT_ONCE = {"p:a": {"calls": 1}}


def room(house, link="p:a"):
    return {
        name: float(value)
        for name, value in house.redis.hgetall(KEYS.pace(link)).items()
        if name != "probe"
    }


@pytest.mark.parametrize(
    "pace", [ONE_A_MINUTE, ONE_AT_ONCE, {"p": {"requests": 1}, "p:b": {"requests": 1000}}]
)
def test_a_link_without_room_is_passed_over(house, pace):
    house = house(slots=4, pace=pace)
    jobs = [house.begin(job_id) for job_id in house.submit("u", 2)]
    assert [house.attempt(job, "a", "b") for job in jobs] == ["a", "b"]


def test_what_fits_no_link_waits_for_the_one_that_has_room_first(house):
    house = house(slots=4, pace={"p:a": {"requests": 1}, "p:b": {"requests": 2}})
    jobs = [house.begin(job_id) for job_id in house.submit("u", 3)]
    assert [house.attempt(job, "a", "b") for job in jobs[:2]] == ["a", "b"]
    wait = house.attempt(jobs[2], "a", "b")
    assert (wait.wakes_on, wait.patient) == ("pace:p:b", True)
    assert 20 < wait.after_s < 40  # two a minute, less 2 %


def test_tokens_are_paced_too_and_a_large_call_is_let_through_alone(house):
    """A call beyond what the bucket ever holds takes all of it and leaves a debt."""
    house = house(slots=4, pace={"p:a": {"tokens": 60_000}})
    first, second = (house.begin(job_id) for job_id in house.submit("u", 2))
    assert house.attempt(first, "a", tokens=30_000) == "a"
    wait = house.attempt(second, "a", tokens=100)
    assert 25 < wait.after_s < 35
    house.answer(first, tokens=40)  # it took far less
    assert room(house)["token_room"] > 0


def test_what_calls_really_take_is_learnt(house):
    """Worst cases are several times the truth: pacing by them would leave most of the limit unused."""
    house = house(slots=50, pace={"p:a": {"tokens": 1_000_000}})
    for job_id in house.submit("u", 20):
        job = house.begin(job_id)
        assert house.attempt(job, "a", tokens=1000) == "a"
        house.answer(job, tokens=100)
    job = house.begin(house.submit("u")[0])
    house.attempt(job, "a", tokens=1000)
    assert float(house.redis.hget(KEYS.job(job.id), "paced")) == pytest.approx(100)


def test_nobody_tries_in_vain_behind_a_full_link(house):
    """One job finds out; its line then moves as the link has room, one start a job."""
    house = house(slots=8, pace=ONE_AT_ONCE)
    house.submit("u", 30)
    started, running = Counter(), None
    while house.released:
        job = house.begin(house.released.pop(0))
        started[job.id] += 1
        if house.attempt(job, "a") == "a":
            assert running is None
            running = job
        if running and not house.released:
            done, running = running, None
            house.answer(done)
    assert len(started) == 30
    # What was released before anybody knew: the target of ten.
    assert started.total() <= 30 + 10
    assert room(house)["out"] == 0


def test_users_behind_one_link_are_served_by_their_weights(house):
    house = house(slots=8, pace=ONE_AT_ONCE)
    house.limits.change(Subject("user", "heavy"), weight=3)
    for _ in range(40):
        house.submit("heavy")
        house.submit("light")
    served, running = [], None
    while len(served) < 60:
        while house.released:
            job = house.begin(house.released.pop(0))
            if house.attempt(job, "a") == "a":
                running = job
        served.append(running.user_id)
        house.answer(running)
    assert 2.4 < Counter(served[12:48])["heavy"] / Counter(served[12:48])["light"] < 3.6


def test_a_full_link_is_in_nobody_elses_way(house):
    """Other users' jobs for another link flow, and so do a user's own once one of them went
    elsewhere.
    """
    house = house(slots=2, pace=ONE_AT_ONCE)
    house.submit("u", 20)
    blocked = [house.begin(house.released.pop(0)) for _ in range(2)]
    assert house.attempt(blocked[0], "a") == "a"
    assert isinstance(house.attempt(blocked[1], "a"), Deferred)
    house.released.clear()
    for job_id in house.submit("other", 12):
        assert house.released.pop(0) == job_id
        job = house.begin(job_id)
        assert house.attempt(job, "b") == "b"
        house.answer(job)


def test_a_grant_that_is_not_used_is_given_back(house):
    house = house(slots=2, pace=ONE_AT_ONCE)
    house.submit("u", 3)
    first, second = (house.begin(house.released.pop(0)) for _ in range(2))
    house.attempt(first, "a")
    house.attempt(second, "a")
    house.released.clear()
    house.answer(first)
    granted = house.released.pop(0)
    assert room(house)["out"] == 1
    house.jobs.cancel(granted)
    assert room(house)["out"] == (1 if house.released else 0)
    job = house.begin(house.released.pop(0) if house.released else house.submit("u")[0])
    assert house.attempt(job, "b", "a") == "b"  # it prefers another link
    assert room(house)["out"] == 0


def test_a_429_halves_the_rate_once_for_all_calls_under_way(house):
    house = house(slots=8, pace={"p:a": {"requests": 6000}})
    jobs = [house.begin(job_id) for job_id in house.submit("u", 3)]
    for job in jobs:
        house.attempt(job, "a")
    for job in jobs:
        house.fail(job, Fault.RATE_LIMITED, after_s=100)
    assert room(house)["slow"] == 3000
    job = house.begin(house.submit("u")[0])
    house.redis.hset(KEYS.pace("p:a"), "request_room", 1)
    assert house.attempt(job, "a") == "a"
    house.fail(job, Fault.RATE_LIMITED, after_s=100)
    assert 1500 <= room(house)["slow"] < 2500


def test_a_429_limits_a_link_of_unknown_limits_by_what_was_sent(house):
    house = house(slots=8)
    jobs = [house.begin(job_id) for job_id in house.submit("u", 8)]
    for job in jobs:
        house.attempt(job, "a")
    for job in jobs:
        house.fail(job, Fault.RATE_LIMITED, after_s=100)
    assert 6 <= room(house)["slow"] <= 8 * 60 / 2
    wait = house.attempt(house.begin(house.submit("u")[0]), "a")
    assert wait.wakes_on == "pace:p:a"


def test_what_the_provider_tells_of_its_limits_is_heeded(house):
    """Its limit, and that nothing is left of it because others use the same key."""
    house = house(slots=8)
    first, second = (house.begin(job_id) for job_id in house.submit("u", 2))
    house.attempt(first, "a")
    house.answer(
        first, allowance=Allowance(requests=60, requests_left=0, tokens=1000, tokens_left=900)
    )
    assert {name: room(house)[name] for name in ("requests", "tokens", "request_room")} == {
        "requests": 60,
        "tokens": 1000,
        "request_room": 0,
    }
    wait = house.attempt(second, "a")
    assert (wait.wakes_on, 0 < wait.after_s < 1.1) == ("pace:p:a", True)


def cooled(house, jobs):
    """The link has failed, and its cooldown is over."""
    house.attempt(jobs[0], "a")
    house.fail(jobs[0], Fault.OVERLOADED, cool_s=100, after_s=100)
    assert house.attempt(jobs[1], "a").after_s > 90
    house.redis.delete(KEYS.cooldown("p:a"))


@pytest.mark.parametrize("end", ["answered", "failed", "lost"])
def test_after_a_cooldown_one_probe_goes_first(house, end):
    house = house(slots=8)
    jobs = [house.begin(job_id) for job_id in house.submit("u", 5)]
    cooled(house, jobs)
    probe, follower, third = jobs[2:]
    assert house.attempt(probe, "a") == "a"
    assert house.attempt(follower, "a").wakes_on == "link:p:a"
    house.released.clear()
    if end == "answered":
        house.answer(probe)
        assert follower.id in house.released  # woken
        assert house.attempt(third, "a") == "a"
    elif end == "failed":
        house.fail(probe, Fault.OVERLOADED, cool_s=50, after_s=100)
        assert 40 < house.attempt(third, "a").after_s <= 50
    else:
        house.redis.zadd(KEYS.open, {probe.id: 1})
        house.sweep()
        assert house.attempt(third, "a") == "a"  # the next probe
        assert house.redis.hget(KEYS.pace("p:a"), "probe") == third.id


moves = st.lists(
    st.tuples(
        st.sampled_from("sssbbbbaaaflc"),
        st.sampled_from("uv"),
        st.sampled_from([("a",), ("b",), ("a", "b"), ("b", "a")]),
    ),
    max_size=80,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=moves)
def test_calls_at_once_are_counted_whatever_happens(redis_url, moves):
    """Never more than allowed on a link; what is out is what is open or granted; in the end all are
    served.
    """
    house = House(redis_url, slots=3, pace={"p:a": {"calls": 1}, "p:b": {"calls": 2}})
    running, submitted, cancelled = [], [], set()

    def begin_one(names):
        if house.released:
            state = house.redis.hget(KEYS.job(house.released[0]), "state")
            job_id = house.released.pop(0)
            if state == "released":
                job = house.begin(job_id)
                if isinstance(house.attempt(job, *names), str):
                    running.append(job)

    for kind, user, names in moves:
        if kind == "s":
            submitted += house.submit(user)
        elif kind == "b":
            begin_one(names)
        elif kind in "af" and running:
            job = running.pop(0)
            house.answer(job) if kind == "a" else house.fail(job, Fault.OVERLOADED)
        elif kind == "l" and running:
            house.redis.zadd(KEYS.open, {running.pop(0).id: 1})
            house.sweep()
        elif kind == "c" and submitted and submitted[-1] not in cancelled:
            cancelled.add(submitted[-1])
            house.jobs.cancel(submitted[-1])
        counts_agree(house)
    for _ in range(1000):
        house.sweep()
        begin_one(("a", "b"))
        if running:
            house.answer(running.pop(0))
        if not (house.released or running or house.redis.zcard(KEYS.open)):
            break
    counts_agree(house)
    states = {house.redis.hget(KEYS.job(job_id), "state") for job_id in submitted}
    assert states <= {"failed", "cancelled", "dead"}
    house.sweep()
    left = [
        key
        for kind in ("ring", "gates", "gated", "w:", "inf")
        for key in house.redis.keys(f"{KEYS.root}{kind}*")
    ]
    assert left == []
    house.redis.close()


def counts_agree(house):
    records = [house.redis.hgetall(key) for key in house.redis.scan_iter(KEYS.job("*"))]
    for link, most in (("p:a", 1), ("p:b", 2)):
        out = sum(record.get("link") == link or record.get("grant") == link for record in records)
        assert out == float(house.redis.hget(KEYS.pace(link), "out") or 0)
        assert out <= most


def test_a_fleet_keeps_to_what_a_provider_takes_at_once(complete, wire, start_worker, openai_env):
    """A real worker with eight slots, forty jobs, three calls at once: never more, and every job is
    answered at its first call; a job's wait costs one start, not one a second.
    """
    worker = start_worker(openai_env | {"LLM_PACE": "openai=-/-/3"}, concurrency=8)
    wire.script = lambda request, number: "ok;delay=0.05"
    jobs = complete.many([ask(f"question {n}") for n in range(40)], "u1", max_tokens=20)
    assert {job.value(60).attempts for job in jobs} == {1}
    assert (wire.most_concurrent, len(wire.calls)) == (3, 40)
    assert worker.log().count("waiting for room") <= 20
