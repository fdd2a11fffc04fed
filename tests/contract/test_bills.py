"""What vendors say that calls took, and what these cost: by hand, in bills.json, to the
micro-dollar; over the adapters, a worker and its ledger.

A row: `link`; `usage` and `body` as the server states them; `tokens`: input and output as they are
understood; `bill` in micro-dollars; `how`: the sum; `source` of its prices. Those of `PRICES` are
in genai-prices 0.2.3, but a test's server has no vendor's address to know them by.
"""

import json
from pathlib import Path

import pytest
from contract.bodies import TEXTS, USAGES, body
from support.ledger import KEYS, LedgerProbe

from producer.contract.completions import Completion
from worker.budgets.usage import Usage
from worker.ledger.connection import connect

ROWS = json.loads((Path(__file__).parent / "bills.json").read_text())
PRICES = {
    "xai:grok-3-mini": "0.30/0.50/0.075",
    "xai:grok-4-0709": "3/15/0.75",
    "xai:grok-4.3": "1.25/2.50/0.20+199999:2.50/5/0.40",
    "deepseek:*": "0.28/0.42/0.028",
    "openrouter:openai/gpt-4o-mini": "0.15/0.60/0.075",
    "mistral:*": "0.50/1.50/0.05",
    "groq:*": "0.15/0.60/0.075",
    "moonshot:*": "0.60/2.50/0.15",
    "azure:my-deployment": "2.50/10/1.25",
}
COMPATIBLE = (
    "xai",
    "deepseek",
    "openrouter",
    "router",
    "mistral",
    "groq",
    "moonshot",
    "perplexity",
    "azure",
)


@pytest.fixture
def everywhere(wire):
    """Every vendor at `wire`."""
    root = wire.base_url.removesuffix("/v1")
    env = {
        "LLM_CHAIN": ",".join(dict.fromkeys(row["link"] for row in ROWS)),
        "LLM_PRICES": ",".join(f"{name}={prices}" for name, prices in PRICES.items()),
        "LLM_MAX_COST_PER_REQUEST": "100",
        "LLM_USER_TOKENS_PER_HOUR": "1000000000",
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": wire.base_url,
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": root,
        "GOOGLE_API_KEY": "k",
        "GOOGLE_BASE_URL": root,
    }
    for name in COMPATIBLE:
        env[f"LLM_LINK_{name.upper()}_BASE_URL"] = wire.base_url
    return env


def answer(row):
    """The body of the answer, in the words of the link's vendor."""
    provider, _, model = row["link"].partition(":")
    adapter = provider if provider in USAGES else "openai"
    text = {"openai": "stop", "anthropic": "end_turn", "gemini": "STOP"}
    stated = body(adapter, TEXTS[adapter], usage=row["usage"], finish=text[adapter])
    if row["usage"] is None:
        del stated["usage"]
    name = "modelVersion" if adapter == "gemini" else "model"
    return stated | {name: model} | row.get("body", {})


def prompt(row):
    """Large enough to have caused what the row says of it."""
    return [{"role": "user", "content": "What is 1 + 1?" + "0123456789" * (row["tokens"][0] // 80)}]


def what_is_wrong(row, completion: Completion):
    """Of one row, in words."""
    asked, answered = row["tokens"]
    expected = {
        "tokens": (asked, answered),
        "bill": row["bill"],
        "tier": row.get("tier", ""),
        "charged": row.get("charged"),
        "basis": "stated",
    }
    charged = completion.provider_cost_usd
    seen = {
        "tokens": (completion.usage.input, completion.usage.output),
        "bill": round(completion.cost_usd * 1e6),
        "tier": completion.service_tier,
        "charged": None if charged is None else round(charged * 1e6),
        "basis": completion.cost_basis,
    }
    flags = [flag for flag in completion.flags if not flag.startswith("model: ")]
    unexpected = [flag for flag in flags if not flag.startswith(row.get("flagged", "none"))]
    missing = "flagged" in row and not flags
    if seen == expected and not unexpected and not missing:
        return []
    return [(row["link"], row["how"], seen, expected, completion.flags)]


def booked_as(row):
    return row.get("booked", row["link"])


def test_forty_usages_of_seven_vendors_are_booked_to_the_micro_dollar(
    complete, wire, everywhere, start_worker, redis_url
):
    assert len(ROWS) >= 40
    assert len({row["link"].partition(":")[0] for row in ROWS}) >= 7
    start_worker(everywhere)
    wrong = []
    for row in ROWS:
        wire.body = json.dumps(answer(row))
        job = complete.delay(prompt(row), "u1", model=row["link"], max_tokens=2100)
        wrong += what_is_wrong(row, job.value(30))
    assert wrong == []
    total = sum(row["bill"] for row in ROWS)
    with LedgerProbe(redis_url) as ledger:
        budget = ledger.budget("usd", "fleet", "all")
    assert (budget["spent"], budget["maybe"], budget["held"]) == (total, 0, 0)
    redis = connect(redis_url)
    usage = Usage(redis, KEYS)
    sums = usage.total(usage.today(), usage.today())
    assert (sums.micro_usd, sums.calls, sums.estimated_micro_usd) == (total, len(ROWS), 0)
    by_model = {
        name: each.micro_usd for name, each in usage.by("model", usage.today(), usage.today())
    }
    redis.close()
    names = {booked_as(row).partition(":")[2] for row in ROWS}
    assert by_model == {
        name: sum(row["bill"] for row in ROWS if booked_as(row).endswith(f":{name}"))
        for name in names
    }
