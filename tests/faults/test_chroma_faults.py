"""Chroma is away when a worker starts, comes, is stopped and comes again while it serves."""

import pytest
from support.chroma_server import ChromaServer
from support.ledger import KEYS, LedgerProbe, ask, connection, until
from support.near_provider import near_env, near_script, wordings

from worker.ledger.semantic_functions import NearLearn
from worker.semantic.evidence import Observation

pytestmark = pytest.mark.faults
ZERO = {"temperature": 0}
AWAY = "Chroma does not answer"


@pytest.fixture
def chroma_of_its_own(tmp_path):
    (tmp_path / "chroma").mkdir()
    server = ChromaServer(tmp_path / "chroma")
    yield server
    server.kill()


def teach(redis_url):
    """The only scope knows enough to serve."""
    call = connection(redis_url).functions
    with LedgerProbe(redis_url) as probe:
        (key,) = probe.redis.scan_iter(f"{KEYS.near_counts('')}*")
    scope = key.removeprefix(KEYS.near_counts(""))
    for label, verdict, count in (("right", "yes", 80), ("wrong", "no", 10)):
        fields = Observation(0.95, verdict, label).fields
        for _ in range(count):
            call(NearLearn(scope, "another", "pair", label=label, items=fields))


def test_a_worker_serves_whether_chroma_is_there_or_not(
    complete, wire, openai_env, start_worker, redis_url, command, chroma_of_its_own
):
    wire.script = near_script
    chroma = chroma_of_its_own
    index = {"LLM_SEMANTIC_INDEX": chroma.url}
    near = {"LLM_SEMANTIC_TIMEOUT_MS": "2000", "LLM_MAX_ATTEMPTS": "1"}
    worker = start_worker(near_env(openai_env, "serve", **near, **index))
    asked = iter(
        text for topic in ("orders", "flights", "rooms", "tables") for text in wordings(topic)
    )

    def answered(user="ann"):
        answer = complete.delay(ask(next(asked)), user, **ZERO).value(30)
        assert "do it for" in answer.text
        return answer.cached

    def said(text):
        return sum(text in line for line in worker.log().splitlines())

    assert [answered() for _ in range(4)] == [False] * 4
    assert said(AWAY) == 1
    assert "LLM_SEMANTIC_INDEX" in command("check", code=1, LLM_SEMANTIC_CACHE="off", **index)

    chroma.start()
    until(lambda: not answered() and any(chroma.kept("cc").values()))
    teach(redis_url)
    until(lambda: answered("bob") == "semantic")
    served = said(AWAY)

    chroma.kill()
    assert not any(answered() == "semantic" for _ in range(5))
    assert said(AWAY) == served + 1
    assert "LLM_SEMANTIC_INDEX" in command("health", code=1)
    assert "repeat" in command("erase", "ann", "--reason", "asked", "--yes", code=1, **index)

    chroma.start()
    until(lambda: answered("bob") == "semantic")
    command("erase", "ann", "--reason", "asked", "--yes", **index)
    kept = sum(map(len, chroma.kept("cc").values()))
    with LedgerProbe(redis_url) as probe:
        (key,) = probe.redis.scan_iter(f"{KEYS.near_entries('')}*")
        assert probe.redis.hlen(key) == kept
        assert all('["bob"' in body for body in probe.redis.hvals(key))
        until(lambda: probe.budget("usd", "fleet", "all")["held"] == 0)
        assert probe.redis.zcard(KEYS.dead) == 0
