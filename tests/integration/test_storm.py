"""Many jobs against a provider that misbehaves, and against a budget that is too small: the books
must balance.
"""

import json
import threading
from collections import Counter
from decimal import ROUND_UP, Decimal

import pytest
from support.ledger import LedgerProbe, ask
from support.wire import mixed

from producer.contract.errors import BudgetExceeded, JobError

WEIGHTS = {"ok;delay=0.02": 6, "429;ra=0.2": 0.5, "500": 1, "hang": 0.4, "truncated": 0.6}


def records(worker):
    lines = (line for line in worker.log().splitlines() if line.startswith("{"))
    return [each for each in map(json.loads, lines) if each["event"] == "provider_call"]


@pytest.mark.parametrize("pool", ["asyncio", pytest.param("prefork", marks=pytest.mark.faults)])
def test_the_books_balance_under_a_mixed_provider(complete, wire, start_worker, redis_url, pool):
    """Every job ends in an answer or a typed error; calls, records, spent and billed agree to the
    micro-dollar; what may have been billed is counted apart and is exactly the cut and hung calls.
    """
    wire.script = mixed(seed=7, weights=WEIGHTS)
    env = {
        "LLM_CHAIN": "openai:gpt-4o-mini",
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": wire.base_url,
        "LLM_TIMEOUT_SECONDS": "3",
        "LLM_BACKOFF_SECONDS": "0.1",
        "LLM_BACKOFF_MAX_SECONDS": "0.5",
        "LLM_MAX_ATTEMPTS": "4",
        "LLM_USER_TOKENS_PER_HOUR": "100000000",
    }
    worker = start_worker(env, pool=pool, concurrency=16 if pool == "asyncio" else 6)
    count = 200 if pool == "asyncio" else 100
    jobs = [
        complete.delay(ask(f"question {n}"), f"user{n % 7}", max_tokens=100) for n in range(count)
    ]
    ended = Counter()
    for job in jobs:
        try:
            ended[type(job.value(90)).__name__] += 1
        except JobError as error:
            ended[type(error).__name__] += 1
    assert sum(ended.values()) == count
    assert set(ended) <= {"Completion", "ProvidersExhausted"}
    assert "lease of job" not in worker.log()  # a warning is something to act on
    lines = records(worker)
    billed = [call.billed for call in wire.calls if call.event.startswith("ok")]
    price = sum(_micro(usage["prompt_tokens"], usage["completion_tokens"]) for usage in billed)
    doubtful = wire.counts()["hang"] + wire.counts()["truncated"]
    with LedgerProbe(redis_url) as ledger:
        everything = ledger.budget("usd", "fleet", "all")
        assert (
            len(wire.calls)
            == len(lines)
            == sum(int(job.get("attempts", 0)) for job in ledger.jobs())
        )
        assert everything["held"] == 0
        assert everything["spent"] == price == round(sum(line["cost_usd"] for line in lines) * 1e6)
        assert ledger.counter("maybe_billed_attempts") == doubtful > 0
        assert everything["maybe"] == ledger.counter("maybe_billed_micro")
        assert sum(line["maybe_billed_usd"] > 0 for line in lines) == doubtful


def test_attempts_are_calls_also_where_deadlines_are_short(
    complete, wire, start_worker, openai_env, redis_url
):
    """Nothing is an attempt, or possibly billed, that never left."""
    wire.script = mixed(seed=7, weights=WEIGHTS | {"ok;delay=1": 2})
    start_worker(openai_env | {"LLM_TIMEOUT_SECONDS": "3"}, concurrency=16)
    jobs = [
        complete.delay(
            ask(f"question {n}"), f"user{n % 7}", max_tokens=100, deadline_s=0.2 + n % 10 * 0.3
        )
        for n in range(100)
    ]
    ended = Counter()
    for job in jobs:
        try:
            ended[type(job.value(30)).__name__] += 1
        except JobError as error:
            ended[type(error).__name__] += 1
    assert ended["DeadlineExceeded"] > 0
    with LedgerProbe(redis_url) as ledger:
        assert sum(int(job.get("attempts", 0)) for job in ledger.jobs()) == len(wire.calls) > 0
        assert ledger.counter("maybe_billed_attempts") <= len(wire.calls)


def _micro(tokens_in, tokens_out):
    """gpt-4o-mini, dollars per million tokens 0.15 and 0.60, rounded up per call."""
    return int(
        (Decimal("0.15") * tokens_in + Decimal("0.60") * tokens_out).to_integral_value(ROUND_UP)
    )


def watch(ledger, limit, stop, seen):
    while not stop.is_set():
        now = ledger.budget("usd", "user", "greedy")
        seen.append(sum(now.values()))
        assert seen[-1] <= limit, now


@pytest.mark.parametrize(
    ("price_out", "exactly"), [(12, None), (100, 100)], ids=["cheaper than held", "as dear as held"]
)
def test_a_budget_is_never_overshot(complete, wire, start_worker, redis_url, price_out, exactly):
    """500 jobs at once against room for about 100 holds: spent + held never exceeds it, nothing is
    held at the end, and no refused job would have fit. When usage equals the reservation, exactly
    100 ran.
    """
    wire.script = lambda request, number: f"ok;in=0;out={price_out}"
    # An input that costs nothing makes the worst case exactly max_tokens: 100 tokens at $1 per
    # million = 100 micro-dollars.
    limit, one = 10_000, 100
    env = {
        "LLM_CHAIN": "openai:priced",
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": wire.base_url,
        "LLM_PRICES": "openai:priced=0/1",
        "LLM_USER_USD_PER_DAY": str(limit / 1e6),
        "LLM_USER_TOKENS_PER_HOUR": "100000000",
        "LLM_DEADLINE_SECONDS": "120",
    }
    start_worker(env, concurrency=16)
    start_worker(env, concurrency=16)
    stop, seen = threading.Event(), []
    with LedgerProbe(redis_url) as ledger:
        watcher = threading.Thread(target=watch, args=(ledger, limit, stop, seen))
        watcher.start()
        jobs = [complete.delay(ask(f"question {n}"), "greedy", max_tokens=100) for n in range(500)]
        answered, refused = 0, []
        for job in jobs:
            try:
                job.value(100)
                answered += 1
            except BudgetExceeded as error:
                refused.append(error)
        stop.set()
        watcher.join()
        at_the_end = ledger.budget("usd", "user", "greedy")
    assert max(seen) <= limit
    assert at_the_end == {"held": 0, "spent": answered * price_out, "maybe": 0}
    assert len(wire.calls) == answered
    assert refused == [] or at_the_end["spent"] + one > limit
    assert all(error.details["limit"] == "user_usd_per_day" for error in refused)
    if exactly:
        assert answered == exactly
