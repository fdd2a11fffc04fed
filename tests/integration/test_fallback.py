"""A link that goes down and comes back: answered by the next at once, left alone meanwhile, used
again afterwards.
"""

import pytest
from support import warm
from support.ledger import ask, until
from support.wire import WireServer


@pytest.fixture
def second_wire():
    with WireServer() as server:
        yield server


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_the_first_link_down_the_second_healthy(
    complete, wire, second_wire, start_worker, redis_url, pool
):
    """Every job is answered by the second; the first is left after five failed calls and those that
    were on their way by then; once it is well a probe finds that out, and it answers again.
    """
    env = {
        "LLM_CHAIN": "openai:gpt-4o-mini,second:small",
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": wire.base_url,
        "LLM_LINK_SECOND_BASE_URL": second_wire.base_url,
        "LLM_PRICES": "second:*=0.15/0.60",
        "LLM_COOLDOWN_SECONDS": "2",
        "LLM_BACKOFF_SECONDS": "0.1",
    }
    wire.script = lambda request, number: "500"
    start_worker(env, pool=pool, concurrency=4)
    jobs = [complete.delay(ask(f"question {n}"), "u1", max_tokens=50) for n in range(40)]
    answers = [job.value(60) for job in jobs]
    assert {answer.provider for answer in answers} == {"second"}
    assert 5 <= len(wire.calls) <= 12
    assert len(second_wire.calls) == 40
    wire.script = lambda request, number: "ok"

    def answered_by_first():
        job = complete.delay(ask("back again"), "u1", max_tokens=50, cache="bypass")
        return job.value(30).provider == "openai"

    until(answered_by_first)


def test_retry_after_stops_the_whole_fleet(complete, wire, start_worker, redis_url):
    """One 429 with Retry-After cools the link for every worker: no other one gets a 429."""
    env = {
        "LLM_CHAIN": "openai:gpt-4o-mini",
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": wire.base_url,
    }
    wire.script = lambda request, number: "429;ra=2" if number == 0 else "ok"
    start_worker(env, concurrency=1)
    start_worker(env, concurrency=1)
    jobs = [complete.delay(ask(f"question {n}"), "u1", max_tokens=50) for n in range(10)]
    assert len([job.value(60) for job in jobs]) == 10
    assert wire.counts() == {"429": 1, "ok": 10}


def test_the_drill_proves_the_fallback(complete, wire, start_worker, redis_url):
    """`completions drill` skips the first link of a live system and says who answered."""
    env = {
        "LLM_CHAIN": "openai:gpt-4o-mini,backup:sim-small",
        "LLM_LINK_BACKUP_ADAPTER": "simulator",
        "OPENAI_API_KEY": "k",
        "LLM_PRICES": "backup:*=0.15/0.60",
        "OPENAI_BASE_URL": wire.base_url,
    }
    start_worker(env)
    done = warm.run(["drill"], env | {"REDIS_URL": redis_url})
    assert done.returncode == 0, done.stderr
    assert "openai:gpt-4o-mini skipped; backup:sim-small answered" in done.stdout
    assert not wire.calls


def test_the_drill_says_that_one_link_has_no_fallback(redis_url):
    done = warm.run(["drill"], {"REDIS_URL": redis_url, "LLM_CHAIN": "openai:gpt-4o-mini"})
    assert done.returncode == 1
    assert "openai:gpt-4o-mini is the only link of LLM_CHAIN" in done.stderr
