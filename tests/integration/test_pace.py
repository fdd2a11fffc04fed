"""What the fleet sends to a link: rotation to one with room, waiting lines, grants, rates after a
429.

Limits are so small or so large that the time a test takes changes nothing.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.hand_run import HandRun
from support.ledger import KEYS, ask

from worker.budgets.overrides import Subject
from worker.faults import Deferred, Fault
from worker.ledger.fleet_functions import Snapshot
from worker.rate_limit_headers import RateLimits

ONE_A_MINUTE = {"p:a": {"requests": 1}}
ONE_AT_ONCE = {"p:a": {"calls": 1}}


def room(fleet, link="p:a"):
    return {
        name: float(value)
        for name, value in fleet.redis.hgetall(KEYS.pace(link)).items()
        if name not in ("probe", "circuit", "trouble", "brake", "past")
    }


@pytest.mark.parametrize(
    "pace", [ONE_A_MINUTE, ONE_AT_ONCE, {"p": {"requests": 1}, "p:b": {"requests": 1000}}]
)
def test_a_link_without_room_is_passed_over(hand_run, pace):
    fleet = hand_run(slots=4, pace=pace)
    jobs = [fleet.start(job_id) for job_id in fleet.submit("u", 2)]
    assert [fleet.reserve(job, "a", "b") for job in jobs] == ["a", "b"]


def test_what_fits_no_link_waits_for_the_one_that_has_room_first(hand_run):
    fleet = hand_run(slots=4, pace={"p:a": {"requests": 1}, "p:b": {"requests": 2}})
    jobs = [fleet.start(job_id) for job_id in fleet.submit("u", 3)]
    assert [fleet.reserve(job, "a", "b") for job in jobs[:2]] == ["a", "b"]
    wait = fleet.reserve(jobs[2], "a", "b")
    assert (wait.wakes_on, wait.waits_for_room) == ("pace:p:b", True)
    assert 20 < wait.after_s < 40  # two a minute, less 2 %


def test_tokens_are_paced_too_and_a_large_call_is_let_through_alone(hand_run):
    """A call beyond what the bucket ever holds takes all of it and leaves a debt."""
    fleet = hand_run(slots=4, pace={"p:a": {"tokens": 60_000}})
    first, second = (fleet.start(job_id) for job_id in fleet.submit("u", 2))
    assert fleet.reserve(first, "a", tokens=30_000) == "a"
    wait = fleet.reserve(second, "a", tokens=100)
    assert 25 < wait.after_s < 35
    fleet.answer(first, tokens=40)  # it took far less
    assert room(fleet)["token_room"] > 0


def test_what_calls_really_take_is_learnt(hand_run):
    """Worst cases are several times the truth: paced by them, most of the limit is unused."""
    fleet = hand_run(slots=50, pace={"p:a": {"tokens": 1_000_000}})
    for job_id in fleet.submit("u", 20):
        job = fleet.start(job_id)
        assert fleet.reserve(job, "a", tokens=1000) == "a"
        fleet.answer(job, tokens=100)
    job = fleet.start(fleet.submit("u")[0])
    fleet.reserve(job, "a", tokens=1000)
    assert float(fleet.redis.hget(KEYS.job(job.id), "paced")) == pytest.approx(100)


def test_jobs_behind_a_full_link_do_not_start_in_vain(hand_run):
    """One job finds out; its line then moves as the link has room, one start a job."""
    fleet = hand_run(slots=8, pace=ONE_AT_ONCE)
    fleet.submit("u", 30)
    started, running = Counter(), None
    while fleet.released:
        job = fleet.start(fleet.released.pop(0))
        started[job.id] += 1
        if fleet.reserve(job, "a") == "a":
            assert running is None
            running = job
        if running and not fleet.released:
            done, running = running, None
            fleet.answer(done)
    assert len(started) == 30
    # What was released before that was known: the target of ten.
    assert started.total() <= 30 + 10
    assert room(fleet)["out"] == 0


def test_users_behind_one_link_are_served_by_their_weights(hand_run):
    fleet = hand_run(slots=8, pace=ONE_AT_ONCE)
    fleet.limits.change(Subject("user", "heavy"), weight=3)
    for _ in range(40):
        fleet.submit("heavy")
        fleet.submit("light")
    served, running = [], None
    while len(served) < 60:
        while fleet.released:
            job = fleet.start(fleet.released.pop(0))
            if fleet.reserve(job, "a") == "a":
                running = job
        served.append(running.user_id)
        fleet.answer(running)
    assert 2.4 < Counter(served[12:48])["heavy"] / Counter(served[12:48])["light"] < 3.6


def test_a_full_link_is_not_in_the_way_of_other_jobs(hand_run):
    """Other users' jobs for another link flow, and so do a user's own once one of them went
    elsewhere.
    """
    fleet = hand_run(slots=2, pace=ONE_AT_ONCE)
    fleet.submit("u", 20)
    blocked = [fleet.start(fleet.released.pop(0)) for _ in range(2)]
    assert fleet.reserve(blocked[0], "a") == "a"
    assert isinstance(fleet.reserve(blocked[1], "a"), Deferred)
    fleet.released.clear()
    for job_id in fleet.submit("other", 12):
        assert fleet.released.pop(0) == job_id
        job = fleet.start(job_id)
        assert fleet.reserve(job, "b") == "b"
        fleet.answer(job)


def test_a_grant_that_is_not_used_is_given_back(hand_run):
    fleet = hand_run(slots=2, pace=ONE_AT_ONCE)
    fleet.submit("u", 3)
    first, second = (fleet.start(fleet.released.pop(0)) for _ in range(2))
    fleet.reserve(first, "a")
    fleet.reserve(second, "a")
    fleet.released.clear()
    fleet.answer(first)
    granted = fleet.released.pop(0)
    assert room(fleet)["out"] == 1
    fleet.ledger.cancel(granted)
    assert room(fleet)["out"] == (1 if fleet.released else 0)
    job = fleet.start(fleet.released.pop(0) if fleet.released else fleet.submit("u")[0])
    assert fleet.reserve(job, "b", "a") == "b"  # it prefers another link
    assert room(fleet)["out"] == 0


def test_the_limits_that_a_provider_states_are_kept(hand_run):
    """Its limit, and that nothing is left of it because others use the same key."""
    fleet = hand_run(slots=8)
    first, second = (fleet.start(job_id) for job_id in fleet.submit("u", 2))
    fleet.reserve(first, "a")
    fleet.answer(
        first, rate_limits=RateLimits(requests=60, requests_left=0, tokens=1000, tokens_left=900)
    )
    assert {name: room(fleet)[name] for name in ("requests", "tokens", "request_room")} == {
        "requests": 60,
        "tokens": 1000,
        "request_room": 0,
    }
    wait = fleet.reserve(second, "a")
    assert (wait.wakes_on, 0 < wait.after_s < 1.1) == ("pace:p:a", True)


def test_a_limit_that_a_429_told_is_forgotten_after_its_minute(hand_run):
    """Unless an answer states it as well; until then health names it."""
    told = RateLimits(requests=60, tokens=1000)
    fleet = hand_run(slots=8)
    job = fleet.start(fleet.submit("u")[0])
    fleet.reserve(job, "a")
    fleet.attempt_of(job).rate_limits = told
    fleet.fail(job, Fault.RATE_LIMITED, after_s=100)
    assert room(fleet)["requests"] == 60
    (found,) = fleet.functions(Snapshot(10, 0)).cooling
    assert "p:a: a 429 told 60 requests and 1000 tokens a minute, kept for 60 s" in found
    fleet.redis.hset(KEYS.pace("p:a"), "expires", 1)
    assert fleet.functions(Snapshot(10, 0)).cooling == []
    fleet.redis.hdel(KEYS.pace("p:a"), "brake")
    jobs = [fleet.start(job_id) for job_id in fleet.submit("u", 5)]
    assert [fleet.reserve(job, "a", tokens=900) for job in jobs] == ["a"] * 5
    for job in jobs:
        fleet.answer(job, rate_limits=told)
    assert "expires" not in room(fleet)


moves = st.lists(
    st.tuples(
        st.sampled_from("sssbbbbaaaflc"),
        st.sampled_from("uv"),
        st.sampled_from([("a",), ("b",), ("a", "b"), ("b", "a")]),
    ),
    max_size=80,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves)
def test_calls_at_once_are_counted_whatever_happens(redis_url, moves):
    """Never more than allowed on a link; what is out is what is open or granted; in the end all are
    served.
    """
    fleet = HandRun(redis_url, slots=3, pace={"p:a": {"calls": 1}, "p:b": {"calls": 2}})
    running, submitted, cancelled = [], [], set()

    def start_one(names):
        if fleet.released:
            state = fleet.redis.hget(KEYS.job(fleet.released[0]), "state")
            job_id = fleet.released.pop(0)
            if state == "released":
                job = fleet.start(job_id)
                if isinstance(fleet.reserve(job, *names), str):
                    running.append(job)

    for kind, user, names in moves:
        if kind == "s":
            submitted += fleet.submit(user)
        elif kind == "b":
            start_one(names)
        elif kind in "af" and running:
            job = running.pop(0)
            fleet.answer(job) if kind == "a" else fleet.fail(job, Fault.OVERLOADED)
        elif kind == "l" and running:
            fleet.redis.zadd(KEYS.open, {running.pop(0).id: 1})
            fleet.sweep()
        elif kind == "c" and submitted and submitted[-1] not in cancelled:
            cancelled.add(submitted[-1])
            fleet.ledger.cancel(submitted[-1])
        counts_agree(fleet)
    for _ in range(1000):
        fleet.sweep()
        start_one(("a", "b"))
        if running:
            fleet.answer(running.pop(0))
        if not (fleet.released or running or fleet.redis.zcard(KEYS.open)):
            break
    counts_agree(fleet)
    states = {fleet.redis.hget(KEYS.job(job_id), "state") for job_id in submitted}
    assert states <= {"failed", "cancelled", "dead"}
    fleet.sweep()
    left = [
        key
        for kind in ("ring", "gates", "gated", "w:", "inf")
        for key in fleet.redis.keys(f"{KEYS.root}{kind}*")
    ]
    assert left == []
    fleet.redis.close()


def counts_agree(fleet):
    records = [fleet.redis.hgetall(key) for key in fleet.redis.scan_iter(KEYS.job("*"))]
    for link, most in (("p:a", 1), ("p:b", 2)):
        out = sum(record.get("link") == link or record.get("grant") == link for record in records)
        assert out == float(fleet.redis.hget(KEYS.pace(link), "out") or 0)
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
