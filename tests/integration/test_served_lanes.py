"""Room is for lanes that somebody serves: -Q, -X and remote control choose which."""

import random

import pytest
from support.ledger import KEYS


@pytest.fixture
def fleet(hand_run):
    """One worker with four slots: room for six jobs."""
    return hand_run(slots=4)


def lanes(fleet):
    """Of the released jobs, in the order in which they were."""
    return "".join(job_id.partition("-")[2][0] for job_id in fleet.released)


def serve(fleet, served, slots=4, worker="test"):
    fleet.ledger.heartbeat(worker, slots, 3600, served)


def test_a_lane_that_nobody_serves_holds_no_room_of_the_other(fleet):
    serve(fleet, "interactive")
    fleet.submit("ann", 20, lane="batch")
    fleet.submit("bob", 3)
    assert lanes(fleet) == "iii"


def test_what_lies_in_a_queue_that_nobody_reads_any_more_holds_no_room(fleet):
    """`control cancel_consumer`: it goes back in line, and is released when somebody reads."""
    fleet.submit("ann", 20, lane="batch")
    assert lanes(fleet) == "bbbbbb"
    serve(fleet, "interactive")
    fleet.submit("bob", 3)
    assert lanes(fleet) == "bbbbbbiii"
    for job_id in fleet.redis.zrange(KEYS.open, 0, -1):
        fleet.redis.zadd(KEYS.open, {job_id: 1})  # it is time to look at it
    fleet.sweep()
    assert fleet.redis.zcard(KEYS.open) == 3
    assert fleet.redis.hget(KEYS.in_flight, "ann") is None
    serve(fleet, "both")
    fleet.sweep()
    assert lanes(fleet)[9:].count("b") == 3  # six in all, as ever


def test_each_lane_has_the_room_of_the_workers_that_serve_it(fleet):
    serve(fleet, "interactive")
    serve(fleet, "batch", slots=1, worker="second")
    fleet.submit("ann", 20, lane="batch")
    fleet.submit("bob", 20)
    fleet.sweep()
    assert (lanes(fleet).count("b"), lanes(fleet).count("i")) == (3, 4)


def test_a_worker_that_reads_none_of_our_queues_is_no_room(fleet):
    serve(fleet, "none", slots=100, worker="second")
    fleet.submit("bob", 20)
    assert lanes(fleet) == "iiiiii"


def test_what_a_live_worker_has_taken_is_not_published_again(fleet):
    """Though no queue has it, and it was released long ago; once its worker is silent, it is."""
    taken, lost = fleet.submit("ann", 2)
    fleet.released.clear()
    for told, found in (((taken,), [lost]), ((), [taken, lost])):
        for job_id in (taken, lost):
            fleet.redis.zadd(KEYS.open, {job_id: 1})
        fleet.ledger.heartbeat("test", 4, 3600, taken=told)
        fleet.sweep()
        assert sorted(fleet.released) == sorted(found)
        fleet.released.clear()


def test_only_what_is_released_can_be_taken(fleet):
    """A lease is renewed by its own worker."""
    (job_id,) = fleet.submit("ann")
    fleet.start(job_id)
    fleet.redis.zadd(KEYS.open, {job_id: 1})
    fleet.ledger.heartbeat("test", 4, 3600, taken=[job_id, "none"])
    assert fleet.redis.zscore(KEYS.open, job_id) == 1


def test_while_nobody_lives_any_lane_may_be_the_next_one_s(fleet):
    serve(fleet, "interactive")
    fleet.ledger.heartbeat("test", 0, 1)
    fleet.submit("ann", 5, lane="batch")
    assert lanes(fleet) == "bb"


def test_the_count_by_lane_is_that_of_the_jobs(fleet):
    """Under any order of releases, starts, ends, cancels and changes of who serves what."""
    chance = random.Random(7)
    for step in range(120):
        serve(fleet, chance.choice(["both", "both", "interactive", "batch"]))
        fleet.submit(
            f"u{step % 5}", chance.randint(0, 2), lane=chance.choice(["batch", "interactive"])
        )
        open_ids = fleet.redis.zrange(KEYS.open, 0, -1)
        for job_id in chance.sample(open_ids, min(2, len(open_ids))):
            if chance.random() < 0.3:
                fleet.ledger.cancel(job_id)
            elif fleet.redis.hget(KEYS.job(job_id), "state") == "released":
                job = fleet.start(job_id)
                chance.choice([fleet.answer, lambda job: None, fleet.fail])(job)
        fleet.sweep()
        batch = {each for each in fleet.redis.zrange(KEYS.open, 0, -1) if "-b" in each}
        assert set(fleet.redis.zrange(KEYS.open_batch, 0, -1)) == batch
