"""What jobs do while links are left alone, and who tries these again.

No test waits for a circuit: `elapse` moves the times that are stored of it into the past.
"""

import pytest
from support.circuits import LINK, circuit, elapse, fail_all, is_open, opened, running
from support.ledger import KEYS

from producer.contract.errors import DeadlineExceeded
from worker.faults import Fault, Outage
from worker.rate_limit_headers import RateLimits


def test_jobs_wait_in_their_order_at_no_cost_until_a_probe_is_answered(hand_run):
    fleet = opened(hand_run)
    waiting = fleet.submit("w", 6)
    for job_id in waiting:
        fleet.released.remove(job_id)
        outage = fleet.reserve(fleet.start(job_id), "a")
        assert isinstance(outage, Outage)
        assert outage.reason == "p:a: HTTP 500 since 00:00:00, next try in 5 s"
    fleet.released.clear()
    fleet.sweep()
    assert fleet.released == []
    elapse(fleet, 6)
    fleet.sweep()
    (first,) = fleet.released  # one goes first
    probe = fleet.start(first)
    assert fleet.reserve(probe, "a") == "a"
    late = fleet.start(fleet.submit("x")[0])
    assert isinstance(fleet.reserve(late, "a"), Outage)
    fleet.released.clear()
    fleet.answer(probe)
    assert [each for each in fleet.released if each in waiting] == waiting[1:]
    assert not is_open(fleet)


@pytest.mark.parametrize("end", ["failed", "says nothing", "lost"])
def test_a_probe_that_is_not_answered_leaves_the_link_alone(hand_run, end):
    """One that failed doubles the time; one that says nothing, or died, is followed by another."""
    fleet = opened(hand_run)
    elapse(fleet, 6)
    (probe,) = running(fleet, "w")
    if end == "lost":
        fleet.redis.zadd(KEYS.open, {probe.id: 1})
        fleet.sweep()
    else:
        fleet.fail(probe, after_s=100, says="fails" if end == "failed" else "")
    job = fleet.start(fleet.submit("x")[0])
    if end == "failed":
        assert "next try in 10 s" in fleet.reserve(job, "a").reason
    else:
        assert fleet.reserve(job, "a") == "a"
        assert fleet.redis.hget(KEYS.pace(LINK), "probe") == job.id


def test_probes_are_no_attempts_of_the_job_that_makes_them(hand_run):
    fleet = opened(hand_run)
    elapse(fleet, 6)
    (probe,) = running(fleet, "w")
    fleet.fail(probe, says="fails")
    again = fleet.start(probe.id)
    assert (again.attempts, again.probes) == (1, 1)


def test_a_probe_that_says_nothing_of_its_link_is_an_attempt(hand_run):
    """Else a job whose answers are of no use would ask for them for ever."""
    fleet = opened(hand_run)
    elapse(fleet, 6)
    (probe,) = running(fleet, "w")
    fleet.fail(probe, Fault.BAD_RESPONSE, says="")
    again = fleet.start(probe.id)
    assert (again.attempts, again.probes) == (1, 0)


def test_another_job_probes_next_and_the_shortest_is_preferred(hand_run):
    """One whose call brings the link down must not be the one that tries it for ever."""
    fleet = opened(hand_run)
    ids = fleet.submit("w", 3)
    for job_id, tokens in zip(ids, (500, 100, 300), strict=True):
        fleet.reserve(fleet.start(job_id), "a", tokens=tokens)
    probed = []
    for _ in range(3):
        elapse(fleet, 61)
        fleet.released.clear()
        fleet.sweep()
        job = fleet.start(fleet.released[0])
        probed.append(job.id)
        assert fleet.reserve(job, "a", tokens=100) == "a"
        fleet.fail(job, says="fails")
        fleet.reserve(fleet.start(job.id), "a", tokens=1)
    assert probed == [ids[1], ids[2], ids[0]]


