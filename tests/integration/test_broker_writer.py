"""Who can write the broker can bring a job's id there, and nothing else with it."""

import base64
import json

import pytest
from redis import Redis
from support.forged import STOLEN, forge_all, put
from support.ledger import ask, until

from producer.contract.errors import InvalidRequest
from producer.contract.names import QUARANTINE, QUEUES
from producer.contract.submission import Submission
from worker.embedded import EmbeddedValkey


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_an_id_that_is_put_back_brings_nothing_with_it(
    complete, wire, openai_env, start_worker, redis_url, pool
):
    """While the job waits, and when it has ended: answered once, told to its caller alone, and what
    its caller asked to follow follows.
    """
    wire.script = lambda request, number: "ok;delay=0.3"
    follows = complete.si(ask("follows"), "u1").set(task_id=f"follows-{pool}")
    jobs = [complete.apply_async((ask(f"{n}"), "u1"), link=follows) for n in range(3)]
    with Redis.from_url(redis_url) as redis:
        for job in jobs:
            forge_all(redis, job.id)
        worker = start_worker(openai_env, pool=pool, concurrency=2)
        for job in jobs:
            assert job.get(timeout=30)["text"] == job.value(1).text
            forge_all(redis, job.id)
        assert complete.AsyncResult(f"follows-{pool}").value(30)
        until(lambda: redis.llen(QUEUES["interactive"]) == redis.hlen("cc.unacked") == 0)
        assert redis.exists("thief", "celery", "_kombu.binding.thief") == 0
    assert len(wire.calls) == len(jobs) + 1
    assert worker.pid
    assert "thief" not in worker.log()


def test_a_later_step_s_prompt_is_not_in_the_broker(complete, redis_url, start_worker):
    """Its id alone is published, also for a job with a chain behind it."""
    secret = "what comes after"
    complete.apply_async((ask("x"), "u1"), link=complete.si(ask(secret), "u1"))
    worker = start_worker(concurrency=1)
    with Redis.from_url(redis_url) as redis:
        until(lambda: redis.llen(QUEUES["interactive"]) == redis.hlen("cc.unacked") == 0)
        worker.kill()
        job = complete.apply_async((ask("y"), "u1"), link=complete.si(ask(secret), "u1"))
        (entry,) = redis.lrange(QUEUES["interactive"], 0, -1)
    body = json.loads(base64.b64decode(json.loads(entry)["body"]))
    assert body == [[], {}, {}]
    assert secret not in entry.decode()
    assert job.id in entry.decode()


def test_arguments_are_adopted_while_broker_and_ledger_are_one_server(
    complete, wire, openai_env, start_worker, redis_url
):
    """With Celery's options, from then on kept in the ledger; wrong ones end the message's task."""
    start_worker(openai_env)
    with Redis.from_url(redis_url) as redis:
        follows = complete.si(ask("follows"), "u2").set(task_id="follows")
        put(redis, "mine", args=[ask("x"), "u2"], after={"callbacks": [follows]})
        put(redis, "wrong", args=[ask("x")], kwargs={"user_id": "u2", "max_tokens": "many"})
        put(redis, "later", args=[ask("x"), "u2"], eta="2999-01-01T00:00:00+00:00")
    assert complete.AsyncResult("mine").get(timeout=30)
    assert complete.AsyncResult("follows").value(30)
    with pytest.raises(InvalidRequest, match="max_tokens"):
        complete.AsyncResult("wrong").get(timeout=30)
    with pytest.raises(InvalidRequest, match="eta: at most ten years"):
        complete.AsyncResult("later").get(timeout=30)


@pytest.mark.parametrize(("setting", "adopted"), [("", False), ("true", True)])
def test_a_broker_of_its_own_brings_no_arguments_unless_it_may(
    complete, wire, openai_env, start_worker, redis_url, tmp_path, command, setting, adopted
):
    """Else they are put aside with the reason, and not even a job of the same id is touched."""
    with EmbeddedValkey(tmp_path / "broker") as broker, Redis.from_url(broker.url()) as redis:
        env = {"CELERY_BROKER_URL": broker.url(), "LLM_ADOPT_FOREIGN_MESSAGES": setting}
        worker = start_worker(openai_env | env)
        put(redis, "mine", args=[ask("x"), "u2"])
        if adopted:
            assert complete.AsyncResult("mine").get(timeout=30)
            return
        worker.wait_for_log("LLM_ADOPT_FOREIGN_MESSAGES")
        until(lambda: redis.llen(QUARANTINE) == 1)
        job = complete.delay(ask("y"), "u1")
        assert job.value(30)
        assert len(wire.calls) == 1
        listed = command("dead", "quarantine", CELERY_BROKER_URL=broker.url())
    assert "a message with arguments" in listed


def test_a_submission_without_anything_after_it_is_read_by_the_version_before():
    for options, wire in (({}, 1), ({"link": STOLEN}, 2)):
        assert Submission.from_call("a", (ask("x"), "u1"), {}, options).stored().item.wire == wire


def test_a_forged_result_is_told_by_get_alone(complete, redis_url, start_worker):
    """Who writes the result backend changes what a plain `get()` returns, and no `job.value()`."""
    start_worker({"LLM_CHAIN": "simulator:sim-large"})
    job = complete.delay(ask("x"), "u1")
    text = job.value(30).text
    key = f"celery-task-meta-{job.id}"
    with Redis.from_url(redis_url) as redis:
        until(lambda: redis.exists(key))
        redis.set(key, json.dumps({"status": "SUCCESS", "result": "forged", "task_id": job.id}))
    assert job.get(timeout=10) == "forged"
    assert job.value(10).text == text
