"""A chain over the vendors' adapters, through a real worker: one fails, the next answers, and both
are priced.
"""

import pytest
from support.ledger import ask


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_three_vendors_stand_in_for_each_other(complete, wire, openai_env, start_worker, pool):
    """OpenAI is down, Anthropic overloaded, Gemini answers; nothing of the prompt, the answer or a
    key is in the log.
    """
    events = {"gpt": "500", "cla": "529", "gem": "ok;in=1000;out=100"}
    wire.script = lambda request, number: events[request["model"][:3]]
    url = wire.base_url.removesuffix("/v1")
    others = {
        "ANTHROPIC_API_KEY": "sk-other-key",
        "ANTHROPIC_BASE_URL": url,
        "GOOGLE_API_KEY": "third-key",
        "GOOGLE_BASE_URL": url,
    }
    chain = {
        "LLM_CHAIN": "openai:gpt-4o-mini,anthropic:claude-haiku-4-5,gemini:gemini-2.5-flash-lite"
    }
    worker = start_worker(openai_env | others | chain, pool=pool, concurrency=2)
    job = complete.delay(ask("the secret prompt"), "u1", max_tokens=100)
    completion = job.value(40)
    assert (completion.provider, completion.model, completion.attempts) == (
        "gemini",
        "gemini-2.5-flash-lite",
        3,
    )
    assert completion.cost_usd == 0.00014  # $0.10 and $0.40 per million tokens
    faults = [fault for _, fault in job.progress().tried]
    assert faults == ["unavailable", "overloaded", ""]
    hidden = ("secret prompt", "sk-other-key", "third-key", "sk-secret-key", completion.text)
    assert [word for word in hidden if word in worker.log()] == []
