"""How long a call may take: silence, and a total that grows with the answer."""

from dataclasses import replace

import pytest
from support.pipelines import Harness

from producer.contract.completions import Usage
from worker.faults import Fault, ProviderError
from worker.providers.speeds import CEILING, FLOOR, SLACK, Speeds

SILENCE_S = 5
"""As the harness is set."""


@pytest.fixture
def harness():
    harness = Harness()
    yield harness
    harness.loop.close()


class Made(list):
    answers = ()


@pytest.fixture
def asked(harness, monkeypatch):
    """The calls that were made; what each is answered is in `answers`, by default as ever."""
    made, call = Made(), harness.chain._clients.call

    def answered(link, sent):
        made.append(sent)
        reply = call(link, sent)
        return made.answers.pop(0)(reply) if made.answers else reply

    monkeypatch.setattr(harness.chain._clients, "call", answered)
    return made


def limits(call):
    return call.streams, call.silence_s, call.timeout_s


def test_a_total_grows_with_the_answer_and_its_silence_does_not(harness, asked):
    for max_tokens in (20, 500, 2000):
        harness.run(harness.job(max_tokens=max_tokens))
    assert [limits(call) for call in asked] == [
        (False, SILENCE_S, SILENCE_S),
        (True, SILENCE_S, SILENCE_S + 500 / FLOOR),
        (True, SILENCE_S, SILENCE_S + 2000 / FLOOR),
    ]


def test_a_requests_timeout_is_its_silence(harness, asked):
    harness.run(harness.job(max_tokens=500, timeout_s=1.5))
    assert limits(asked[0]) == (True, 1.5, 1.5 + 500 / FLOOR)


def test_no_call_outlives_its_job(harness, asked):
    job = replace(harness.job(max_tokens=2000), deadline_ms=60_000)
    harness.run(job)
    assert asked[0].timeout_s == pytest.approx(60, abs=1)
    assert asked[0].hurried


def unstreamed(reply):
    return replace(reply, streamed=False)


def without_usage(reply):
    return replace(reply, usage=None)


@pytest.mark.parametrize("odd", [unstreamed, without_usage])
def test_a_server_that_streams_no_answer_or_no_usage_is_asked_for_whole_ones(harness, asked, odd):
    """From then on, each within the silence. One that takes longer has more time when it is asked
    for again; so have all, once the link has shown how slowly it writes.
    """
    asked.answers = [odd]
    for tried in ((), (), [("simulator:big", "timeout"), ("simulator:small", "timeout")]):
        harness.run(harness.job(max_tokens=500, tried=tried))
    assert [call.streams for call in asked] == [True, False, False]
    assert [call.timeout_s for call in asked[1:]] == [SILENCE_S, SILENCE_S + 500 / FLOOR]
    asked.answers = [lambda reply: replace(reply, usage=Usage(input=1, output=400))]
    for _ in range(2):
        harness.run(harness.job(max_tokens=500))
    assert asked[-1].timeout_s > SILENCE_S


def test_a_refused_stream_is_first_sent_as_false_and_then_left_out(harness, asked):
    def refused(reply):
        raise ProviderError(Fault.STALE, "no streams", parameter="stream")

    asked.answers = [refused, refused]
    for _ in range(2):
        with pytest.raises(ProviderError):
            harness.run(harness.job(max_tokens=500))
    harness.run(harness.job(max_tokens=500))
    assert [(call.streams, call.refused) for call in asked] == [
        (True, set()),
        (False, {"streaming"}),
        (False, {"streaming", "stream"}),
    ]


def test_a_link_that_writes_fast_is_left_sooner(harness, asked):
    asked.answers = [lambda reply: replace(reply, usage=Usage(input=1, output=2000))]
    for _ in range(2):
        harness.run(harness.job(max_tokens=2000))
    assert asked[1].timeout_s < asked[0].timeout_s


def test_speeds():
    """The latest answers count most, short ones not at all; no link is relied on too much."""
    speeds = Speeds()
    assert speeds.most_s("a", 3000) == 3000 / FLOOR
    speeds.learn("a", 1000, 10.0)
    assert speeds.most_s("a", 3000) == 3000 * SLACK / 100
    speeds.learn("a", 2, 10.0)
    assert speeds.most_s("a", 3000) == 3000 * SLACK / 100
    for _ in range(50):
        speeds.learn("a", 1000, 20.0)
    assert speeds.most_s("a", 3000) == pytest.approx(3000 * SLACK / 50, rel=0.01)
    speeds.learn("a", 10**6, 1.0)
    assert speeds.most_s("a", 3000) == 3000 / CEILING
    assert speeds.most_s("b", 3000) == 3000 / FLOOR
