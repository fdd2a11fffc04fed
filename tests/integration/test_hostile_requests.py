"""What one user asks of an answer harms no other user's job, and no answer is paid twice."""

import pytest
from support.hostile_requests import multiplying
from support.ledger import LedgerProbe, ask

from producer.contract.errors import Filtered, InvalidRequest

LEVELS = 20
ANSWER = {
    "text": "[" * LEVELS + "7" + "]" * LEVELS,
    "finish": "stop",
    "usage": {},
}


@pytest.fixture
def worker(wire, openai_env, start_worker, tmp_path):
    """Its own filter raises what is easily taken for trouble with the ledger."""
    wire.reply = dict(ANSWER)
    own = "def explode(request, text):\n    if 'explode' in str(request): raise OSError('away')\n"
    (tmp_path / "own_filter.py").write_text(own + "    return ''\n")
    filters = "own_filter:explode=retry,schema=flag,pattern=fail"
    env = {"LLM_OUTPUT_FILTERS": filters, "PYTHONPATH": str(tmp_path)}
    return start_worker(openai_env | env, concurrency=6)


def test_hostile_schemas_patterns_and_filters_end_their_own_jobs(complete, wire, worker, redis_url):
    """Beside them, another user's are answered; every job was called once."""
    schemas = [
        complete.delay(ask(f"s{n}"), "hostile", response_format=multiplying(LEVELS))
        for n in range(6)
    ]
    others = [complete.delay(ask(f"o{n}"), f"user{n % 3}") for n in range(30)]
    filtered = [complete.delay(ask(f"explode {n}"), "hostile") for n in range(3)]
    patterns = [complete.delay(ask("p"), "hostile", expect="^never$")]
    for job in others:
        answer = job.value(60)
        assert (answer.text, answer.attempts, answer.flags) == (ANSWER["text"], 1, ())
    for job in schemas:
        (flag,) = job.value(60).flags
        assert flag.startswith("schema: could not be checked")
    for job in filtered + patterns:
        with pytest.raises(Filtered):
            job.value(60)
    assert len(wire.calls) == len(schemas + others + filtered + patterns)
    with LedgerProbe(redis_url) as ledger:
        assert ledger.counter("unknown_attempts") == 0
        assert ledger.budget("usd", "fleet", "all")["held"] == 0


def test_a_deep_answer_in_json_mode_is_given_out_and_flagged(complete, wire, worker):
    for depth in (1_000, 100_000):
        wire.reply = dict(ANSWER) | {"text": "[" * depth + "]" * depth}
        asked = ask(f"deep {depth}")
        job = complete.delay(asked, "u1", response_format={"type": "json_object"})
        assert job.value(30).flags == ("schema: is nested too deeply to be checked",)
    assert len(wire.calls) == 2


def test_a_reference_is_refused_before_anything_is_sent(complete, redis_url):
    wanted = multiplying(LEVELS)
    wanted["json_schema"]["schema"]["$ref"] = "http://127.0.0.1/x"
    tool = {"name": "x", "parameters": {"items": {"$ref": "file:///etc/passwd"}}}
    for options in (
        {"response_format": wanted},
        {"tools": [{"type": "function", "function": tool}]},
    ):
        with pytest.raises(InvalidRequest, match="leads out of the schema"):
            complete.delay(ask("x"), "u1", **options)
