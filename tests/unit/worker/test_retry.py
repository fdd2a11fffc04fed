"""The retry decision is a pure table: these say what each failure must mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.contract.errors import (
    DeadlineExceeded,
    InvalidRequest,
    ProvidersExhausted,
    Refused,
    TooLong,
)
from producer.contract.history import PastAttempt
from worker.faults import Deferred, Fault, Outage, ProviderError
from worker.retry import GiveUp, History, RetryAfter, decide
from worker.settings import RetrySettings

POLICY = RetrySettings(max_attempts=4, backoff_s=2, backoff_max_s=5, cooldown_s=10)


def history(tried=(), **changes):
    """`tried`: pairs of link and fault."""
    fields = {"link": "a:x", "attempts": 1, "links": 2, "remaining_s": 100.0}
    past = tuple(PastAttempt(*each) for each in tried)
    return History(tried=past, **(fields | changes))


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault.BAD_REQUEST, InvalidRequest), (Fault.CONTENT_FILTERED, Refused)],
)
def test_what_repeating_cannot_mend_ends_the_job(fault, error):
    """A bad or blocked request fails when no other link may take it."""
    decision = decide(ProviderError(fault, "no"), history(links=1), POLICY, 0.5)
    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, error)


@pytest.mark.parametrize(
    "fault", [Fault.RATE_LIMITED, Fault.OVERLOADED, Fault.UNAVAILABLE, Fault.TIMEOUT]
)
def test_an_untried_link_is_used_at_once(fault):
    """Rotation costs no wait; whether the failing link is left alone is for its circuit to say."""
    assert decide(ProviderError(fault, "x"), history(), POLICY, 0.9) == RetryAfter(0.0)


def test_what_one_model_refuses_another_may_take():
    """And if none is left, the error names it."""
    refused = ProviderError(Fault.UNSUPPORTED, "HTTP 400", parameter="response_format")
    assert decide(refused, history(), POLICY, 0) == RetryAfter(0.0)
    decision = decide(refused, history(tried=(("b:y", "unsupported"),)), POLICY, 0)
    assert isinstance(decision.error, InvalidRequest)
    assert "response_format" in str(decision.error)


def test_a_400_goes_to_another_link_once():
    """A schema keyword, or a stop of white space, may be one vendor's; a wrong request is all's."""
    wrong = ProviderError(Fault.BAD_REQUEST, "HTTP 400", status=400, code="invalid_value")
    assert decide(wrong, history(links=3), POLICY, 0) == RetryAfter(0.0)
    second = decide(wrong, history(links=3, tried=(("b:y", "bad_request"),)), POLICY, 0)
    assert isinstance(second.error, InvalidRequest)
    assert [each["link"] for each in second.error.details["attempts"]] == ["b:y", "a:x"]
    assert second.error.details["attempts"][1]["code"] == "invalid_value"


def test_a_blocked_prompt_goes_to_another_link_if_that_was_asked_for():
    blocked = ProviderError(Fault.CONTENT_FILTERED, "HTTP 400")
    assert isinstance(decide(blocked, history(), POLICY, 0).error, Refused)
    assert decide(blocked, history(next_on_refusal=True), POLICY, 0) == RetryAfter(0.0)
    last = history(next_on_refusal=True, tried=(("b:y", "content_filtered"),))
    assert isinstance(decide(blocked, last, POLICY, 0).error, Refused)


def test_a_parameter_that_is_left_out_costs_no_wait_and_no_try():
    """Also at a lone link and at the last attempt: nothing was paid, and the next try differs."""
    refused = ProviderError(Fault.STALE, "x", parameter="store")
    assert decide(refused, history(links=1, attempts=4), POLICY, 0.9) == RetryAfter(0.0)


def test_equal_failures_are_told_once_and_the_last_with_its_fix():
    failure = ProviderError(
        Fault.MISCONFIGURED,
        "refused its key: HTTP 401 invalid_api_key; set OPENAI_API_KEY",
        status=401,
        code="invalid_api_key",
        about="key",
        goes_on=True,
    )
    tried = (("a:x", "misconfigured", 401, "invalid_api_key"),) * 3
    error = decide(failure, history(links=1, attempts=4, tried=tried), POLICY, 0).error
    assert str(error) == (
        "no provider answered in 4 attempts: a:x misconfigured (HTTP 401 invalid_api_key) 4 times. "
        "a:x refused its key: HTTP 401 invalid_api_key; set OPENAI_API_KEY"
    )


def test_stale_data_costs_a_try():
    """The link itself is well."""
    assert decide(
        ProviderError(Fault.STALE, "x", parameter="temperature"), history(), POLICY, 0
    ) == RetryAfter(0.0)


def test_a_lone_link_backs_off():
    """What its provider asks to wait is kept by its circuit."""
    failure = ProviderError(Fault.UNAVAILABLE, "x", retry_after_s=70)
    assert decide(failure, history(links=1), POLICY, 0.5) == RetryAfter(1.0)


OUTAGE = Outage("a:x: HTTP 500 since 00:01:12, next try in 8 s", 8, "links:a:x", told=False)


def test_an_outage_is_waited_out_at_no_cost():
    """However many attempts were made, and as long as there is time for a call."""
    decision = decide(OUTAGE, history(attempts=99), POLICY, 0)
    assert decision == RetryAfter(99.0, wakes_on="links:a:x")


def test_an_outage_that_outlasts_the_job_ends_it_with_the_reason():
    decision = decide(OUTAGE, history(remaining_s=8.9), POLICY, 0)
    assert isinstance(decision.error, DeadlineExceeded)
    assert "HTTP 500 since 00:01:12" in str(decision.error)


def test_after_a_probe_in_vain_a_job_waits_for_the_link_at_once():
    """No backoff: it must be among those that wait when the link is back. Or it ends, if asked."""
    failure = ProviderError(Fault.UNAVAILABLE, "x", status=500)
    probed = history(links=1, probed=True)
    assert decide(failure, probed, POLICY, 0.9) == RetryAfter(0.0)
    unwilling = history(links=1, probed=True, on_outage="fail")
    assert isinstance(decide(failure, unwilling, POLICY, 0.9).error, ProvidersExhausted)


def test_who_prefers_it_is_told_of_an_outage_at_once():
    """But a wait that the provider asked for is none."""
    decision = decide(OUTAGE, history(on_outage="fail"), POLICY, 0)
    assert isinstance(decision.error, ProvidersExhausted)
    assert "HTTP 500 since 00:01:12" in str(decision.error)
    told = Outage("a:x: HTTP 429 since 00:00:01, next try in 2 s", 2, "links:a:x", told=True)
    assert isinstance(decide(told, history(on_outage="fail"), POLICY, 0), RetryAfter)


def test_backoff_doubles_per_round_up_to_the_maximum():
    """Rounds 1, 2, 3 of one link wait at most 2, 4, 5 seconds."""
    waits = []
    for failures in range(3):
        tried = (("a:x", "timeout"),) * failures
        decision = decide(
            ProviderError(Fault.TIMEOUT, "x"), history(links=1, tried=tried), POLICY, 1.0
        )
        waits.append(decision.after_s)
    assert waits == [2, 4, 5]


def test_the_last_attempt_lists_them_all():
    """ProvidersExhausted names every link and fault, in order."""
    tried = (("a:x", "timeout"), ("b:y", "overloaded"), ("a:x", "timeout"))
    decision = decide(
        ProviderError(Fault.UNAVAILABLE, "x"),
        history(link="b:y", attempts=4, tried=tried),
        POLICY,
        0,
    )
    assert isinstance(decision.error, ProvidersExhausted)
    assert [each["fault"] for each in decision.error.attempts] == [
        "timeout",
        "overloaded",
        "timeout",
        "unavailable",
    ]


def test_no_attempt_is_planned_that_cannot_finish_before_the_deadline():
    """A wait that leaves no time for a call is no wait but the end."""
    failure = ProviderError(Fault.RATE_LIMITED, "x")
    decision = decide(failure, history(links=1, remaining_s=2.5), POLICY, 0.9)
    assert isinstance(decision, GiveUp)
    assert isinstance(
        decide(Deferred("held", 31), history(remaining_s=30), POLICY, 0).error, DeadlineExceeded
    )


def test_the_worker_s_own_time_limit_ends_a_job_that_was_called_once():
    """Whatever tries and links are left; a failure of the link itself is what it is."""
    ended = history(links=2, ended_by_s=2.0)
    decision = decide(ProviderError(Fault.TIMEOUT, "no answer"), ended, POLICY, 0.5)
    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, DeadlineExceeded)
    assert "time limit of 2 s" in str(decision.error)
    assert decision.error.details["limit_s"] == 2.0
    assert isinstance(decide(ProviderError(Fault.UNAVAILABLE, "x"), ended, POLICY, 0.5), RetryAfter)


def test_too_long_goes_to_a_link_not_yet_tried_else_ends():
    """Another model may have a larger window; when none is left the job ends so."""
    failure = ProviderError(Fault.TOO_LONG, "x")
    assert isinstance(decide(failure, history(), POLICY, 0), RetryAfter)
    last = decide(failure, history(link="b:y", tried=(("a:x", "too_long"),), attempts=2), POLICY, 0)
    assert isinstance(last.error, TooLong)


@given(
    fault=st.sampled_from(Fault),
    links=st.integers(1, 5),
    failures=st.integers(0, 10),
    remaining=st.floats(0, 1000),
    jitter=st.floats(0, 1, exclude_max=True),
    asked=st.none() | st.floats(0, 600),
)
def test_every_failure_has_a_decision_that_respects_the_deadline(
    fault, links, failures, remaining, jitter, asked
):
    """The table is total, and no wait it gives passes the deadline."""
    tried = (("a:x", "timeout"),) * failures
    case = history(links=links, tried=tried, attempts=failures + 1, remaining_s=remaining)
    decision = decide(ProviderError(fault, "x", retry_after_s=asked), case, POLICY, jitter)
    if isinstance(decision, RetryAfter):
        assert decision.after_s <= remaining
        assert failures + 1 < POLICY.max_attempts or fault is Fault.STALE


@pytest.mark.parametrize("wakes_on", ["flight:f", "budget:b"])
def test_a_wait_that_something_ends_sooner_is_no_longer_than_the_job_has(wakes_on):
    """An identical job, or held money: a deadline of five seconds is no reason not to wait."""
    wait = Deferred("held", 30, wakes_on)
    decision = decide(wait, history(remaining_s=5), POLICY, 0)
    assert (decision.after_s, decision.wakes_on) == (5, wakes_on)
    assert isinstance(decide(wait, history(remaining_s=0.5), POLICY, 0), GiveUp)
