"""Links that only the semantic cache asks: vectors of one's own server, a judge in no chain."""

import pytest
from support.hostile import heartbeat
from support.ledger import KEYS, LedgerProbe, ask, connection, until
from support.near_provider import kind, near_script, wordings

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest
from worker.ledger.job_functions import Start, Sweep
from worker.ledger.running_job import RunningJob
from worker.ledger.semantic_functions import Errand


def test_links_in_no_chain_are_asked_and_no_job_may_name_them(
    complete, wire, openai_env, start_worker, redis_url
):
    wire.script = near_script
    start_worker(
        openai_env
        | {
            "LLM_CHAIN": "openai:gpt-4o-mini",
            "LLM_LINK_LOCAL_BASE_URL": wire.base_url,
            "LLM_LINK_LOCAL_FREE": "true",
            "LLM_SEMANTIC_CACHE": "shadow",
            "LLM_SEMANTIC_EMBEDDING": "local:bge-m3",
            "LLM_SEMANTIC_JUDGE": "openai:gpt-4.1-nano",
            "LLM_SEMANTIC_TIMEOUT_MS": "5000",
        }
    )
    first, second, *_ = wordings("orders")
    with LedgerProbe(redis_url) as probe:
        complete.delay(ask(first), "ann", temperature=0).value(30)
        until(lambda: any(probe.redis.scan_iter(f"{KEYS.near_entries('')}*")))
        complete.delay(ask(second), "ann", temperature=0).value(30)
        until(lambda: any(_noted(probe)))
    models = {(kind(call), call.request["model"]) for call in wire.calls}
    assert models == {
        ("embedding", "bge-m3"), ("judge", "gpt-4.1-nano"), ("answer", "gpt-4o-mini")
    }  # fmt: skip
    with pytest.raises(InvalidRequest, match="unknown here"):
        complete.delay(ask("x"), "ann", model="openai:gpt-4.1-nano").value(30)


@pytest.mark.parametrize(("payer", "told"), [("user", "ann"), ("fleet", None)])
def test_who_pays_for_an_errand_is_known_to_a_worker_that_recovers_it(redis_url, payer, told):
    own = connection(redis_url)
    own.redis.flushall()
    call = own.functions
    call(heartbeat())
    request = CompletionRequest.checked(messages=ask("x")).to_json()
    call(Errand("e1", "ann", "interactive", "fp", request, "", 1, "dead", 1, payer))

    replies = []

    def started():
        call(Sweep(10, 3, 6, True, True, "retry", 0))
        replies.append(call(Start("e1", "w2", 60_000, 3, 0, 9)))
        return replies[-1].verdict == "started"

    until(started)
    job = RunningJob.from_reply("e1", replies[-1], lambda _: [])
    assert (job.user_id, job.payer) == ("ann", told)
    own.close()


def _noted(probe):
    keys = probe.redis.scan_iter(f"{KEYS.near_counts('')}*")
    return [probe.redis.hget(key, "noted") for key in keys]
