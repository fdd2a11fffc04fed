"""What every fault test checks in the end: the fleet still works, and the books balance."""

import pytest
from support.ledger import KEYS, LedgerProbe, ask, until
from support.neighbours import MODEL, Provider
from support.wire import WireServer


@pytest.fixture
def env(wire):
    """A chain of one link at `wire`, and limits too high to matter."""
    return {
        "LLM_CHAIN": "openai:gpt-4o-mini",
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": wire.base_url,
        "LLM_USER_TOKENS_PER_HOUR": "100000000",
        "LLM_BACKOFF_SECONDS": "0.05",
    }


@pytest.fixture
def submit(complete):
    def submit_(count, task=complete, **options):
        return [
            task.delay(ask(f"question {n}"), f"u{n}", max_tokens=50, **options)
            for n in range(count)
        ]

    return submit_


@pytest.fixture
def fresh(complete, wire):
    """`fresh()`: 20 new jobs are answered within 15 s, so the workers consume."""

    def fresh_(task=complete):
        wire.script = lambda request, number: "ok"
        jobs = [task.delay(ask(f"fresh {n}"), f"fresh{n}", max_tokens=10) for n in range(20)]
        assert [job.value(15).finish_reason for job in jobs] == ["stop"] * 20

    return fresh_


@pytest.fixture
def books():
    """`books(url, jobs, calls)`: one outcome per job, extra calls are reported, nothing is held."""

    def books_(url, jobs, calls):
        with LedgerProbe(url) as ledger:
            until(lambda: ledger.open() == 0)
            records = [ledger.redis.hgetall(KEYS.job(job.id)) for job in jobs]
            assert {record["state"] for record in records} == {"done"}
            unknown = sum(int(record.get("unknown", 0)) for record in records)
            assert len(calls) - len(jobs) <= unknown
            budget = ledger.budget("usd", "fleet", "all")
            assert budget["held"] == 0
            assert budget["maybe"] == ledger.counter("maybe_billed_micro")
            return unknown

    return books_


@pytest.fixture
def evil():
    """A provider of the attacker's."""
    with WireServer() as wire:
        yield wire


@pytest.fixture
def provider(tmp_path):
    """Of the users beside; see support/neighbours.py."""
    with Provider(tmp_path) as started:
        yield started


@pytest.fixture
def beside_env(provider, evil):
    """The others have a provider of their own, and so has the attacker."""
    return {
        "LLM_CHAIN": f"{MODEL},evil:m",
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": provider.base_url,
        "LLM_LINK_EVIL_BASE_URL": evil.base_url,
        "LLM_LINK_EVIL_API_KEY": "k",
        "LLM_PRICES": "evil:*=0.15/0.60",
        "LLM_MAX_ATTEMPTS": "2",
        "LLM_BACKOFF_SECONDS": "0.05",
        "LLM_USER_TOKENS_PER_HOUR": "1000000000",
        "LLM_ON_OUTAGE": "fail",
    }
