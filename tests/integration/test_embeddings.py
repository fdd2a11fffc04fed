"""Vectors through a real worker: the same ledger, limits, cache and lanes as answers."""

import asyncio
import json

import pytest
from openai.types import CreateEmbeddingResponse
from support.all_vendors import env as all_vendors
from support.ledger import KEYS, LedgerProbe, ask, until
from support.protocol_embeddings import vector

from producer import Batch, embed
from producer.batch_output import openai
from producer.contract.errors import (
    BudgetExceeded,
    InvalidRequest,
    ProvidersExhausted,
    RateLimited,
    TooLong,
)
from producer.request_files import RequestFile

SMALL = "text-embedding-3-small"


@pytest.fixture
def vendors(wire, complete):
    """All of them at `wire`; two servers with one model."""
    env = all_vendors(wire.base_url, ["openai:gpt-4o-mini", "anthropic:claude-haiku-4-5"])
    chain = (
        f"openai:{SMALL},local:{SMALL},gemini:gemini-embedding-001,anthropic:claude-haiku-4-5,"
        "local:exotic"
    )
    return env | {
        "LLM_EMBEDDING_CHAIN": chain,
        "LLM_LINK_LOCAL_BASE_URL": wire.base_url,
        "LLM_LINK_LOCAL_FREE": "true",
        "LLM_BACKOFF_SECONDS": "0.05",
        "LLM_MAX_ATTEMPTS": "3",
    }


