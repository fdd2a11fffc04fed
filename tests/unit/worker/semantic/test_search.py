"""What fails in the semantic cache is a miss: it costs neither the answer nor the books."""

import base64
import json
import math
import threading
from array import array
from concurrent.futures import Future

import pytest
from support.running_jobs import running_job

from producer.contract.completions import Completion, Vectors
from producer.contract.requests import CompletionRequest
from worker.cache import Cache
from worker.ledger.attempt import NOTHING_SAVED, POSSIBLY_BILLED, Attempt, Candidate
from worker.semantic.cache import Found, Search, SemanticCache
from worker.semantic.errands import Done
from worker.semantic.evidence import Observation, Pool
from worker.semantic.index import Candidate as NearQuestion
from worker.semantic.index import Known, Looked
from worker.semantic.scope import Scope
from worker.settings import CacheSettings, CallSettings, Link, SemanticSettings

LINK = Link(provider="openai", model="m", adapter="openai")
SCOPE = Scope("key", "name", "How can I cancel an order?", "mine", "default", "")
STORED = Completion.fake("stored", cost_usd=0.5)


class Ledger:
    """Answers as a ledger that knows one question; fails at the functions in `broken`."""

    def __init__(self, *broken):
        self.broken = broken
        self.called = []
        self.gone = ""

    def __call__(self, call):
        self.called.append(call.function)
        if call.function in self.broken:
            raise OSError("away")
        if call.function == "near_peek":
            entry = f"9;1;;ann;{STORED.model_dump_json()}"
            if call.entry == self.gone:
                entry = ""
            return call.reply(entry, 2, 0, 0, "yes")
        return None


class NoIndex:
    def close(self):
        pass


def search(ledger, monkeypatch, chance=0.99, at_s=math.inf):
    """`at_s`: when its candidate was looked at; by default only now."""
    monkeypatch.setattr("random.random", lambda: chance)
    counts = {}
    for label, verdict, count in (("right", "yes", 90), ("wrong", "no", 5)):
        counts |= dict.fromkeys(Observation(0.95, verdict, label).fields, count)
    near = NearQuestion("entry", "theirs", "default", "How do I cancel my order?", 0.95)
    far = near._replace(entry="far", question="How do I cancel 2 orders?", similarity=0.99)
    found = Future()
    looked = Looked((far, near), Pool(counts), 0)
    cache = Cache(CacheSettings(), CallSettings(), (LINK,), "fast")
    settings = SemanticSettings(mode="serve", judge="openai:m")
    semantic = SemanticCache(settings, cache, NoIndex(), None, ledger, "openai:e", 1000)
    found.set_result(tried(semantic, looked, at_s))
    return Search(semantic, running_job(), SCOPE, found)


def tried(semantic, looked, at_s=math.inf):
    vector = base64.b64encode(b"\0\0").decode()
    trial = semantic.tried(running_job(), SCOPE, looked)
    return Found(vector, looked, 7, trial, at_s)


def reserved():
    attempt = Attempt()
    attempt.reserved(Candidate(LINK, 10, 100, 10), 1)
    return attempt


def test_a_hit_gives_its_hold_back_and_is_counted(monkeypatch):
    ledger, attempt = Ledger(), reserved()
    answer = search(ledger, monkeypatch).answer(attempt)
    assert (answer.text, answer.cached, answer.similarity) == ("stored", "semantic", 0.95)
    assert answer.cost_usd == pytest.approx(7e-6)
    assert (attempt.bill.kind, attempt.saved.micro_usd) == ("none", 500_000)
    assert json.loads(attempt.saved.near).items() >= {"scope": "key", "entry": "entry"}.items()
    assert ledger.called == ["near_peek"]


def test_what_was_found_long_ago_is_looked_at_again(monkeypatch):
    """It may have been erased while its job waited for its hold."""
    ledger = Ledger()
    found = search(ledger, monkeypatch, at_s=0)
    ledger.gone = "entry"
    assert found.answer(reserved()) is None
    assert ledger.called == ["near_peek", "near_peek"]


def test_a_ledger_that_fails_half_way_leaves_the_job_as_it_was(monkeypatch):
    ledger, attempt = Ledger(), reserved()
    found = search(ledger, monkeypatch, at_s=0)
    ledger.broken = ("near_peek",)
    assert found.answer(attempt) is None
    assert (attempt.bill, attempt.saved) == (POSSIBLY_BILLED, NOTHING_SAVED)


def test_some_of_what_could_be_served_is_asked(monkeypatch):
    assert search(Ledger(), monkeypatch, chance=0.001).answer(reserved()) is None


def test_learning_after_the_end_costs_no_answer(monkeypatch):
    found = search(Ledger(), monkeypatch)
    found._near.close()
    found.learn(STORED, kept=True)


def test_where_the_best_one_s_answer_is_gone_the_next_is_looked_at(monkeypatch):
    ledger = Ledger()
    found = search(ledger, monkeypatch)
    ((far, near), *rest) = found._found.result().looked
    nearer = near._replace(entry="gone", similarity=0.97)
    both = Looked((far, nearer, near), *rest)
    found._found = Future()
    ledger.gone = "gone"
    found._found.set_result(tried(found._near, both))
    assert found.answer(reserved()).similarity == 0.95
    assert ledger.called == ["near_peek"] * 3


def test_a_scope_is_read_while_the_vector_is_made():
    """And its errand is settled afterwards, so that a miss waits for its embedding only."""
    read, settled = threading.Event(), threading.Event()

    class Index(NoIndex):
        def ahead(self, scope):
            read.set()
            return Known(Pool({}), 0)

        def nearest(self, scope, vector):
            return ()

    class Errands:
        def do(self, job, request, early):
            assert read.wait(10)
            data = base64.b64encode(array("f", [1.0, 0.0]).tobytes()).decode()
            vectors = Vectors(data=data, dimensions=2)
            early(Done(Completion.fake("", vectors=vectors), 7))
            settled.wait(20)

    cache = Cache(CacheSettings(), CallSettings(), (LINK,), "fast")
    settings = SemanticSettings(mode="serve")
    near = SemanticCache(settings, cache, Index(), Errands(), Ledger(), "openai:e", 1000)
    asked = [{"role": "user", "content": "How can I cancel an order?"}]
    question = CompletionRequest.checked(messages=asked, temperature=0)
    found = near.begin(running_job(request=question))._found.result(10)
    settled.set()
    assert (found.looked, found.micro_usd) == (Looked((), Pool({}), 0), 7)
    near.close()
