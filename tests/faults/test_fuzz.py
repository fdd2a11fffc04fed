"""1,000 entries of the broker and 2,000 requests, made at random: no worker is lost, no traceback
of a library is logged, every job has its outcome, and the books are equal.

`FUZZ_SEED=7 pytest -m faults tests/faults/test_fuzz.py` repeats a run.
"""

import base64
import json
import os
import random
from copy import deepcopy

import pytest
from redis import Redis
from support.forged import entry
from support.ledger import LedgerProbe, ask, until

from producer.contract.errors import Conflict, InvalidRequest, JobError
from producer.contract.names import QUEUES

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

ENTRIES = 1_000
REQUESTS = 2_000
ODD = (
    None,
    True,
    -1,
    0,
    2**70,
    1.5,
    float("inf"),
    "",
    "x",
    "\x00",
    "\ud800",
    "é漢😀",
    "x" * 5_000,
    [],
    {},
    [[]],
    {"a": None},
    {"task": "thief.take"},
    ["x", {"y": [1]}],
    "[" * 300,
    "2999-01-01T00:00:00+00:00",
    "2001-01-01T00:00:00+00:00",
)


@pytest.fixture
def chance():
    seed = int(os.environ.get("FUZZ_SEED", random.randrange(1_000_000)))
    print(f"FUZZ_SEED={seed}")
    return random.Random(seed)


def changed(value, chance, times):
    """A copy of plain JSON with something else at some of its places."""
    value = json.loads(json.dumps(value))
    for _ in range(times):
        parent, key = {"": value}, ""
        while isinstance(parent[key], dict | list) and parent[key] and chance.random() < 0.8:
            parent = parent[key]
            key = chance.choice(list(parent if isinstance(parent, dict) else range(len(parent))))
        if chance.random() < 0.15 and isinstance(parent, dict) and key:
            del parent[key]
        else:
            parent[key] = deepcopy(chance.choice(ODD))
        if key == "":
            value = parent[key] if "" in parent else {}
    return value


def odd_entry(chance, job_id):
    """Of a job that is known, or with arguments of its own, and then damaged in some way."""
    args = chance.choice(((), (), (ask("from outside"), "outside")))
    body = [list(args), {}, {"callbacks": chance.choice(ODD), "chain": chance.choice(ODD)}]
    if chance.random() < 0.4:
        body = changed(body, chance, 2)
    made = entry(chance.choice((job_id, job_id, f"new-{chance.random()}")))
    made["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    made = changed(made, chance, chance.choice((0, 0, 1, 1, 2, 5)))
    data = bytearray(json.dumps(made).encode())
    if chance.random() < 0.2:
        place = chance.randrange(len(data))
        data[place : place + chance.choice((1, 3, 100))] = chance.randbytes(
            chance.choice((0, 1, 9))
        )
    return bytes(data)


def test_no_entry_of_the_broker_harms_a_job(complete, wire, env, start_worker, redis_url, chance):
    workers = [
        start_worker(env, pool=pool, concurrency=4, name=pool) for pool in ("asyncio", "prefork")
    ]
    pids = [worker.pid for worker in workers]
    jobs = []
    with Redis.from_url(redis_url) as redis:
        for number in range(ENTRIES):
            if number % 20 == 0:
                jobs.append(complete.delay(ask(f"question {number}"), "u1"))
            known = chance.choice(jobs).id
            redis.rpush(chance.choice(list(QUEUES.values())), odd_entry(chance, known))
        assert {job.value(60).finish_reason for job in jobs} == {"stop"}
        until(lambda: sum(map(redis.llen, QUEUES.values())) == redis.hlen("cc.unacked") == 0, 60)
        assert redis.exists("celery", "thief") == 0
    check(workers, pids, wire, redis_url)
    told = [job.get(timeout=30)["text"] for job in jobs]
    assert told == [job.value(1).text for job in jobs]


BASE = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is it?"}]},
    ],
    "user_id": "fuzz",
    "model": "openai:gpt-4o-mini",
    "temperature": 0.5,
    "max_tokens": 20,
    "stop": ["x"],
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "schema": {
                "type": "object",
                "properties": {"a": {"$ref": "#/$defs/b"}},
                "$defs": {"b": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            },
        },
    },
    "tools": [
        {
            "type": "function",
            "function": {"name": "look", "parameters": {"properties": {"q": {"type": "string"}}}},
        }
    ],
    "cache": "bypass",
    "tags": ["faq"],
    "deadline_s": 60,
    "metadata": {"a": "b"},
    "on_truncation": "accept",
    "avoid": ["other:x"],
    "over_limit": "fail",
    "fit": "slide",
    "expect": "a|b",
    "lane": "interactive",
}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def odd_request(chance):
    """Some of the options, an image or a tool's turn now and then, and something odd in it."""
    named = {"messages", "user_id"} | {name for name in BASE if chance.random() < 0.3}
    asked = {name: value for name, value in BASE.items() if name in named}
    asked = changed(asked, chance, 0)
    if chance.random() < 0.2:
        asked["messages"][1]["content"].append(changed(IMAGE, chance, chance.choice((0, 1))))
    if chance.random() < 0.2:
        asked["messages"].append({"role": "tool", "tool_call_id": "c", "content": "7"})
    return changed(asked, chance, chance.choice((0, 0, 0, 1, 1, 2)))


def test_no_request_harms_more_than_itself(complete, wire, env, start_worker, redis_url, chance):
    """Each is refused in the caller's stack or ends in its answer or a typed error."""
    workers = [start_worker(env, concurrency=8, name=f"w{n}") for n in range(2)]
    pids = [worker.pid for worker in workers]
    jobs = []
    for _ in range(REQUESTS):
        asked = odd_request(chance)
        try:
            jobs.append(complete.apply_async((), asked))
        except (InvalidRequest, Conflict):
            continue
    for job in jobs:
        try:
            assert job.value(90)
        except JobError:
            continue
    print(f"{len(jobs)} of {REQUESTS} were taken")
    assert 0.2 * REQUESTS < len(jobs) < REQUESTS
    check(workers, pids, wire, redis_url)


def check(workers, pids, wire, redis_url):
    """The workers live and have logged no traceback; calls, attempts and money agree."""
    assert [worker.pid for worker in workers] == pids
    for worker in workers:
        assert "Traceback" not in worker.log()
    with LedgerProbe(redis_url) as ledger:
        until(lambda: ledger.open() == 0)
        records = list(ledger.jobs())
        assert len(wire.calls) == sum(int(job.get("attempts", 0)) for job in records)
        budget = ledger.budget("usd", "fleet", "all")
        assert budget["held"] == 0
        assert budget["spent"] == sum(int(job.get("cost", 0)) for job in records)
