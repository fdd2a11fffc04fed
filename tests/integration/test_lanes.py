"""Waiting jobs are released fairly over users, by the ledger alone: weights, caps, lanes, absence,
tombstones, places.
"""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.hand_run import HandRun
from support.ledger import KEYS

from worker.budgets.overrides import Subject
from worker.erasure import STEP_MS
from worker.ledger.fleet_functions import ForgetJobs, Snapshot


def test_one_question_is_not_behind_ten_thousand(hand_run):
    """A new user is next, whatever a greedy one has waiting."""
    fleet = hand_run()
    fleet.submit("greedy", 200)
    fleet.submit("small")
    assert "small" in fleet.serve(2)


def test_equally_greedy_users_are_served_in_turn(hand_run):
    fleet = hand_run()
    for user in "abcde":
        fleet.submit(user, 40)
    served = fleet.serve(100)
    counts = Counter(served[3:])  # what was released before all had come aside
    assert max(counts.values()) - min(counts.values()) <= 1


def test_weights_are_kept(hand_run):
    """1:2:4."""
    fleet = hand_run()
    for user, weight in (("a", 1), ("b", 2), ("c", 4)):
        fleet.limits.change(Subject("user", user), weight=weight)
        fleet.submit(user, 200)
    counts = Counter(fleet.serve(283)[3:])
    assert abs(counts["b"] / counts["a"] - 2) < 0.2
    assert abs(counts["c"] / counts["a"] - 4) < 0.4


def test_absence_earns_nothing(hand_run):
    """Who was away while others were served does not make up for it."""
    fleet = hand_run()
    fleet.submit("early", 300)
    fleet.serve(100)
    fleet.submit("late", 100)
    counts = Counter(fleet.serve(40))
    assert 18 <= counts["late"] <= 22


def test_batch_gets_its_share_and_no_more_while_interactive_jobs_wait(hand_run):
    fleet = hand_run(batch_share=0.25)
    fleet.submit("a", 200)
    fleet.submit("b", 200, lane="batch")
    counts = Counter(fleet.serve(120)[3:])
    assert 0.2 < counts["b"] / counts.total() < 0.3


def test_a_cap_keeps_the_rest_in_line_and_leaves_the_room_to_others(hand_run):
    """The fleet's, and one user's own; the end of a job brings the next one."""
    fleet = hand_run(slots=8, user_in_flight=2)
    fleet.limits.change(Subject("user", "special"), in_flight=4)
    fleet.submit("a", 10)
    fleet.submit("special", 10)
    fleet.submit("b", 1)
    flying = Counter(job_id.partition("-")[0] for job_id in fleet.released)
    assert flying == {"a": 2, "special": 4, "b": 1}
    assert fleet.limits.current(Subject("user", "special")).in_flight == 4
    assert fleet.serve(1) == ["a"]
    for _ in range(19):
        fleet.end_one()
    assert [int(count) for count in fleet.redis.hvals(KEYS.in_flight)] == [1]


def test_cancelled_jobs_left_in_a_line_block_no_other(hand_run):
    fleet = hand_run()
    ids = fleet.submit("a", 600)
    fleet.submit("b", 5)
    for job_id in ids[10:590]:
        fleet.ledger.cancel(job_id)
    # Three were released at once; 17 of a's and 5 of b's were left.
    assert Counter(fleet.serve(24)) == {"a": 17, "b": 5}


def test_the_place_in_line_is_in_the_status(hand_run, complete):
    """How many of the user's own are ahead, and how many users wait."""
    fleet = hand_run()
    ids = fleet.submit("a", 10)
    fleet.submit("b", 3)
    waiting = [job_id for job_id in ids if job_id not in fleet.released]
    places = [complete.AsyncResult(job_id).progress() for job_id in waiting]
    assert [place.ahead for place in places] == list(range(len(waiting)))
    assert {place.users for place in places} == {2}
    fleet.serve(4)
    assert complete.AsyncResult(waiting[-1]).progress().ahead < places[-1].ahead


