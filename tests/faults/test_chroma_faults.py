"""Chroma is away when a worker starts, comes, is stopped and comes again while it serves."""

from itertools import chain, product
from string import ascii_letters

import pytest
from support.chroma_server import ChromaServer
from support.ledger import KEYS, LedgerProbe, ask, connection, until
from support.near_provider import near_env, near_script, wordings

from worker.ledger.semantic_functions import NearLearn
from worker.semantic.evidence import Observation

pytestmark = [pytest.mark.faults, pytest.mark.chroma]
ZERO = {"temperature": 0}
AWAY = "Chroma does not answer"
BACK = "Chroma answers again"


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


def bodies(redis_url):
    """Of the questions that the ledger has."""
    with LedgerProbe(redis_url) as probe:
        keys = list(probe.redis.scan_iter(f"{KEYS.near_entries('')}*"))
        return [body for key in keys for body in probe.redis.hvals(key)]


def test_a_worker_serves_whether_chroma_is_there_or_not(
    complete, wire, openai_env, start_worker, redis_url, command, chroma_of_its_own
):
    wire.script = near_script
    chroma = chroma_of_its_own
    index = {"LLM_SEMANTIC_INDEX": chroma.url}
    near = {"LLM_SEMANTIC_TIMEOUT_MS": "2000", "LLM_MAX_ATTEMPTS": "1"}
    worker = start_worker(near_env(openai_env, "serve", **near, **index))
    alike = chain(wordings("orders"), (f"Hello, {each}" for each in wordings("orders")))
    unlike = (
        f"How do I cancel {''.join(letters)}?" for letters in product(ascii_letters, repeat=2)
    )

    def answered(texts, user="bob"):
        answer = complete.delay(ask(next(texts)), user, **ZERO).value(30)
        assert "do it for" in answer.text
        return answer.cached

    def said(text):
        return sum(text in line for line in worker.log().splitlines())

    def back(times):
        """It is looked for by what is asked; meanwhile nothing near is found."""
        until(lambda: answered(unlike) or said(BACK) == times, every_s=0.3)

    assert [answered(unlike) for _ in range(4)] == [False] * 4
    assert said(AWAY) == 1
    assert "LLM_SEMANTIC_INDEX" in command("check", code=1, **index)

    chroma.start()
    back(1)
    assert not answered(alike, "ann")
    until(lambda: any('["ann"' in body for body in bodies(redis_url)))
    teach(redis_url)
    until(lambda: answered(alike) == "semantic")

    chroma.kill()
    assert "semantic" not in [answered(alike) for _ in range(3)]
    assert said(AWAY) == 2
    assert "LLM_SEMANTIC_INDEX" in command("health", code=1)
    assert "repeat" in command("erase", "cyd", "--reason", "asked", "--yes", code=1, **index)

    chroma.start()
    back(2)
    until(lambda: answered(alike) == "semantic")
    command("erase", "ann", "--reason", "asked", "--yes", **index)
    until(lambda: sum(map(len, chroma.kept("cc").values())) == len(bodies(redis_url)))
    assert all('["bob"' in body for body in bodies(redis_url))
    with LedgerProbe(redis_url) as probe:
        until(lambda: probe.budget("usd", "fleet", "all")["held"] == 0)
        assert probe.redis.zcard(KEYS.dead) == 0
