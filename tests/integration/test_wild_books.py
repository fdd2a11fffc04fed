"""Whatever a provider sends: what it charges lies between what is booked as spent and that with
what is booked as possibly billed.
"""

import json
import random
import re
import threading
from collections import Counter
from contextlib import suppress

import pytest
from contract.bodies import THOUGHTS, body
from support.ledger import LedgerProbe, ask
from support.raw import CUT, RawServer
from support.scripted import http
from support.wild_bodies import garbage, whole

from producer.contract.errors import JobError

STATUSES = (400, 406, 413, 418, 422, 424, 451, 499)
"""Refusals of a request; what speaks of the link only makes its line wait."""
KINDS = ["whole"] * 8 + ["thoughts"] * 2 + ["refusal"] * 4 + ["cut", "gateway"]


class Provider:
    """Answers each request by chance, and notes what it charges for it, in micro-dollars."""

    def __init__(self, seed):
        self._seed = seed
        self._lock = threading.Lock()
        self.certain = self.charged = 0
        self.calls = Counter()
        self.answered = set()
        """Jobs that have had a whole answer."""
        self.again = set()
        """Those that came again although they had."""

    def __call__(self, asked):
        job_id = re.search(r"x-client-request-id: *(\S+)", asked.head, re.IGNORECASE)[1]
        with self._lock:
            self.calls[job_id] += 1
            if job_id in self.answered:
                self.again.add(job_id)
            question = json.loads(asked.body)["messages"][0]["content"]
            chance = random.Random(f"{self._seed}-{question}-{self.calls[job_id]}")
            return self._answer(chance, job_id)

    def _answer(self, chance, job_id):
        kind = chance.choice(KINDS)
        tokens = chance.randrange(1, 30), chance.randrange(1, 50)
        # gpt-4o-mini: $0.15 and $0.60 a million, rounded up for each call
        price = -(-(15 * tokens[0] + 60 * tokens[1]) // 100)
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
        if kind == "refusal":
            return http(chance.choice(STATUSES), garbage(chance, "openai"))
        if kind == "gateway":
            self.charged += chance.choice([0, price])
            return http(504, garbage(chance, "openai"))
        answer = whole(chance, "openai", usage)
        if kind == "thoughts":
            answer = body("openai", THOUGHTS["openai"], usage=usage, finish="stop")
        raw = http(200, json.dumps(answer).encode())
        if kind == "cut":
            self.charged += chance.choice([0, price])
            return [raw[: -chance.randrange(1, 40)], CUT]
        self.charged += price
        self.certain += price
        if kind == "whole":
            self.answered.add(job_id)
        return raw


@pytest.mark.parametrize("count", [60, pytest.param(300, marks=pytest.mark.faults)])
@pytest.mark.timeout(300)
def test_the_books_bound_what_the_provider_charges(complete, start_worker, redis_url, seed, count):
    provider = Provider(seed)
    with RawServer(provider) as server:
        env = {
            "LLM_CHAIN": "openai:gpt-4o-mini",
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": server.base_url,
            "LLM_MAX_ATTEMPTS": "3",
            "LLM_ON_OUTAGE": "fail",
            "LLM_BACKOFF_SECONDS": "0.01",
            "LLM_COOLDOWN_SECONDS": "0.01",
            "LLM_USER_TOKENS_PER_HOUR": "100000000",
        }
        start_worker(env, concurrency=16)
        jobs = [complete.delay(ask(f"q{n}"), "u", max_tokens=50) for n in range(count)]
        for job in jobs:
            with suppress(JobError):
                job.value(120)
    with LedgerProbe(redis_url) as ledger:
        books = ledger.budget("usd", "fleet", "all")
        attempts = sum(int(job.get("attempts", 0)) for job in ledger.jobs())
    assert attempts == provider.calls.total()
    assert provider.again == set()
    assert books["held"] == 0
    assert books["spent"] == provider.certain
    assert books["spent"] <= provider.charged <= books["spent"] + books["maybe"]
