"""An outage, whatever its price class: nobody is told of budgets, everybody is answered, and the
fleet's books have each failed call at its worst case. `benchmarks/outage_drill.py` is the same with
200 users, and measures how soon they are served.
"""

import pytest
from support.ledger import LedgerProbe, ask
from support.wire import WireServer

pytestmark = pytest.mark.faults

CLASSES = {"nano": (0.1, 0.4), "pro": (15.0, 120.0)}
"""Dollars per million tokens: input, output."""
MAX_TOKENS = 1000
USERS = 8


@pytest.mark.parametrize("chain", ["openai:m", "openai:m,second:m"])
@pytest.mark.parametrize("name", CLASSES)
def test_an_outage_is_nobody_s_budget(complete, wire, start_worker, redis_url, name, chain):
    price = "{}/{}".format(*CLASSES[name])
    answer_usd = CLASSES[name][1] * MAX_TOKENS / 1e6
    with WireServer() as second:
        start_worker(
            {
                "LLM_CHAIN": chain,
                "OPENAI_API_KEY": "key",
                "OPENAI_BASE_URL": wire.base_url,
                "LLM_LINK_SECOND_BASE_URL": second.base_url,
                "LLM_PRICES": f"openai:*={price},second:*={price}",
                "LLM_MAX_COST_PER_REQUEST": "1",
                "LLM_USER_USD_PER_DAY": f"{2.5 * answer_usd:f}",
                "LLM_COOLDOWN_SECONDS": "1",
            },
            concurrency=USERS,
        )
        wire.script = lambda request, number: "504"
        options = {"max_tokens": MAX_TOKENS, "cache": "bypass"}
        jobs = [complete.delay(ask(f"q {n}"), f"user-{n}", **options) for n in range(USERS)]
        wire.wait_for(lambda calls: len(calls) >= 3)
        wire.script = lambda request, number: "ok"
        answers = [job.value(60) for job in jobs]
    assert {answer.degraded for answer in answers} == {None}
    failed = sum(not call.billed for call in wire.calls)
    by_jobs = sum(answer.maybe_billed_usd for answer in answers)
    with LedgerProbe(redis_url) as ledger:
        fleet_usd = ledger.counter("maybe_billed_micro") / 1e6
    assert failed >= 3
    assert by_jobs == pytest.approx(fleet_usd)
    assert failed * answer_usd <= fleet_usd <= failed * answer_usd * 1.05