def test_opening_times_grow_up_to_a_minute_and_shrink_again(hand_run):
    fleet = opened(hand_run)
    times = []
    for _ in range(5):
        elapse(fleet, 100)
        (probe,) = running(fleet, "w")
        fleet.fail(probe, after_s=100, says="fails")
        wait = fleet.reserve(fleet.start(fleet.submit("x")[0]), "a")
        times.append(round(wait.after_s))
    assert times == [10, 20, 40, 60, 60]
    elapse(fleet, 100)
    (probe,) = running(fleet, "w")
    fleet.answer(probe)
    elapse(fleet, 6 * 60)
    fail_all(fleet, running(fleet, "u", "v", "u", "v", "u"))
    wait = fleet.reserve(fleet.start(fleet.submit("x")[0]), "a")
    assert round(wait.after_s) == 5


def test_what_the_provider_asks_for_is_kept_and_is_no_failure(hand_run):
    """An error with Retry-After: left alone for so long, then one goes first."""
    fleet = hand_run(slots=8)
    first, second = running(fleet, "u", "v")
    fleet.fail(first, Fault.OVERLOADED, after_s=100, told_s=40)
    wait = fleet.reserve(fleet.start(fleet.submit("x")[0]), "a")
    assert wait.told
    assert 38 < wait.after_s <= 40
    fleet.answer(second)  # it was sent before
    assert is_open(fleet)
    elapse(fleet, 41)
    (probe,) = running(fleet, "w")
    fleet.answer(probe, rate_limits=RateLimits())
    assert circuit(fleet) == {}


def test_a_job_goes_to_the_next_link_and_waits_only_if_all_are_in_trouble(hand_run):
    fleet = opened(hand_run)
    job = fleet.start(fleet.submit("x")[0])
    assert fleet.reserve(job, "a", "b") == "b"
    fleet.fail(job, after_s=100, says="refuses")
    job = fleet.start(fleet.submit("x")[0])
    outage = fleet.reserve(job, "a", "b")
    assert outage.wakes_on == "links:p:a;p:b"
    elapse(fleet, 6, "p:b")
    prober = fleet.start(fleet.submit("y")[0])
    assert fleet.reserve(prober, "b") == "b"
    fleet.released.clear()
    fleet.answer(prober)
    assert job.id in fleet.released  # whichever link is itself again first


def test_the_end_of_a_job_says_what_it_waited_for(hand_run):
    """A job in trouble says so in its status, and in the error that its deadline leaves."""
    fleet = opened(hand_run)
    job_id = fleet.submit("x")[0]
    fleet.reserve(fleet.start(job_id), "a")
    fleet.redis.hset(KEYS.job(job_id), "deadline", 1)
    fleet.redis.zadd(KEYS.deadlines, {job_id: 1})
    fleet.sweep()
    outcome = fleet.ledger.outcome(job_id)
    assert "It waited for p:a: HTTP 500 since 00:00:0" in str(outcome)


@pytest.mark.parametrize(
    ("left_s", "median_ms", "goes"), [(0.5, 0, False), (5, 0, True), (5, 8000, False)]
)
def test_no_attempt_begins_that_cannot_end(hand_run, left_s, median_ms, goes):
    """It ends as DeadlineExceeded: no hold, no call, no word against anybody."""
    fleet = hand_run(slots=4)
    if median_ms:
        fleet.redis.hset(KEYS.pace(LINK), "median", median_ms)
    job_id = fleet.submit("u")[0]
    seconds, microseconds = fleet.redis.time()
    deadline_ms = (seconds + left_s) * 1000 + microseconds / 1000
    fleet.redis.hset(KEYS.job(job_id), "deadline", int(deadline_ms))
    job = fleet.start(job_id)
    if goes:
        assert fleet.reserve(job, "a") == "a"
        return
    with pytest.raises(DeadlineExceeded):
        fleet.reserve(job, "a")
    assert not fleet.redis.hexists(KEYS.job(job_id), "attempts")
    assert fleet.redis.hget(KEYS.pace(LINK), "out") in (None, "0")
