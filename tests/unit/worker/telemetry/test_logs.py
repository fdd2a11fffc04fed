"""Every line is one JSON object with the promised fields, and none of them holds a prompt."""

import io
import json
import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery.app.trace import LOG_RECEIVED, LOG_RETRY, LOG_SUCCESS

from producer.contract.requests import CompletionRequest
from worker.telemetry import logs
from worker.telemetry.records import CallRecord, trace_id

SECRET = "the-secret-prompt"
CALL = CallRecord(
    request_id="job-1",
    user_id="u1",
    lane="interactive",
    model="gpt-4o-mini",
    provider="openai",
    attempt=1,
    input_tokens=12,
    output_tokens=34,
    micro_usd=22,
    maybe_billed_micro_usd=0,
    latency_ms=560,
    finish_reason="stop",
    error=None,
    prompt_hash="ab12",
)
Lines = Callable[[], list[dict[str, Any]]]


def request(text: str = SECRET, **fields: Any) -> CompletionRequest:
    return CompletionRequest.checked(messages=[{"role": "user", "content": text}], **fields)


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_what_celery_says_as_ours_do_is_for_debugging(level: str, lines: Lines) -> None:
    stream = io.StringIO()
    logs.configure(level, stream)
    told = {"id": "job-1", "name": "complete", "runtime": 1.0, "return_value": "-", "exc": "later"}
    traced = logging.getLogger("celery.app.trace")
    logging.getLogger("celery.worker.strategy").info(LOG_RECEIVED, told)
    for text in (LOG_SUCCESS, LOG_RETRY):
        traced.info(text, told)
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    retried = "Task complete[job-1] retry: later"
    assert events[-1] == retried
    assert len(events) == (3 if level == "DEBUG" else 1)


def test_our_lines_and_libraries_lines_look_alike(lines: Lines) -> None:
    """One object per line with timestamp (UTC, ISO 8601), level, logger and event."""
    logs.get_logger("worker.tasks").info("job_parked", after_s=3)
    logging.getLogger("celery.worker").warning("connection %s", "lost\nand found")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("mind the gap", stacklevel=1)
    ours, celerys, warned = lines()
    assert {
        "level": "info",
        "logger": "worker.tasks",
        "event": "job_parked",
        "after_s": 3,
    }.items() <= ours.items()
    assert celerys["event"] == "connection lost\nand found"
    assert (celerys["level"], celerys["logger"]) == ("warning", "celery.worker")
    assert "mind the gap" in warned["event"]
    for line in (ours, celerys, warned):
        assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "name", ["openai._base_client", "httpx2", "httpcore2.http11", "aiohttp.client", "celery.pool"]
)
def test_talkative_loggers_are_held_at_warning(lines: Lines, name: str) -> None:
    """SDKs and the pool print requests at debug and info; DEBUG must not show prompts."""
    logger = logging.getLogger(name)
    logger.debug("Request options: %s", SECRET)
    logger.info(SECRET)
    logger.warning("retrying")
    assert [line["event"] for line in lines()] == ["retrying"]


def test_a_higher_level_holds_for_talkative_loggers_too(lines: Lines) -> None:
    """ERROR means ERROR, also for loggers that have a level of their own."""
    stream = io.StringIO()
    logs.configure("ERROR", stream)
    logging.getLogger("openai").warning("retrying")
    logs.get_logger("ours").warning("hm")
    assert stream.getvalue() == ""


def test_extras_of_libraries_are_left_out(lines: Lines) -> None:
    """Celery passes task arguments as `extra`."""
    logging.getLogger("celery.app.trace").info("done", extra={"data": {"args": SECRET}})
    assert SECRET not in json.dumps(lines())


