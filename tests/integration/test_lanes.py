"""Waiting jobs are released fairly over users, by the scripts alone: weights, caps, lanes, absence,
tombstones, places.
"""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.house import House
from support.ledger import KEYS

from worker.budgets.overrides import Subject


def test_one_question_is_not_behind_ten_thousand(house):
    """Whoever comes new is next, whatever a greedy one has waiting."""
    house = house()
    house.submit("greedy", 200)
    house.submit("small")
    assert "small" in house.serve(2)


def test_equally_greedy_users_are_served_in_turn(house):
    house = house()
    for user in "abcde":
        house.submit(user, 40)
    served = house.serve(100)
    counts = Counter(served[3:])  # what was released before all had come aside
    assert max(counts.values()) - min(counts.values()) <= 1


def test_weights_are_kept(house):
    """1:2:4."""
    house = house()
    for user, weight in (("a", 1), ("b", 2), ("c", 4)):
        house.limits.change(Subject("user", user), weight=weight)
        house.submit(user, 200)
    counts = Counter(house.serve(283)[3:])
    assert abs(counts["b"] / counts["a"] - 2) < 0.2
    assert abs(counts["c"] / counts["a"] - 4) < 0.4


def test_absence_earns_nothing(house):
    """Who was away while others were served does not make up for it."""
    house = house()
    house.submit("early", 300)
    house.serve(100)
    house.submit("late", 100)
    counts = Counter(house.serve(40))
    assert 18 <= counts["late"] <= 22


def test_batch_gets_its_share_and_no_more_while_interactive_jobs_wait(house):
    house = house(batch_share=0.25)
    house.submit("a", 200)
    house.submit("b", 200, lane="batch")
    counts = Counter(house.serve(120)[3:])
    assert 0.2 < counts["b"] / counts.total() < 0.3


def test_a_cap_keeps_the_rest_in_line_and_leaves_the_room_to_others(house):
    """The fleet's, and one user's own; the end of a job brings the next one."""
    house = house(slots=8, user_in_flight=2)
    house.limits.change(Subject("user", "special"), in_flight=4)
    house.submit("a", 10)
    house.submit("special", 10)
    house.submit("b", 1)
    flying = Counter(job_id.partition("-")[0] for job_id in house.released)
    assert flying == {"a": 2, "special": 4, "b": 1}
    assert house.limits.current(Subject("user", "special")).in_flight == 4
    assert house.serve(1) == ["a"]
    for _ in range(19):
        house.end_one()
    assert [int(count) for count in house.redis.hvals(KEYS.in_flight)] == [1]


def test_tombstones_of_cancelled_jobs_block_nobody(house):
    house = house()
    ids = house.submit("a", 600)
    house.submit("b", 5)
    for job_id in ids[10:590]:
        house.jobs.cancel(job_id)
    # Three were released at once; 17 of a's and 5 of b's were left.
    assert Counter(house.serve(24)) == {"a": 17, "b": 5}


def test_the_place_in_line_is_told(house, complete):
    """How many of the user's own are ahead, and how many users wait."""
    house = house()
    ids = house.submit("a", 10)
    house.submit("b", 3)
    waiting = [job_id for job_id in ids if job_id not in house.released]
    places = [complete.AsyncResult(job_id).status for job_id in waiting]
    assert [place.ahead for place in places] == list(range(len(waiting)))
    assert {place.users for place in places} == {2}
    house.serve(4)
    assert complete.AsyncResult(waiting[-1]).status.ahead < places[-1].ahead


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


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=moves, cap=st.sampled_from([None, 1, 2]))
def test_the_fleet_is_never_idle_while_somebody_may_be_served(redis_url, moves, cap):
    """Work-conserving, within caps, whatever happens in which order; and nothing is left in the
    indexes.
    """
    house = House(redis_url, slots=2, user_in_flight=cap)
    waiting = []
    for move, user, lane in moves:
        if move == "submit":
            waiting += house.submit(user, 1, lane)
        elif move == "end" and house.ended < len(house.released):
            house.end_one()
        elif move == "cancel":
            mine = [
                job_id
                for job_id in waiting
                if job_id.startswith(user) and job_id not in house.released
            ]
            if mine:
                house.jobs.cancel(mine[0])
                waiting.remove(mine[0])
        flying = Counter(job_id.partition("-")[0] for job_id in house.released[house.ended :])
        room = 4 - flying.total()
        assert room >= 0
        assert cap is None or max(flying.values(), default=0) <= cap
        left = [job_id for job_id in waiting if job_id not in house.released]
        free = [job_id for job_id in left if cap is None or flying[job_id.partition("-")[0]] < cap]
        assert not (room and free)
    while house.ended < len(house.released):
        house.end_one()
    assert [job_id for job_id in waiting if job_id not in house.released] == []
    assert house.redis.keys(f"{KEYS.root}ring:*") + house.redis.keys(f"{KEYS.root}w:*") == []
    assert house.redis.hgetall(KEYS.in_flight) == house.redis.hgetall(KEYS.numbers) == {}
    house.redis.close()
