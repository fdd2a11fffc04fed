"""Errors of our own after a reply, in a real worker: what they cost, and what the log says of them.

Each says a canary, as pydantic, json and HTTP clients quote what they fail at.
"""

from pathlib import Path

import pytest
from support.ledger import ask
from support.protocol import PLAIN

from producer.contract.errors import OutcomeUnknown, ProvidersExhausted

SABOTAGE = str(Path(__file__).parents[1] / "support" / "sabotage")
CANARY = "CANARY-ANSWER"

BESIDE = (
    "worker.cache:Cache.entry_for",
    "worker.tasks:samples_of",
    "worker.tasks:record_of_run",
    "worker.tasks:publish",
    "worker.providers.caller:ProviderCaller._record",
    "worker.providers.caller:ProviderCaller._learn",
    "worker.ledger.leases:Leases.note_reported",
)
"""What is done with an answer besides giving it out."""


@pytest.fixture
def failing(openai_env, start_worker, monkeypatch):
    """Start a worker in which these places raise."""
    monkeypatch.setitem(PLAIN, "text", f"{CANARY} and more")

    def failing_(*places):
        sabotage = {
            "PYTHONPATH": SABOTAGE,
            "SABOTAGE_RAISE": ",".join(places),
            "SABOTAGE_SAYS": CANARY,
            "LLM_LOG_LEVEL": "DEBUG",
        }
        return start_worker(openai_env | sabotage, concurrency=2)

    return failing_


def test_what_fails_beside_an_answer_costs_neither_answer_nor_money(complete, wire, failing):
    worker = failing(*BESIDE)
    jobs = [complete.delay(ask(f"q{n}"), "u1", temperature=0) for n in range(3)]
    assert {job.value(30).text for job in jobs} == {f"{CANARY} and more"}
    assert {job.get(timeout=30)["text"] for job in jobs} == {f"{CANARY} and more"}
    assert {job.value(1).cost_usd > 0 for job in jobs} == {True}
    assert len(wire.calls) == 3
    worker.stop()
    log = worker.log()
    assert "the cached answer failed; the job goes on without" in log
    assert CANARY not in log


@pytest.mark.parametrize(
    ("place", "outcome", "calls"),
    [
        ("worker.providers.openai:read", ProvidersExhausted, 3),
        ("worker.providers.caller:Billing.of_reply", OutcomeUnknown, 1),
        ("worker.pipeline:Pipeline._completed", OutcomeUnknown, 1),
        ("worker.ledger.ledger:settle_call", None, 1),
    ],
)
def test_no_error_brings_what_it_quotes_into_the_log(
    complete, wire, failing, place, outcome, calls
):
    """An adapter's is a bad response; ours end the job, unless nothing can be stored at all."""
    worker = failing(place)
    job = complete.delay(ask("q"), "u1")
    if outcome:
        with pytest.raises(outcome) as caught:
            job.value(30)
        assert CANARY not in str(caught.value)
    else:
        wire.wait_for(lambda seen: seen)
    assert len(wire.calls) == calls
    worker.stop()
    assert "ValueError" in worker.log()
    assert CANARY not in worker.log()