def test_a_broken_line_is_replaced_by_one_that_names_its_logger(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    """A library's wrong format string must not put plain text among the JSON."""
    stream = io.StringIO()
    # In here, as pytest's own handler, added after the fixtures, raises.
    logs.configure("INFO", stream)
    logging.getLogger("theirs").warning("%d items", SECRET)
    assert json.loads(stream.getvalue()) == {
        "level": "error",
        "logger": "theirs",
        "event": "a line could not be logged",
    }
    assert capsys.readouterr().err == ""


def test_job_fields_are_on_every_line_until_unbound(lines: Lines) -> None:
    """A library's line during a job says which job."""
    logs.bind_job(job_id="job-1", lane="batch")
    logging.getLogger("kombu").info("during")
    logs.unbind_job()
    logging.getLogger("kombu").info("after")
    during, after = lines()
    assert (during["job_id"], during["lane"]) == ("job-1", "batch")
    assert "job_id" not in after


def test_a_call_is_one_line_with_exactly_these_fields(lines: Lines) -> None:
    """The line operators build on: names and units do not change silently."""
    logs.provider_call(CALL)
    (line,) = lines()
    del line["timestamp"]
    assert line == {
        "event": "provider_call",
        "level": "info",
        "logger": "worker.calls",
        "request_id": "job-1",
        "user_id": "u1",
        "lane": "interactive",
        "model": "gpt-4o-mini",
        "provider": "openai",
        "attempt": 1,
        "input_tokens": 12,
        "output_tokens": 34,
        "cost_usd": 0.000022,
        "maybe_billed_usd": 0,
        "latency_ms": 560,
        "finish_reason": "stop",
        "error": None,
        "prompt_hash": "ab12",
        "job_id": "job-1",
        "queue_ms": 0,
        "provider_request_id": None,
        "trace_id": None,
        "cached": False,
        "price_unknown": False,
        "cost_basis": "stated",
        "provider_cost_usd": None,
        "service_tier": "",
        "flags": [],
        "http_status": None,
        "error_code": None,
        "error_type": None,
        "error_param": None,
        "alert": None,
    }


def test_stale_model_data_alerts_and_says_what_to_do(lines: Lines) -> None:
    """Until the data is corrected, every new process pays one refused call."""
    logs.stale_model_data("openai:gpt-9", "temperature")
    (line,) = lines()
    assert (line["level"], line["link"], line["parameter"]) == (
        "warning",
        "openai:gpt-9",
        "temperature",
    )
    assert line["alert"].startswith("STALE_MODEL_DATA: openai:gpt-9 refuses temperature")
    assert "LLM_MODELS_FILE" in line["alert"]


def test_a_truncated_answer_alerts(lines: Lines) -> None:
    """finish_reason "length", and only that, sets the alert; it is a warning."""
    logs.provider_call(replace(CALL, finish_reason="length"))
    (line,) = lines()
    assert line["alert"] == "TRUNCATED_RESPONSE: increase max_tokens or shorten the prompt"
    assert line["level"] == "warning"


def test_a_failed_call_warns_and_tells_what_it_may_have_cost(lines: Lines) -> None:
    """No bill came, but money may be gone: the hold is named apart from the cost."""
    logs.provider_call(
        replace(
            CALL, error="timeout", micro_usd=0, maybe_billed_micro_usd=1_500, finish_reason=None
        )
    )
    (line,) = lines()
    assert (line["level"], line["error"], line["alert"]) == ("warning", "timeout", None)
    assert (line["cost_usd"], line["maybe_billed_usd"]) == (0, 0.0015)


@pytest.mark.parametrize("micro_usd", [0, 1, 3, 123_456, 10_000_007])
def test_costs_are_exact_to_the_micro_dollar(lines: Lines, micro_usd: int) -> None:
    """Dollars in the log, parsed as a JSON number, give back the integer that was booked."""
    logs.provider_call(replace(CALL, micro_usd=micro_usd))
    (line,) = lines()
    assert round(line["cost_usd"] * 1_000_000) == micro_usd
    assert line["cost_usd"] == round(line["cost_usd"], 6)


def test_telemetry_never_fails_a_job(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a call's line that cannot be made there is another one, and the job goes on."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(logs._calls, "handle", broken)
    logs.provider_call(CALL)
    (line,) = lines()
    assert (line["level"], line["event"]) == (
        "error",
        "provider_call could not be logged: RuntimeError",
    )


def test_the_hash_depends_on_messages_and_key_only() -> None:
    """Equal prompts are equal in any request; another text, order or key differs.

    The text is not in it.
    """
    digest = logs.prompt_hash(b"key", request())
    assert digest == logs.prompt_hash(
        b"key", request(temperature=0.5, max_tokens=7, model="gpt-4o")
    )
    assert digest != logs.prompt_hash(b"other", request())
    assert digest != logs.prompt_hash(b"key", request(SECRET + " "))
    assert SECRET not in digest


def test_the_hash_is_stable() -> None:
    """Hashes in old logs stay comparable: this value may not change without a note to operators."""
    expected = "8f8f3223414223f5d627cc499e47e364416d907517af694c99ca2f57aafe8165"
    assert logs.prompt_hash(b"key", request("Grüße 👋")) == expected


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, None),
        ({"trace_id": "t-1"}, "t-1"),
        ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
        ({"traceparent": "nonsense"}, None),
    ],
)
def test_a_trace_is_followed_into_the_log(metadata: dict[str, str], expected: str | None) -> None:
    """As the web app names it, or as W3C's header does."""
    assert trace_id(metadata) == expected
