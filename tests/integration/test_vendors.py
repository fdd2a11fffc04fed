"""A chain over real vendors' adapters, through a real worker: OpenAI fails, Anthropic answers, and both are priced."""

from support.ledger import ask


def test_anthropic_answers_when_openai_does_not(complete, wire, openai_env, start_worker):
    wire.script = lambda request, number: "500" if request["model"].startswith("gpt") else "ok;in=1000;out=100"
    claude = {"ANTHROPIC_API_KEY": "sk-other-key", "ANTHROPIC_BASE_URL": wire.base_url.removesuffix("/v1")}
    worker = start_worker(openai_env | claude | {"LLM_CHAIN": "openai:gpt-4o-mini,anthropic:claude-haiku-4-5"})
    job = complete.delay(ask("the secret prompt"), "u1", max_tokens=100)
    completion = job.value(30)
    assert (completion.provider, completion.model, completion.attempts) == ("anthropic", "claude-haiku-4-5", 2)
    assert completion.cost_usd == 0.0015  # $1 and $5 per million tokens
    assert job.status.tried == (("openai:gpt-4o-mini", "unavailable"), ("anthropic:claude-haiku-4-5", ""))
    assert [word for word in ("secret prompt", "sk-other-key", completion.text) if word in worker.log()] == []
