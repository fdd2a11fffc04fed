"""The index in the ledger's server, beside what every index does (`test_semantic_indexes.py`), and
the evidence: exact, bounded.
"""

import threading
from array import array
from random import Random

import pytest
from support.hostile import item, settle, start, submit
from support.ledger import KEYS, LedgerProbe, connection
from support.near_index import MINUTE, first, found, keep, scope

from producer.contract.ledger.calls import NearWrong
from worker.ledger.semantic_functions import NearLearn
from worker.semantic.evidence import Observation
from worker.semantic.ledger_index import LedgerIndex
from worker.semantic.vectors import packed


@pytest.fixture
def call(redis_url):
    found = connection(redis_url)
    yield found.functions
    found.close()


@pytest.fixture
def probe(redis_url):
    with LedgerProbe(redis_url) as probe:
        yield probe


def test_more_than_a_page_is_read_and_what_was_kept_again_is_one(call, probe):
    index, reader = LedgerIndex(call, 0.01), LedgerIndex(call, 0.01)
    for number in range(1_100):
        keep(index, number)
    keep(index, 7)
    assert 0 < probe.redis.pttl(KEYS.near_entries("scope")) <= MINUTE
    assert found(reader, 1_099) == ("question 1099", 1.0)
    assert found(reader, 7) == ("question 7", 1.0)


def test_long_vectors_are_found_by_their_sketches(call):
    """Of 60 that are all much alike, the right one: a sketch alone would not tell them apart."""
    index = LedgerIndex(call, 0.01)
    rows = [array("f", [Random(0).gauss() for _ in range(1_200)]) for _ in range(60)]
    for number, row in enumerate(rows):
        rng = Random(number)
        near = array("f", [each + 0.3 * rng.gauss() for each in row])
        index.keep(scope(f"question {number}"), packed(near.tobytes()), "ann", MINUTE)
        rows[number] = near
    for number, row in enumerate(rows):
        candidate = first(index, scope("asked"), packed(row.tobytes()))
        assert (candidate.question, candidate.similarity) == (
            f"question {number}",
            pytest.approx(1, abs=1e-3),
        )


def test_what_is_gone_from_the_server_is_forgotten_here(call, probe):
    index = LedgerIndex(call, 0.01)
    for number in range(3):
        keep(index, number)
    assert found(index, 1) == ("question 1", 1.0)
    entry = scope("question 1").entry
    probe.redis.hdel(KEYS.near_entries("scope"), entry)
    probe.redis.zrem(KEYS.near_order("scope"), entry)
    found(index, 1)
    assert found(index, 1) != ("question 1", 1.0)
    probe.redis.flushdb()
    assert found(index, 1) is None
    keep(index, 5)
    assert found(index, 5) == ("question 5", 1.0)


def test_no_observation_of_several_workers_is_lost(redis_url, call):
    fields = Observation(0.9, "yes", "right", would_serve=True).fields

    def learn():
        own = connection(redis_url)
        for _ in range(100):
            own.functions(NearLearn("scope", "entry", "pair", label="right", items=fields))
        own.close()

    threads = [threading.Thread(target=learn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool = LedgerIndex(call, 0.01).ahead(scope("asked")).pool
    assert (pool.labelled, pool.measured, pool.true_yes) == (400, (0, 400), (400, 400))


def test_old_evidence_fades_and_verdicts_are_bounded(call, probe):
    fields = Observation(0.9, "yes", "right").fields
    probe.redis.hset(KEYS.near_counts("scope"), mapping={fields[0]: 19_999, "noted": 19_999})
    call(NearLearn("scope", "entry", "pair", label="right", items=fields))
    assert probe.redis.hget(KEYS.near_counts("scope"), fields[0]) == "10000"
    for number in range(300):
        call(NearLearn("scope", "entry", f"pair {number}", verdict="no"))
    assert probe.redis.hlen(KEYS.near_own("scope", "entry")) <= 203
    assert probe.redis.hget(KEYS.near_own("scope", "entry"), "right") == "1"


def test_a_report_counts_once_and_of_a_job_that_was_served_only(call, probe):
    for step in (submit(item("job")), start("job"), settle("job")):
        call(step)
    told = probe.redis.hgetall(KEYS.near_counts("scope"))
    assert {"hits": "1", "saved_micro": "7"}.items() <= told.items()
    assert call(NearWrong("another")).state == "missing"
    assert [call(NearWrong("job")).state for _ in range(2)] == ["ok", "missing"]
    assert probe.redis.hgetall(KEYS.near_own("scope", "entry")) == {"wrong": "1", "pair": "no"}
