"""What a refusal means, whatever its body and its headers hold."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.faults import Fault, ProviderError
from worker.providers.gemini_answers import response_error
from worker.providers.statuses import error_in_answer, refuse_no_answer, status_error
from worker.rate_limit_headers import LARGEST, LONGEST_WAIT_S, RateLimits, seconds, wait_s

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["error", "code", "type", "details", "choices"]), inner)
        | st.dictionaries(st.text(), inner)
    ),
    max_leaves=12,
)
NAMES = [
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset",
    "anthropic-ratelimit-input-tokens-limit",
    "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
]
HOSTILE = ["inf", "-inf", "nan", "-5", "1e400", "9" * 320, "9" * 5_000, "60s", "20, 20", "٣", ""]
HEADERS = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from(HOSTILE) | st.text() | st.floats().map(str)
)


def is_bounded(wait: float | None) -> bool:
    return wait is None or (math.isfinite(wait) and 0 <= wait <= LONGEST_WAIT_S)


@given(status=st.integers(300, 599), body=JSON, headers=HEADERS)
def test_every_refusal_is_an_error_of_the_closed_list(status, body, headers):
    """Only a gateway that gave up waiting may have let the provider work."""
    for error in (status_error(status, body, headers), response_error(status, body, headers)):
        assert error.fault in Fault
        assert error.maybe_billed == (status in (504, 524))
        assert is_bounded(error.retry_after_s)
        assert all(-1 <= number <= LARGEST * 2 for number in error.rate_limits)


@given(body=JSON, content=st.binary())
def test_no_body_of_a_200_raises_anything_else(body, content):
    error = error_in_answer(body, {})
    assert error is None or error.fault in Fault
    with suppress(ProviderError):
        refuse_no_answer(content, {})


@given(headers=HEADERS)
def test_headers_give_bounded_numbers(headers):
    assert is_bounded(wait_s(headers, refused=True))
    assert all(-1 <= number <= LARGEST * 2 for number in RateLimits.from_headers(headers))


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("20", 20),
        ("60s", 60),
        ("20, 20", 20),
        ("6m0s", 360),
        ("12ms", 0.012),
        ("1h30m", 5400),
        ("2 minutes", 120),
        ("-5", 0),
        ("999999", LONGEST_WAIT_S),
        ("Wed, 21 Oct 2015 07:28:00", 0),
        ("1445412480", 0),
        ("1445412480000", 0),
        ("inf", None),
        ("9" * 320, None),
        ("soon", None),
    ],
)
def test_a_wait_is_read_in_every_form(text, wait):
    assert seconds(text) == wait


def test_a_refusal_waits_until_the_limit_with_the_least_left_is_there_again():
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "50",
        "x-ratelimit-reset-requests": "5s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "70s",
    }
    assert status_error(429, {}, headers).retry_after_s == 70
    assert status_error(500, {}, headers).retry_after_s is None


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"error": {"message": "no credit", "code": 402}}, Fault.QUOTA_EXHAUSTED),
        ({"error": {"message": "slow down", "code": "429"}}, Fault.RATE_LIMITED),
        ({"error": "it broke"}, Fault.UNAVAILABLE),
        ({"type": "error", "error": {"type": "overloaded_error"}}, Fault.OVERLOADED),
        ([{"error": {"code": 503, "status": "UNAVAILABLE"}}], Fault.OVERLOADED),
        ({"choices": [{"error": {"code": 502}}]}, Fault.UNAVAILABLE),
    ],
)
def test_an_error_in_a_200_means_what_it_says(body, fault):
    error = error_in_answer(body, {})
    assert error
    assert (error.fault, error.maybe_billed) == (fault, "choices" in body)
    assert error_in_answer({"error": None, "choices": [{"message": {}}]}, {}) is None


@pytest.mark.parametrize(
    ("status", "body", "parameter"),
    [
        (400, {"error": {"code": "unsupported_value", "param": "stream"}}, "stream"),
        (
            400,
            {"error": {"code": "unknown_parameter", "param": "stream_options"}},
            "stream_options",
        ),
        (
            400,
            {"error": "property 'stream_options' is unsupported, did you mean 'stream'?"},
            "stream_options",
        ),
        (
            422,
            {
                "message": {
                    "detail": [
                        {
                            "type": "extra_forbidden",
                            "loc": ["body", "stream_options", "include_usage"],
                            "msg": "Extra inputs are not permitted",
                        }
                    ]
                }
            },
            "stream_options",
        ),
        (400, {"error": ["Error in `stream`: `stream` is not supported for this model"]}, "stream"),
        (400, {"message": "The model is unsupported for streaming"}, "stream"),
        (
            400,
            {"message": "Streaming completion is not support yet, please remove 'stream'"},
            "stream",
        ),
        (400, {"error": {"message": "Streaming is not supported"}}, "stream"),
        (501, {"error": {"message": "stream is not supported."}}, "stream"),
    ],
)
def test_a_server_that_cannot_stream_says_so(status, body, parameter):
    """Then it is asked without, at no cost."""
    error = status_error(status, body, {})
    assert (error.fault, error.parameter, error.maybe_billed) == (Fault.STALE, parameter, False)
