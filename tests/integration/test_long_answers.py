"""An answer has the time that it takes to write. With the default settings, and in their time:
benchmarks/long_answers.py.
"""

from support import long
from support.protocol import PLAIN

SILENCE_S = 1.0
PIECES = 60


def test_the_defaults_answer_what_takes_a_minute(complete, wire, start_worker, monkeypatch):
    """3,000 tokens at the default models, of which 2,500 may be thinking; twenty times as fast as
    models write, and with less silence in proportion.
    """
    monkeypatch.setitem(PLAIN, "text", long.text(PIECES))
    wire.script = long.writing(per_second=1_000, pieces=PIECES)
    start_worker(long.env(wire.base_url) | {"LLM_TIMEOUT_SECONDS": str(SILENCE_S)}, concurrency=6)
    answers = [job.value(60) for job in long.submit(complete)]
    assert [answer.text for answer in answers] == [PLAIN["text"]] * len(long.CASES)
    assert [(answer.attempts, answer.usage.output) for answer in answers] == [(1, 3_000)] * 6
    assert [answer.usage.reasoning for answer in answers] == [0, 2_500] * 3
    assert min(answer.latency_ms for answer in answers) > 2 * SILENCE_S * 1000
    assert len(wire.calls) == len(long.CASES)
