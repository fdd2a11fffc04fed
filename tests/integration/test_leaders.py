"""Of identical jobs one is called, and what holds that one up is its own affair: its limits, its
caps, its line, its batch, its deadline. Followers learn nothing of it.
"""

import pytest
from support.ledger import KEYS, until

from producer.contract.ledger.calls import BatchChange, BatchOpen
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from worker.budgets.overrides import Subject
from worker.faults import Deferred, Fault
from worker.ledger.attempt import Candidate, Question
from worker.ledger.calls import Wait
from worker.settings import Link, QuotaSettings

SAME = Question("hash of what is asked", "", take=True, join=True)
CANDIDATE = Candidate(Link(provider="p", model="a", adapter="simulator"), 50, 10, 100)
ALICE = Subject("user", "alice")


@pytest.fixture
def fleet(hand_run):
    return hand_run(slots=20, quota=QuotaSettings(tokens_per_hour=1000))


def asked(fleet, user, **options):
    """A job of `user` that asks the same, begun; it is called, or waits as the second says."""
    (job_id,) = fleet.submit(user, over_limit="wait", **options)
    return again(fleet, job_id)


def again(fleet, job_id):
    job = fleet.start(job_id)
    return job, fleet.reserve(job, "a", question=SAME)


def follows(result):
    return isinstance(result, Deferred) and result.wakes_on.startswith("flight:")


def state(fleet, job):
    return fleet.redis.hget(KEYS.job(job.id), "state")


def in_line(fleet, job):
    return state(fleet, job) in ("waiting", "released")


def test_one_of_identical_jobs_is_called(fleet):
    leader, called = asked(fleet, "alice")
    followers = [asked(fleet, user) for user in ("bob", "carol", "alice")]
    assert called == "a"
    assert all(follows(result) for _, result in followers)
    fleet.answer(leader)
    assert all(in_line(fleet, job) for job, _ in followers)


def test_followers_learn_nothing_of_their_leader(fleet):
    leader, _ = asked(fleet, "alice")
    _, result = asked(fleet, "bob")
    for told in (str(result), result.wakes_on):
        assert leader.id not in told
        assert "alice" not in told


def test_a_job_over_its_own_limit_leads_nobody(fleet):
    over_limit(fleet)
    _, waits = asked(fleet, "alice")
    assert "user_tokens_per_hour" in str(waits)
    assert asked(fleet, "bob")[1] == "a"


def test_a_leader_leads_while_it_waits_for_its_provider_only(fleet):
    """After that it is in its line, as all are: whoever is served first is called."""
    leader, _ = asked(fleet, "alice")
    follower, _ = asked(fleet, "bob")
    fleet.fail(leader, Fault.BAD_RESPONSE, after_s=0.05)
    assert follows(asked(fleet, "carol")[1])
    until(lambda: fleet.sweep() or in_line(fleet, leader))
    assert in_line(fleet, follower)
    assert again(fleet, follower.id)[1] == "a"
    assert follows(again(fleet, leader.id)[1])


def capped(fleet):
    """Alice may have no more in flight: another job of hers runs."""
    fleet.start(fleet.submit("alice")[0])
    fleet.limits.change(ALICE, in_flight=1)


def over_limit(fleet):
    fleet.limits.change(ALICE, tokens_per_hour=150)
    other = fleet.start(fleet.submit("alice")[0])
    fleet.reserve(other, "a")
    fleet.answer(other)


def long_line(fleet):
    """Many jobs of hers are before it."""
    fleet.submit("alice", 15)


@pytest.mark.parametrize("obstacle", [capped, over_limit, long_line])
@pytest.mark.parametrize("after_s", [0, 0.05])
def test_what_holds_up_a_leader_after_its_call_holds_up_no_follower(fleet, obstacle, after_s):
    leader, _ = asked(fleet, "alice")
    follower, _ = asked(fleet, "bob")
    obstacle(fleet)
    fleet.fail(leader, Fault.BAD_RESPONSE, after_s=after_s)
    until(lambda: fleet.sweep() or state(fleet, follower) == "released")
    if obstacle is over_limit:
        again(fleet, leader.id)
    assert again(fleet, follower.id)[1] == "a"


def test_a_paused_batch_holds_up_no_question(fleet):
    """Its item leads, fails, and is not tried before the batch goes on."""
    fleet.ledger._call(BatchOpen("night", "alice", "", 1000, -1))
    request = CompletionRequest.checked(messages=[{"role": "user", "content": "x"}], lane="batch")
    fleet._release(fleet.ledger.submit(Submission("night.0", "alice", request, {}, batch="night")))
    leader, called = again(fleet, "night.0")
    follower, _ = asked(fleet, "bob")
    fleet.ledger._call(BatchChange("night", "pause"))
    fleet.fail(leader, Fault.BAD_RESPONSE)
    fleet.sweep()
    assert called == "a"
    assert again(fleet, follower.id)[1] == "a"


def test_followers_that_cannot_go_do_not_hold_up_those_behind_them(fleet):
    """The first of them has a user at the cap, the second one a long line; the third is called."""
    leader, _ = asked(fleet, "alice")
    followers = [asked(fleet, user)[0] for user in ("bob", "carol", "dave", "erin")]
    fleet.start(fleet.submit("bob")[0])
    fleet.limits.change(Subject("user", "bob"), in_flight=1)
    fleet.start(fleet.submit("carol")[0])
    fleet.limits.change(Subject("user", "carol"), in_flight=1)
    fleet.submit("carol", 5)
    fleet.fail(leader, Fault.BAD_RESPONSE)
    assert [in_line(fleet, job) for job in followers] == [True, True, True, False]
    assert again(fleet, followers[2].id)[1] == "a"


def test_an_end_without_an_answer_lets_the_next_one_be_called(fleet):
    leader, _ = asked(fleet, "alice")
    follower, _ = asked(fleet, "bob")
    fleet.ledger.cancel(leader.id)
    fleet.answer(leader)
    assert again(fleet, follower.id)[1] == "a"


def test_a_follower_that_looked_just_before_is_not_left_behind(fleet):
    """Its leader's call fails between its look and its wait."""
    leader, _ = asked(fleet, "alice")
    (job_id,) = fleet.submit("bob")
    job = fleet.start(job_id)
    with pytest.raises(Deferred) as caught:
        fleet.quota.take_hold(job, fleet.attempt_of(job), [CANDIDATE], SAME)
    fleet.fail(leader, Fault.BAD_RESPONSE)
    wait = Wait(caught.value.after_s, wakes_on=caught.value.wakes_on)
    fleet._release(fleet.ledger.park(job, fleet.attempt_of(job), wait))
    assert in_line(fleet, job)
