"""What servers say when they refuse, in the forms of sixteen vendors, and what each is to us."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.faults import Fault
from worker.providers.error_bodies import MOST_CHARACTERS, error_body, name_of
from worker.providers.refusals import BILLS, ROWS, STATUSES, meaning_of
from worker.providers.statuses import MAYBE_BILLED, VERDICTS, status_error

MONEY, STALE, UNSUPPORTED = Fault.QUOTA_EXHAUSTED, Fault.STALE, Fault.UNSUPPORTED
SPEAKS_OF_THE_REQUEST = {"window", "too_large", "unsupported", "flagged", "rate"}


def openai(message, code=None, type_="invalid_request_error", param=None):
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def vllm(message, code=400, type_="BadRequestError"):
    return {"object": "error", "message": message, "type": type_, "param": None, "code": code}


def anthropic(message, type_="invalid_request_error"):
    return {"type": "error", "error": {"type": type_, "message": message}, "request_id": "req_1"}


def google(message, code=400, status="INVALID_ARGUMENT", details=()):
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return {"error": error}


def extra(*names):
    return [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
        for name in names
    ]


SEEN = json.loads(Path(__file__).with_name("refusals.json").read_text())
"""Bodies in the forms that the table's sources show; a text is one that is no JSON."""


@pytest.mark.parametrize("row", SEEN, ids=lambda row: f"{row['status']}-{row['about']}")
@pytest.mark.parametrize("sent", ["object", "bytes"])
def test_what_is_seen_in_the_world_is_understood(row, sent):
    body = row["body"]
    if isinstance(body, str):
        body = body.encode()
    elif sent == "bytes":
        body = json.dumps(body).encode()
    error = status_error(row["status"], body, {})
    assert (error.fault, error.about) == (row["fault"], row["about"])
    assert not error.maybe_billed


@pytest.mark.parametrize(
    ("status", "body", "fault", "parameter"),
    [
        (400, openai("No.", "unsupported_parameter", param="max_tokens"), STALE, "max_tokens"),
        (
            400,
            openai("Unsupported parameter: 'max_tokens' is not supported with this model."),
            STALE,
            "max_tokens",
        ),
        (400, openai("No.", "unsupported_value", param="tools[0].type"), UNSUPPORTED, None),
        (
            400,
            openai("Unrecognized request argument supplied: parallel_tool_calls"),
            STALE,
            "parallel_tool_calls",
        ),
        (422, {"detail": extra("store", "max_completion_tokens")}, STALE, "store"),
        (
            422,
            {"object": "error", "message": {"detail": extra("max_completion_tokens")}},
            STALE,
            "max_completion_tokens",
        ),
        (400, vllm(str(extra("max_completion_tokens"))), STALE, "max_completion_tokens"),
        (
            400,
            {"code": "a b", "error": "Argument not supported on this model: top_k"},
            UNSUPPORTED,
            "top_k",
        ),
        (
            400,
            {"code": "a b", "error": "Model grok-9 does not support parameter maxTokens."},
            STALE,
            "max_tokens",
        ),
        (400, openai("property 'store' is unsupported, did you mean 'stop'?"), STALE, "store"),
        (
            400,
            [google('Invalid JSON payload received. Unknown name "store": Cannot find field.')],
            STALE,
            "store",
        ),
        (
            400,
            google("Invalid JSON payload received. Unknown name \"const\" at 'tools[0]': Cannot"),
            UNSUPPORTED,
            "const",
        ),
        (
            400,
            {"message": "Malformed input request: #: extraneous key [top_k] is not permitted"},
            UNSUPPORTED,
            "top_k",
        ),
        (400, anthropic("`temperature` is deprecated for this model."), STALE, "temperature"),
    ],
)
def test_a_refused_parameter_is_named(status, body, fault, parameter):
    """`STALE` is made again without it; for any other, another link may take it."""
    error = status_error(status, body, {})
    assert (error.fault, error.about) == (fault, "request")
    assert error.parameter == (parameter or "tools[0].type")


