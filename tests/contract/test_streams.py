"""Answers that are read as streams: what silence is, what a cut one means, what falls back."""

import pytest

from worker.faults import Fault, ProviderError
from worker.providers import sending

SILENCE_S = 0.4


@pytest.fixture
def streamed(wire, ask, adapter):
    """The reply to, or the failure of, a call for a stream in which `event` happens."""

    if adapter == "gemini-legacy":
        pytest.skip("the old SDK reads whole answers")

    def streamed_(event, **options):
        wire.script = lambda request, number: event
        try:
            return ask(wire.base_url, **{"streams": True, "silence_s": SILENCE_S} | options)
        except ProviderError as error:
            return error

    return streamed_


@pytest.mark.parametrize("event", ["hang", "hang_headers", "drip;gap=0.05"])
def test_silence_ends_a_call(wire, streamed, event):
    """Before the head of the reply, in the middle of it, and a trickle that is no answer."""
    error = streamed(event)
    assert (error.fault, error.maybe_billed, error.about) == (Fault.TIMEOUT, True, "link")
    wire.wait_for(lambda calls: calls[0].ended)


def test_an_answer_that_lasts_longer_than_the_silence_is_read(streamed):
    reply = streamed("ok;gap=0.2;in=100;out=40", silence_s=2 * SILENCE_S)
    assert reply.text == "A wired answer, always the same."
    assert (reply.streamed, reply.finish) == (True, "stop")
    assert (reply.usage.input, reply.usage.output) == (100, 40)


def test_a_model_may_think_without_a_word_once_its_stream_has_begun(streamed):
    assert streamed("ok;first=0.8", thinks=True).text
    assert streamed("ok;first=0.8").fault is Fault.TIMEOUT
    assert streamed("hang", thinks=True).fault is Fault.TIMEOUT


def test_a_stream_that_ends_before_its_answer_is_no_answer(streamed):
    """Whichever way it ends; it may be billed."""
    for event in ("ok;cut=4", "truncated"):
        error = streamed(event)
        assert (error.fault, error.maybe_billed) == (Fault.UNAVAILABLE, True), event


def test_a_stream_that_says_its_end_needs_no_other(streamed, adapter, monkeypatch):
    monkeypatch.setattr(sending, "END_S", 0.05)
    unmarked = adapter in ("gemini", "openai-responses")
    reply = streamed("ok;open=1", silence_s=0.2 if unmarked else 5.0)
    if unmarked:  # their last event is a whole answer, or a part of one
        assert reply.fault is Fault.TIMEOUT
    else:
        assert reply.text == "A wired answer, always the same."


def test_a_server_that_does_not_stream_answers_as_a_whole(wire, streamed):
    wire.streams = False
    reply = streamed("ok")
    assert (reply.streamed, reply.text) == (False, "A wired answer, always the same.")


def test_silence_is_none_of_a_whole_answer(streamed):
    """Nothing can be heard of it until it is there."""
    assert streamed("ok;delay=0.8", streams=False).text
    assert streamed("hang_headers", streams=False).fault is Fault.TIMEOUT
