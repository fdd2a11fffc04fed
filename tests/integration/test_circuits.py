"""When the fleet leaves a provider link: by failures of several jobs and users."""

import pytest
from support.circuits import LINK, elapse, fail_all, is_open, running
from support.ledger import KEYS

from worker.faults import Fault


@pytest.mark.parametrize(
    ("users", "opens"),
    [
        ("uvuvu", True),
        ("uuuuu", True),  # nobody else is there
        ("uvuv", False),  # too few
        ("u", False),
    ],
)
def test_failures_in_a_row_of_several_jobs_open_the_circuit(hand_run, users, opens):
    fleet = hand_run(slots=20)
    fail_all(fleet, running(fleet, *users))
    assert is_open(fleet) == opens


def test_one_user_of_several_does_not_decide_for_the_others(hand_run):
    """Not with twelve failures in a row while another's call is under way, nor beside answers."""
    fleet = hand_run(slots=30)
    (other,) = running(fleet, "other")
    fail_all(fleet, running(fleet, *"u" * 12))
    assert not is_open(fleet)
    fleet.answer(other)
    fail_all(fleet, running(fleet, *"u" * 12))
    assert not is_open(fleet)
    fail_all(fleet, running(fleet, "v"))
    assert is_open(fleet)  # by now most calls fail, and not only u's


def test_one_job_that_fails_again_and_again_decides_only_after_a_silence(hand_run):
    fleet = hand_run(slots=4)
    job_id = fleet.submit("u")[0]
    for _ in range(7):
        job = fleet.start(job_id)
        assert fleet.reserve(job, "a") == "a"
        fleet.fail(job, Fault.UNAVAILABLE, says="fails")
    assert not is_open(fleet)
    elapse(fleet, 3)
    job = fleet.start(job_id)
    fleet.reserve(job, "a")
    fleet.fail(job, Fault.UNAVAILABLE, says="fails")
    assert is_open(fleet)


def test_few_failures_in_a_row_suffice_where_calls_are_few(hand_run):
    """Three in two seconds, in which nobody was answered."""
    fleet = hand_run(slots=4)
    fail_all(fleet, running(fleet, "u", "v"))
    elapse(fleet, 2)
    fail_all(fleet, running(fleet, "u"))
    assert is_open(fleet)


@pytest.mark.parametrize(("answered", "opens"), [(1, True), (3, False)])
def test_a_high_rate_of_failures_opens_the_circuit_though_some_calls_are_answered(
    hand_run, answered, opens
):
    """Two of three calls fail, or two of five."""
    fleet = hand_run(slots=30)
    rounds = [running(fleet, *"uv", *"u" * answered) for _ in range(5)]
    for first, second, *others in rounds:
        for job in others:
            fleet.answer(job)
        fail_all(fleet, [first, second])
    assert is_open(fleet) == opens


def earlier_and_later(fleet, earlier, later):
    """Calls that were sent before the link died, and calls that were sent after it."""
    before = running(fleet, *"uvw" * (earlier // 3))
    for job in before:
        fleet.redis.hincrby(KEYS.job(job.id), "sent", -100)
    return before, running(fleet, *"uvuvu"[:later])


def test_answers_of_calls_sent_earlier_do_not_hide_that_a_link_dies(hand_run):
    """Five failures are enough, though three calls of before end among them."""
    fleet = hand_run(slots=20)
    before, after = earlier_and_later(fleet, 3, 5)
    for number, job in enumerate(after):
        assert not is_open(fleet)
        fail_all(fleet, [job])
        if number < len(before):
            fleet.answer(before[number])
    assert is_open(fleet)


def test_failures_that_are_known_before_the_answers_are_no_row(hand_run):
    """Five of thirty calls fail at once; the others take longer."""
    fleet = hand_run(slots=40)
    before, after = earlier_and_later(fleet, 3, 5)
    pending = running(fleet, *"uv" * 11)
    fail_all(fleet, after[:1])
    fleet.answer(before[0])
    fail_all(fleet, after[1:])
    assert not is_open(fleet)
    for job in pending:
        fleet.answer(job)
    assert not is_open(fleet)


def test_single_failures_among_answers_change_nothing(hand_run):
    fleet = hand_run(slots=30)
    for _ in range(10):
        fail_all(fleet, running(fleet, "u"))
        for job in running(fleet, "v", "u", "v"):
            fleet.answer(job)
    assert not is_open(fleet)


def test_nothing_is_kept_of_a_link_that_answers(hand_run):
    """The judgement costs a healthy call nothing; nor does a failure that says nothing."""
    fleet = hand_run(slots=4)
    for job in running(fleet, "u", "v"):
        fleet.answer(job)
    fail_all(fleet, running(fleet, "u", "v", "u", "v", "u", "v"), says="")
    stored = fleet.redis.hgetall(KEYS.pace(LINK))
    assert not {"circuit", "trouble", "probe"} & set(stored)


def test_a_refused_key_opens_at_once_a_refused_model_after_a_second_job(hand_run):
    fleet = hand_run(slots=8)
    fail_all(fleet, running(fleet, "u"), says="doubts")
    assert not is_open(fleet)
    fail_all(fleet, running(fleet, "v"), says="doubts")
    assert is_open(fleet)
    fleet = hand_run(slots=8)
    fail_all(fleet, running(fleet, "u"), says="refuses")
    assert is_open(fleet)
