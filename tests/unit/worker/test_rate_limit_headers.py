"""What headers state of a provider's rate limits."""

from datetime import UTC, datetime, timedelta

import pytest

from worker.rate_limit_headers import NOT_STATED, RateLimits

OPENAI = {
    "x-ratelimit-limit-requests": "600",
    "x-ratelimit-remaining-requests": "599",
    "x-ratelimit-reset-requests": "100ms",
    "x-ratelimit-limit-tokens": "100000",
    "x-ratelimit-remaining-tokens": "90000",
    "x-ratelimit-reset-tokens": "6s",
}
SOON = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
ANTHROPIC = {
    "Anthropic-Ratelimit-Requests-Limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": SOON,
    "anthropic-ratelimit-input-tokens-limit": "40000",
    "anthropic-ratelimit-input-tokens-remaining": "20000",
    "anthropic-ratelimit-output-tokens-limit": "8000",
    "anthropic-ratelimit-output-tokens-remaining": "2000",
}


@pytest.mark.parametrize(
    ("headers", "stated"),
    [
        ({}, NOT_STATED),
        (OPENAI, (600, 599, 100_000, 90_000)),
        (ANTHROPIC, (50, 49, 48_000, 12_000)),
        (
            {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0"},
            (60, 0, -1, -1),
        ),
        ({"x-ratelimit-limit-requests": "60\x1f"}, (60, -1, -1, -1)),
        ({"x-ratelimit-limit-requests": "many", "x-ratelimit-remaining-tokens": "-5"}, NOT_STATED),
    ],
)
def test_headers_are_read(headers, stated):
    assert RateLimits.from_headers(headers) == stated


@pytest.mark.parametrize("reset", ["8.64s", "1440m0s", "24h"])
def test_a_limit_per_day_is_none_per_minute(reset):
    """Its reset shows that: the part that is used comes back in that time."""
    left = "9999" if reset == "8.64s" else "0"
    headers = {
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-remaining-requests": left,
        "x-ratelimit-reset-requests": reset,
    }
    assert RateLimits.from_headers(headers) == (-1, int(left), -1, -1)


def test_limits_that_were_not_stated_are_empty_on_the_way_to_the_ledger():
    assert [str(NOT_STATED), str(RateLimits(600, 599))] == ["", "600,599,-1,-1"]


@pytest.mark.parametrize("value", ["9" * 5_000, "9" * 16, "٣" * 5_000])
def test_a_number_that_nobody_means_states_nothing(value):
    """The answer that came with it is paid for."""
    names = ("limit", "remaining", "reset")
    headers = {f"x-ratelimit-{name}-requests": value for name in names}
    assert RateLimits.from_headers(headers) == NOT_STATED


@pytest.mark.parametrize("reset", ["9" * 400, "9" * 400 + "h", "1.5s" * 100_000, "1" * 100_000])
def test_any_reset_is_read_in_bounded_time(reset):
    headers = {"x-ratelimit-remaining-requests": "5", "x-ratelimit-limit-requests": "10"}
    stated = RateLimits.from_headers(headers | {"x-ratelimit-reset-requests": reset})
    assert stated.requests_left == 5
