"""One suite over every adapter and a real socket.

Every wire event means what docs/providers.md says, in exactly one call.
"""

import json
import pickle
import socket
import threading
from pathlib import Path

import pytest

from worker.faults import Fault, ProviderError
from worker.loop import Stopped
from worker.rate_limit_headers import NOT_STATED, RateLimits

REFUSALS = json.loads((Path(__file__).parents[1] / "unit/worker/refusals.json").read_text())


def test_every_wire_event_is_classified(wire, ask, secrets, row):
    """Fault, doubt and delay as documented, in one call; the error pickles and holds no secret."""
    wire.script = lambda request, number: row.event
    with pytest.raises(ProviderError) as caught:
        ask(wire.base_url)
    error = caught.value
    if error.parameter == "stream":
        pytest.skip("asked again as a whole: test_gemini.py")
    assert (error.fault, error.maybe_billed, error.retry_after_s) == row[1:]
    assert len(wire.calls) == 1
    assert error.__cause__ is None
    shown = str(error) + repr(error) + repr(error.args) + str(pickle.dumps(error))
    assert secrets.key not in shown
    assert "secret" not in shown
    assert pickle.loads(pickle.dumps(error)).args == error.args


def test_a_refusal_in_any_vendor_s_words_is_understood(wire, ask, adapter):
    """Whichever adapter meets it: gateways put one vendor's words behind another's API."""
    if adapter == "gemini-legacy":
        pytest.skip("the old SDK keeps only Google's form of an error")
    rows = REFUSALS if adapter == "openai" else REFUSALS[::3]
    for row in rows:
        wire.script = lambda request, number, row=row: f"ok;status={row['status']}"
        wire.body = row["body"] if isinstance(row["body"], str) else json.dumps(row["body"])
        with pytest.raises(ProviderError) as caught:
            ask(wire.base_url)
        error = caught.value
        told = (error.fault, error.about, error.maybe_billed, error.status)
        assert told == (row["fault"], row["about"], False, row["status"]), row


def test_a_retry_after_date_counts_from_now(wire, ask):
    """The header's other form, an HTTP date."""
    wire.script = lambda request, number: "429;ra=30;ra_date=1"
    with pytest.raises(ProviderError) as caught:
        ask(wire.base_url)
    assert 0 < caught.value.retry_after_s <= 30


@pytest.mark.parametrize("event", ["ok", "429"])
def test_stated_rate_limits_arrive(wire, ask, adapter, event):
    """With an answer and with a refusal; Google states none, but a gateway may."""
    wire.script = lambda request, number: event
    name = (
        "anthropic-ratelimit-requests-limit"
        if adapter == "anthropic"
        else "x-ratelimit-limit-requests"
    )
    wire.headers = {name: "600"}
    expected = RateLimits(requests=600)
    if adapter == "gemini-legacy":
        expected = NOT_STATED
    try:
        stated = ask(wire.base_url).rate_limits
    except ProviderError as refused:
        stated = refused.rate_limits
    assert stated == expected


def test_an_unusable_base_url_is_a_misconfiguration(ask):
    """For every job, not this one; nothing was sent."""
    with pytest.raises(ProviderError) as caught:
        ask("ftp://127.0.0.1/v1")
    assert (caught.value.fault, caught.value.maybe_billed) == (Fault.MISCONFIGURED, False)


def test_a_refused_connection_is_not_billed(ask):
    """Nothing was sent."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        with pytest.raises(ProviderError) as caught:
            ask(url)
    assert (caught.value.fault, caught.value.maybe_billed) == (Fault.UNAVAILABLE, False)


@pytest.mark.parametrize("event", ["hang", "hang_headers", "drip;gap=0.05"])
def test_the_total_deadline_holds(wire, ask, event):
    """Silent, stalled and trickling answers end at the deadline, and so does their socket."""
    wire.script = lambda request, number: event
    with pytest.raises(TimeoutError):
        ask(wire.base_url, timeout_s=1.0)
    wire.wait_for(lambda calls: calls[0].ended)


def test_no_temperature_is_sent_where_none_is_taken(wire, ask):
    """Because the data says so, or because the model has refused it."""
    ask(wire.base_url, temperature=None)
    ask(wire.base_url, temperature=0.5, refused={"temperature"})
    assert ["temperature" in str(call.request) for call in wire.calls] == [False, False]


def test_a_call_can_be_stopped_from_another_thread(wire, ask, loop):
    """Cancelling a job closes its socket."""
    wire.script = lambda request, number: "hang"
    stopper = threading.Thread(target=lambda: (wire.wait_for(len), loop.cancel("job-1")))
    stopper.start()
    with pytest.raises(Stopped):
        ask(wire.base_url)
    stopper.join()
    wire.wait_for(lambda calls: calls[0].ended)


@pytest.mark.parametrize(
    ("event", "finishes"),
    [
        ("ok", {"stop"}),
        ("length", {"length"}),
        ("filter", {"content_filter", "refusal"}),
        ("refusal", {"content_filter", "refusal"}),
    ],
)
def test_finish_reasons_are_normalised(wire, ask, event, finishes):
    """A refusal is no answer. Anthropic has no content filter, Gemini no refusal."""
    wire.script = lambda request, number: event
    assert ask(wire.base_url).finish in finishes


def test_usage_is_normalised(wire, ask):
    """Cached and reasoning tokens are parts of input and output."""
    wire.script = lambda request, number: "ok;in=100;out=40;cached=60;reasoning=30"
    usage = ask(wire.base_url).usage
    assert (usage.input, usage.output, usage.cached, usage.reasoning) == (100, 40, 60, 30)
    wire.script = lambda request, number: "nousage"
    assert ask(wire.base_url).usage is None


def test_tool_calls_come_back(wire, ask):
    """The arguments stay the JSON text that the model wrote."""
    wire.script = lambda request, number: "tool_calls"
    reply = ask(wire.base_url)
    assert reply.finish == "tool_calls"
    assert reply.tool_calls[0].function.name == "f"
    assert reply.tool_calls[0].function.arguments == '{"x": 1}'


def test_a_conversation_of_every_kind_of_turn_is_taken(wire, ask):
    """In one call, answered like any other."""
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "assistant", "content": "It"},
    ]
    assert ask(wire.base_url, messages=turns, stop="END").text == "A wired answer, always the same."
    assert len(wire.calls) == 1
    assert wire.calls[0].job_id == "job-1"
