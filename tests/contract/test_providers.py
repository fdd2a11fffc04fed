"""One suite over every adapter and a real socket: every wire event means what docs/providers.md says, in exactly one call."""

import pickle
import socket
import threading

import pytest
from contract.conftest import MODELS

from worker.faults import Fault, ProviderError
from worker.loop import Stopped

COMMON = [
    ("400", Fault.BAD_REQUEST, False, None),
    ("context", Fault.TOO_LONG, False, None),
    ("401", Fault.MISCONFIGURED, False, None),
    ("402", Fault.QUOTA_EXHAUSTED, False, None),
    ("403", Fault.MISCONFIGURED, False, None),
    ("404", Fault.MISCONFIGURED, False, None),
    ("408", Fault.TIMEOUT, True, None),
    ("409", Fault.UNAVAILABLE, False, None),
    ("413", Fault.TOO_LONG, False, None),
    ("422", Fault.BAD_REQUEST, False, None),
    ("429;ra=2", Fault.RATE_LIMITED, False, 2.0),
    ("429;ra_ms=1500", Fault.RATE_LIMITED, False, 1.5),
    ("429", Fault.RATE_LIMITED, False, None),
    ("quota", Fault.QUOTA_EXHAUSTED, False, None),
    ("500", Fault.UNAVAILABLE, False, None),
    ("502", Fault.UNAVAILABLE, False, None),
    ("504", Fault.TIMEOUT, True, None),
    ("529", Fault.OVERLOADED, False, None),
    ("html", Fault.UNAVAILABLE, False, None),
    ("html;status=403", Fault.UNAVAILABLE, False, None),
    ("html;status=401", Fault.BAD_RESPONSE, True, None),
    ("html;status=200", Fault.BAD_RESPONSE, True, None),
    ("reset", Fault.UNAVAILABLE, True, None),
    ("close", Fault.UNAVAILABLE, True, None),
    ("truncated", Fault.UNAVAILABLE, True, None),
    ("malformed", Fault.BAD_RESPONSE, True, None),
    ("emptybody", Fault.BAD_RESPONSE, True, None),
    ("null", Fault.BAD_RESPONSE, True, None),
    ("badschema", Fault.BAD_RESPONSE, True, None),
    ("empty", Fault.BAD_RESPONSE, True, None),
    ("unknown_finish", Fault.BAD_RESPONSE, True, None),
]
OWN = {
    "openai": [
        ("policy", Fault.CONTENT_FILTERED, False, None),
        ("503", Fault.OVERLOADED, False, None),
        ("503;code=other", Fault.UNAVAILABLE, False, None),
        ("refused;param=temperature", Fault.STALE, False, None),
        ("refused;param=tools[0].function", Fault.UNSUPPORTED, False, None),
    ],
    "gemini": [
        ("503", Fault.OVERLOADED, False, None),
        ("badkey", Fault.MISCONFIGURED, False, None),
        ("location", Fault.MISCONFIGURED, False, None),
        ("disabled", Fault.MISCONFIGURED, False, None),
        ("language", Fault.BAD_RESPONSE, True, None),
        ("429;retry_info=53", Fault.RATE_LIMITED, False, 54.0),
    ],
    "anthropic": [
        ("policy", Fault.CONTENT_FILTERED, False, None),
        ("503", Fault.UNAVAILABLE, False, None),
        ("credit", Fault.QUOTA_EXHAUSTED, False, None),
        ("429;code=ramp_limit_exceeded", Fault.RATE_LIMITED, False, None),
        ("pause", Fault.BAD_RESPONSE, True, None),
        ("refused", Fault.STALE, False, None),
    ],
}
ROWS = [(adapter, *row) for adapter, own in OWN.items() for row in COMMON + own]


@pytest.fixture(params=MODELS)
def adapter(request):
    return request.param


@pytest.mark.filterwarnings("ignore:NOVEL is not a valid FinishReason")  # google-genai says so, and goes on
@pytest.mark.parametrize(
    ("adapter", "event", "fault", "maybe_billed", "retry_after_s"), ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS]
)
def test_every_wire_event_is_classified(wire, ask, secrets, event, fault, maybe_billed, retry_after_s):
    """Fault, doubt and delay as the reference says, in one wire call; the error is plain, picklable and holds no secret."""
    wire.script = lambda request, number: event
    with pytest.raises(ProviderError) as caught:
        ask(wire.base_url)
    error = caught.value
    assert (error.fault, error.maybe_billed, error.retry_after_s) == (fault, maybe_billed, retry_after_s)
    assert len(wire.calls) == 1
    assert error.__cause__ is None
    shown = str(error) + repr(error) + repr(error.args) + str(pickle.dumps(error))
    assert secrets.key not in shown
    assert "secret" not in shown
    assert pickle.loads(pickle.dumps(error)).args == error.args


def test_a_retry_after_date_counts_from_now(wire, ask):
    """The header's other form, an HTTP date."""
    wire.script = lambda request, number: "429;ra=30;ra_date=1"
    with pytest.raises(ProviderError) as caught:
        ask(wire.base_url)
    assert 0 < caught.value.retry_after_s <= 30


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
    """A silent, a stalled and a trickling answer all end at the deadline, and the socket is closed with them."""
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
    """A refusal must not pass as an answer; Anthropic knows no content filter, Gemini no refusal."""
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
    assert (reply.tool_calls[0].id, reply.tool_calls[0].function.name) == ("call_1", "f")
    assert reply.tool_calls[0].function.arguments == '{"x": 1}'


def test_a_conversation_of_every_kind_of_turn_is_taken(wire, ask):
    """In one call, answered like any other."""
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}, {"type": "text", "text": " "}]},
        {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "user", "content": ""},
        {"role": "assistant", "content": "It"},
    ]
    assert ask(wire.base_url, messages=turns, stop="END").text == "A wired answer, always the same."
    assert len(wire.calls) == 1
    assert wire.calls[0].job_id == "job-1"