def test_texts_become_vectors_once_and_are_kept(wire, vendors, start_worker, redis_url, tmp_path):
    """Typed, priced, booked, recorded; the second time they cost nothing, whoever asks."""
    worker = start_worker(vendors)
    texts = ["one " * 5_000, "two", "three"]
    job = embed.delay(texts, "u1")
    found = job.value(30)
    assert found.vectors == [vector(text) for text in texts]
    assert (found.model, found.provider, found.cached, found.attempts) == (
        SMALL,
        "openai",
        False,
        1,
    )
    assert found.usage.output == 0
    micro_usd = -(-found.usage.input * 2 // 100)
    assert round(found.cost_usd * 1e6) == micro_usd > 0
    with LedgerProbe(redis_url) as ledger:
        books = ledger.budget("usd", "fleet", "all")
        assert (books["spent"], books["held"], books["maybe"]) == (micro_usd, 0, 0)
        assert ledger.redis.hget(KEYS.job(job.id), "wire") == "3"
    again = embed.delay(tuple(texts), "u2", lane="batch", tags=["x"]).value(30)
    assert (again.vectors, again.cached, again.cost_usd) == (found.vectors, True, 0)
    assert not embed.delay(texts, "u1", dimensions=4).value(30).cached
    assert embed.delay(texts, "u1", cache="bypass").value(30).attempts == 1
    assert [call.model for call in wire.calls] == [SMALL] * 3
    line = json.loads(next(each for each in worker.log().splitlines() if '"provider_call"' in each))
    told = (line["model"], line["input_tokens"], line["output_tokens"], line["error"])
    assert told == (SMALL, found.usage.input, 0, None)
    assert "three" not in worker.log()
    every_way_to_ask_gives_the_same(wire)
    a_file_of_a_batch_has_vectors(tmp_path)


def every_way_to_ask_gives_the_same(wire):
    """One text, many jobs, an awaited one, another vendor's model, Celery's own result."""
    one = embed.delay("one", "u1", model="gemini:gemini-embedding-001", dimensions=3)
    assert (one.value(30).vectors, one.value().provider) == ([vector("one", 3)], "gemini")
    jobs = embed.many([["a"], {"texts": ["b", "c"], "lane": "batch"}], "u1", model=SMALL)
    assert [len(job.value(30)) for job in jobs] == [1, 2]

    async def awaited():
        return await embed.apply_async((["a"], "u1"), task_id="my-own-id")

    found = asyncio.run(awaited())
    assert (found.vectors, found.request_id) == ([vector("a")], "my-own-id")
    assert embed.AsyncResult("my-own-id").get(timeout=10)["vectors"]["dimensions"] == 8
    assert embed.s(["a"], "u1").apply_async().get(timeout=10)["provider"] == "openai"
    usageless = embed.delay(["d"], "u1", model="local:exotic")
    wire.script = lambda request, number: "nousage"
    assert usageless.value(30).cost_usd == 0


def a_file_of_a_batch_has_vectors(tmp_path):
    """In OpenAI's form there and back, beside answers; its SDK reads them."""
    path = tmp_path / "texts.jsonl"
    path.write_text(
        "".join(
            json.dumps({"custom_id": name, "method": "POST", "url": "/v1/embeddings", "body": body})
            + "\n"
            for name, body in {
                "one": {"model": SMALL, "input": "one"},
                "two": {"input": ["b", "c"], "dimensions": 3, "encoding_format": "float"},
                "wrong": {"input": "d", "encoding_format": "base64"},
            }.items()
        )
    )
    batch = Batch.submit(RequestFile(str(path)), "u1")
    done = {item.name: openai(item) for item in batch.as_completed(timeout=30)}
    found = {name: line["response"]["body"] for name, line in done.items() if not line["error"]}
    read = {name: CreateEmbeddingResponse.model_validate(body) for name, body in found.items()}
    assert [each.embedding for each in read["one"].data] == [vector("one")]
    assert [each.embedding for each in read["two"].data] == [vector("b", 3), vector("c", 3)]
    assert read["two"].model == SMALL
    assert "body.encoding_format: results are numbers" in done["wrong"]["error"]["message"]


def test_only_a_link_with_the_same_model_stands_in(wire, vendors, start_worker):
    """Vectors of two models cannot be compared."""

    def script(request, number):
        return "500" if number == 0 or request["model"] != SMALL else "ok"

    wire.script = script
    start_worker(vendors)
    found = embed.delay(["a"], "u1").value(30)
    assert (found.provider, found.model, found.attempts) == ("local", SMALL, 2)
    with pytest.raises(ProvidersExhausted):
        embed.delay(["a"], "u1", model="gemini-embedding-001", on_outage="fail").value(30)
    assert {call.model for call in wire.calls} == {SMALL, "gemini-embedding-001"}
    what_cannot_be_is_told_before_a_call(wire)


def what_cannot_be_is_told_before_a_call(wire):
    """At selection, with the link's name; and what the provider refuses by its own words."""
    before = len(wire.calls)
    wrong = {
        "anthropic:claude-haiku-4-5": "anthropic:claude-haiku-4-5 cannot make embeddings",
        "openai:gpt-4o-mini": "model: makes no embeddings here",
    }
    for model, words in wrong.items():
        with pytest.raises(InvalidRequest, match=words):
            embed.delay(["a"], "u1", model=model).value(30)
    with pytest.raises(TooLong, match=r"texts\[1\]: at least"):
        embed.delay(["a", "word " * 9_000], "u1", model=f"openai:{SMALL}").value(30)
    with pytest.raises(InvalidRequest, match=r"texts\[0\]: is empty"):
        embed.delay([""], "u1")
    with pytest.raises(InvalidRequest, match="temperature: not an option of embed"):
        embed.delay(["a"], "u1", temperature=0)
    assert len(wire.calls) == before
    wire.script = lambda request, number: "ok;dimensions=8"
    with pytest.raises(InvalidRequest, match="dimensions"):
        embed.delay(["a"], "u1", model="local:exotic", dimensions=3).value(30)


def test_limits_and_rate_limits_hold(wire, vendors, start_worker, complete, redis_url):
    """A refused one makes no call; a provider's 429 is waited for; a text stays a text."""
    wire.script = lambda request, number: "ok" if number else "429;ra=0.2"
    start_worker(
        vendors
        | {
            "LLM_EMBEDDING_CHAIN": f"openai:{SMALL}",
            "LLM_USER_TOKENS_PER_HOUR": "5000",
            "LLM_MAX_COST_PER_REQUEST": "0.00014",
            "LLM_STATIC_FALLBACK": "no vectors",
        }
    )
    assert len(embed.delay(["a"], "u1").value(30)) == 1
    assert len(wire.calls) == 2
    with pytest.raises(RateLimited, match="user_tokens_per_hour"):
        embed.delay(["word " * 4_500], "u2").value(30)
    with pytest.raises(BudgetExceeded, match="max_cost_per_request"):
        embed.delay(["word " * 6_000], "u3").value(30)
    wire.script = lambda request, number: "500"
    with pytest.raises(ProvidersExhausted):
        embed.delay(["b"], "u1", on_outage="fail").value(30)
    wire.script = lambda request, number: "ok"
    text = complete.delay(ask("x"), "u1", max_tokens=20)
    until(lambda: text.progress().state == "done")
    with pytest.raises(InvalidRequest, match="answers with text"):
        embed.AsyncResult(text.id).value(1)
