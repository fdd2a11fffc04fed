"""Large texts of requests: sent whole, stored once for all jobs about them, gone with the last."""

import base64
import random

import pytest
from click.testing import CliRunner
from support.ledger import KEYS, LedgerProbe, ask

from producer.batches import Batch
from producer.cli import main
from producer.contract.errors import InvalidRequest, JobError, ProvidersExhausted
from producer.current import current_settings, use_settings

ROOM = {"LLM_MAX_COST_PER_REQUEST": "9", "LLM_USER_TOKENS_PER_HOUR": "9000000"}
DOWN = ROOM | {
    "LLM_MAX_ATTEMPTS": "1",
    "LLM_ON_OUTAGE": "fail",
}
BYTES = 600_000


def picture(seed=1, size=BYTES):
    noise = random.Random(seed).randbytes(size * 3 // 4)
    return f"data:image/png;base64,{base64.b64encode(noise).decode()}"


def about(url, question):
    parts = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": url}}]
    return [{"role": "user", "content": parts}]


def stored(ledger):
    return sorted(ledger.redis.keys(f"{KEYS.root}doc*"))


def test_what_was_asked_reaches_the_provider_as_it_was(
    complete, start_worker, wire, openai_env, redis_url
):
    """A picture, and a text with every kind of letter."""
    start_worker(openai_env | ROOM)
    messages = about(picture(), 'word é \u2028 \U0001f600 \\ " ' * 9_000)
    assert complete.delay(messages, "u1").value(30).text
    assert wire.calls[0].request["messages"] == messages
    with LedgerProbe(redis_url) as ledger:
        assert stored(ledger) == []
        assert not ledger.redis.exists(KEYS.stored_texts)


def test_a_hundred_questions_about_one_picture_hold_it_once(complete, redis_url):
    """Afterwards nothing of it is left."""
    with LedgerProbe(redis_url) as ledger:
        requests = [{"messages": about(picture(), f"question {n}")} for n in range(100)]
        made = complete.many(requests, "u1")
        alone = complete.delay(about(picture(), "question"), "u2")
        held = sum(map(ledger.redis.memory_usage, ledger.redis.keys()))
        assert BYTES < held < 2 * BYTES
        for job in (*made, alone):
            job.cancel()
        assert stored(ledger) == []
        assert not ledger.redis.exists(KEYS.stored_texts)


def test_one_that_failed_can_be_sent_again_though_others_ended(
    complete, start_worker, wire, openai_env, redis_url, monkeypatch
):
    """Its dead letter keeps the picture."""
    wire.script = lambda request, number: "500" if number == 0 else "ok"
    start_worker(openai_env | DOWN)
    messages = about(picture(), "first")
    lost = complete.delay(messages, "u1")
    with pytest.raises(ProvidersExhausted):
        lost.value(30)
    assert complete.delay(about(picture(), "second"), "u1").value(30).text
    monkeypatch.setenv("REDIS_URL", redis_url)
    done = CliRunner().invoke(main, ["dead", "replay", lost.id])
    new_id = done.output.split(" -> ")[1].split()[0]
    assert complete.AsyncResult(new_id).value(30).text
    assert wire.calls[-1].request["messages"] == messages


def test_an_item_that_failed_is_tried_again_with_its_picture(
    complete, start_worker, wire, openai_env
):
    wire.script = lambda request, number: "500" if number == 0 else "ok"
    start_worker(openai_env | DOWN, concurrency=1)
    messages = about(picture(), "first")
    second = {"messages": about(picture(), "second")}
    batch = Batch.submit([{"messages": messages}, second], "u1")
    outcomes = {item.index: item.outcome for item in batch.as_completed(timeout=40)}
    assert [isinstance(outcomes[n], JobError) for n in (0, 1)] == [True, False]
    batch.retry_failed()
    again = [item.outcome for item in batch.as_completed(timeout=40) if item.index == 0]
    assert again[-1].text
    assert wire.calls[-1].request["messages"] == messages


def test_a_picture_that_the_ledger_lost_is_told(
    complete, start_worker, wire, openai_env, redis_url
):
    """Not sent without it."""
    job = complete.delay(about(picture(), "what is it?"), "u1")
    with LedgerProbe(redis_url) as ledger:
        assert ledger.redis.delete(*ledger.redis.keys(f"{KEYS.root}doc:*")) == 1
    start_worker(openai_env)
    with pytest.raises(InvalidRequest, match="a part of it is no longer stored"):
        job.value(30)
    assert wire.calls == []


def test_an_operator_s_bound_is_told_to_the_caller(complete):
    use_settings(current_settings().model_copy(update={"max_request_bytes": 2_000}))
    assert complete.delay(ask("x"), "u1")
    with pytest.raises(InvalidRequest, match="at most 2,000 are accepted"):
        complete.delay(ask("x" * 3_000), "u1")