moves = st.lists(
    st.one_of(
        st.tuples(
            st.just("submit"), st.sampled_from("abc"), st.sampled_from(["interactive", "batch"])
        ),
        st.tuples(st.just("end"), st.just(""), st.just("")),
        st.tuples(st.just("cancel"), st.sampled_from("abc"), st.just("")),
    ),
    max_size=60,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves, cap=st.sampled_from([None, 1, 2]))
def test_the_fleet_is_never_idle_while_a_user_may_be_served(redis_url, moves, cap):
    """Work-conserving, within caps, whatever happens in which order; and nothing is left in the
    indexes.
    """
    fleet = HandRun(redis_url, slots=2, user_in_flight=cap)
    waiting = []
    for move, user, lane in moves:
        if move == "submit":
            waiting += fleet.submit(user, 1, lane)
        elif move == "end" and fleet.ended < len(fleet.released):
            fleet.end_one()
        elif move == "cancel":
            mine = [
                job_id
                for job_id in waiting
                if job_id.startswith(user) and job_id not in fleet.released
            ]
            if mine:
                fleet.ledger.cancel(mine[0])
                waiting.remove(mine[0])
        flying = Counter(job_id.partition("-")[0] for job_id in fleet.released[fleet.ended :])
        room = 4 - flying.total()
        assert room >= 0
        assert cap is None or max(flying.values(), default=0) <= cap
        left = [job_id for job_id in waiting if job_id not in fleet.released]
        free = [job_id for job_id in left if cap is None or flying[job_id.partition("-")[0]] < cap]
        assert not (room and free)
    while fleet.ended < len(fleet.released):
        fleet.end_one()
    assert [job_id for job_id in waiting if job_id not in fleet.released] == []
    assert fleet.redis.keys(f"{KEYS.root}ring:*") + fleet.redis.keys(f"{KEYS.root}w:*") == []
    assert fleet.redis.hgetall(KEYS.in_flight) == fleet.redis.hgetall(KEYS.numbers) == {}
    fleet.redis.close()


def test_users_at_their_cap_are_counted_as_waiting(hand_run):
    """They are in no ring, but their jobs wait like any other."""
    fleet = hand_run(slots=8, user_in_flight=2)
    fleet.submit("greedy", 7)
    fleet.submit("other", 1)
    lanes = fleet.functions(Snapshot(10, 0)).lanes
    assert [lane[:2] for lane in lanes] == [["interactive", 5], ["batch", 0]]


def test_lines_of_a_forgotten_user_are_gone_at_once(hand_run):
    """Also where the fleet has no room, and nothing is served; what still waits stays."""
    fleet = hand_run()
    fleet.submit("small", 5)
    ids = fleet.submit("greedy", 250)
    ids += fleet.submit("greedy", 3, lane="batch")
    call = fleet.functions
    for job_id in ids[:200]:
        fleet.ledger.cancel(job_id)
    call(ForgetJobs("greedy", 1000, tuple(ids[:100])))
    while call(ForgetJobs("greedy", STEP_MS, ())).passed:
        pass
    waiting = KEYS.waiting("interactive", "greedy")
    assert fleet.redis.lrange(waiting, 0, -1) == ids[200:250]
    for job_id in ids[200:]:
        fleet.ledger.cancel(job_id)
    while call(ForgetJobs("greedy", STEP_MS, ())).passed:
        pass
    assert not fleet.redis.exists(waiting, KEYS.waiting("batch", "greedy"))
    assert fleet.redis.zscore(KEYS.ring("interactive"), "greedy") is None


def test_a_step_of_forgetting_ends_in_its_time(hand_run):
    """The rest is left to the next call, which goes on; one job is always forgotten."""
    fleet = hand_run()
    ids = fleet.submit("u", 5)
    for job_id in ids:
        fleet.ledger.cancel(job_id)
    reply = fleet.functions(ForgetJobs("u", 0, tuple(ids)))
    assert (reply.forgotten, reply.seen) == (ids[:1], 1)
    assert fleet.redis.exists(*map(KEYS.job, ids)) == 4
    assert fleet.functions(ForgetJobs("u", 60_000, tuple(ids))).seen == 5
    assert not fleet.redis.exists(*map(KEYS.job, ids))