def test_a_limit_until_a_date_is_believed_until_then():
    until = datetime.now(UTC) + timedelta(days=4)
    text = (
        "You have reached your specified API usage limits. You will regain access on "
        f"{until:%Y-%m-%d} at {until:%H:%M} UTC."
    )
    error = status_error(400, anthropic(text), {"retry-after": "5"})
    assert (error.fault, error.about) == (MONEY, "key")
    assert error.retry_after_s == pytest.approx(4 * 86_400, abs=120)
    far = status_error(400, anthropic(text.replace(str(until.year), "9999", 1)), {})
    assert far.retry_after_s == 31 * 86_400
    never = status_error(400, anthropic(text.replace(f"{until:%Y-%m-%d}", "soon")), {})
    assert (never.fault, never.retry_after_s) == (MONEY, None)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("Rate limit reached for model `m` on requests per minute. Please try again in 2.5s.", 2.5),
        (
            "Rate limit reached for m on tokens per min. Please try again in 9m38.016s. More?",
            578.016,
        ),
        ("Quota exceeded for metric: x, limit: 20\nPlease retry in 37.5s.", 37.5),
        ("Rate limit reached for m. Please try again in a while.", None),
        ("Rate limit is exceeded. Try again in 30 seconds.", 30),
    ],
)
def test_a_wait_that_only_the_words_tell_is_believed(text, wait):
    error = status_error(429, openai(text, "rate_limit_exceeded"), {})
    assert (error.fault, error.retry_after_s) == (Fault.RATE_LIMITED, wait)


def test_every_row_can_be_met_and_names_its_source():
    """No row is hidden by one before it that means something else."""
    for meaning, rows in ROWS.items():
        assert meaning in VERDICTS
        for row in rows:
            assert bool(row.code) != bool(row.words), row
            assert "//" not in row.source, row
            words = row.words.replace("$", "").replace("*", "so").replace("{}", "x")
            for hole in ("{parameter}", "{wait}", "{until}"):
                words = words.replace(hole, "x")
            body = {"error": {"code": row.code or None, "message": words or "x"}}
            found = meaning_of(next(iter(row.status), 400), error_body(body))
            assert found, row
            assert found.meaning == meaning, row
    assert set(VERDICTS) == set(ROWS)
    assert {504, 524} == MAYBE_BILLED
    assert not any(set(row.status) & MAYBE_BILLED for row in BILLS if row.billed == "no")
    assert all(400 <= status < 600 for status in STATUSES.values())


def test_only_what_speaks_of_one_request_may_stand_anywhere_in_a_message():
    """A server may repeat the prompt; nobody's words close a link or its key for others."""
    for meaning, rows in ROWS.items():
        for row in rows:
            if row.words.startswith("*"):
                assert meaning in SPEAKS_OF_THE_REQUEST, row
    said = "bad input: 'Your credit balance is too low', 'Incorrect API key provided'"
    error = status_error(400, openai(said), {})
    assert (error.fault, error.about) == (Fault.BAD_REQUEST, "request")


@pytest.mark.parametrize(
    "text",
    ["so " * 50_000, "* " * 50_000, "x" * 1_000_000, '"' * 1_000_000, "{parameter} " * 9_999],
)
def test_only_the_beginning_of_a_message_is_looked_at(text):
    """So a million hostile characters take no longer than two thousand."""
    body = error_body(openai(text))
    assert sum(map(len, body.words)) <= MOST_CHARACTERS
    assert status_error(400, openai(text), {}).fault is Fault.BAD_REQUEST


@given(st.text(max_size=80) | st.from_regex(r"[\w.\-\[\]]{1,70}"))
def test_only_names_are_kept(text):
    assert name_of(text) in ("", text)
    assert not set(name_of(text)) & set(" ,;=:\n\"'<>{}")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("invalid_api_key", True),
        ("not-found", True),
        ("messages[31].content[0].text", True),
        ("tools.0.custom.input_schema", True),
        ("a prompt of words", False),
        ("sk-proj-AbCdEf0123456789", False),
        ("AIzaSyA0123456789abcdefghijklmnopqrstu", False),
        ("x" * 65, False),
        (401, False),
    ],
)
def test_a_key_or_a_sentence_is_no_name(text, kept):
    assert name_of(text) == (text if kept else "")
