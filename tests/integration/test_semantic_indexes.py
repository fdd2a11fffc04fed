"""What every index of the semantic cache does, on the servers that it needs."""

import threading
import uuid

import pytest
from support.chroma_server import name_of_all
from support.documentation import blocks, run
from support.ledger import KEYS, LedgerProbe, connection, until
from support.near_index import MINUTE, first, found, keep, scope, vector

from worker.cache import maker
from worker.commands.servers import operators_ledger
from worker.erasure import Erasure
from worker.semantic.chroma import Chroma
from worker.semantic.chroma_index import ChromaIndex
from worker.semantic.ledger_index import LedgerIndex


class OnLedger:
    """Indexes of several processes, and what is left in their servers."""

    def __init__(self, url):
        self.url = url
        self.connections = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.connections:
            each.close()

    def connection(self):
        self.connections.append(connection(self.url))
        return self.connections[-1]

    def index(self, **options):
        """Of a process of its own."""
        return LedgerIndex(self.connection().functions, 0.01, **options)

    def vectors(self):
        """How many there are."""
        with LedgerProbe(self.url) as probe:
            keys = probe.redis.scan_iter(f"{KEYS.near_entries('')}*")
            return sum(probe.redis.hlen(key) for key in keys)

    def empty(self):
        with LedgerProbe(self.url) as probe:
            probe.redis.flushdb()

    def erasure(self, chroma=None):
        own = self.connection()
        ledger = operators_ledger(own)
        return Erasure(own.redis, own.keys, ledger, own.redis, None, chroma)


class OnChroma(OnLedger):
    def __init__(self, url, server):
        super().__init__(url)
        self.server = server
        self.fleet = uuid.uuid4().hex
        self.servers = []

    def __exit__(self, *_):
        super().__exit__()
        for each in self.servers:
            each.close()

    def chroma(self):
        self.servers.append(Chroma(self.server.url, self.fleet, 30.0))
        return self.servers[-1]

    def index(self, **options):
        return ChromaIndex(self.connection().functions, 0.01, self.chroma(), **options)

    def vectors(self):
        return sum(map(len, self.server.kept(self.fleet).values()))

    def empty(self):
        """Both of them at once: each alone is below."""
        super().empty()
        self.server.forget(self.fleet)

    def erasure(self, chroma=None):
        return super().erasure(chroma or self.chroma())


@pytest.fixture
def on_chroma(redis_url, chroma):
    with OnChroma(redis_url, chroma) as servers:
        yield servers


@pytest.fixture(params=["ledger", pytest.param("chroma", marks=pytest.mark.chroma)])
def servers(request, redis_url):
    if request.param == "chroma":
        yield request.getfixturevalue("on_chroma")
        return
    with OnLedger(redis_url) as servers:
        yield servers


def test_the_nearest_is_found_by_every_process_and_none_of_another_scope(servers):
    one, two = servers.index(), servers.index()
    assert found(one, 3) is None
    for number in range(6):
        keep(one, number)
    assert [found(index, 3) for index in (one, two)] == [("question 3", 1.0)] * 2
    assert found(one, 3, "other") is None
    keep(two, 9)
    assert found(one, 9) == ("question 9", 1.0)
    own = first(one, scope("question 9"), vector(9))
    assert own is None or own.question != "question 9"
    alike = [each.similarity for each in one.nearest(scope("asked"), vector(3))]
    assert alike == sorted(alike, reverse=True)
    keep(one, 3)
    again = [each.question for each in one.nearest(scope("asked"), vector(3))]
    assert again.count("question 3") == 1


def test_scopes_that_keep_the_same_vectors_never_see_each_other_s(servers):
    index = servers.index()
    keys = [uuid.uuid4().hex for _ in range(3)]
    for key in keys:
        index.keep(scope(f"of {key}", key), vector(1), "ann", MINUTE)
    for key in keys:
        candidates = index.nearest(scope("asked", key), vector(1))
        index.ahead(scope("asked", key))
        assert {each.question for each in candidates} <= {f"of {key}"}
        assert first(index, scope("asked", key), vector(1)).question == f"of {key}"


def test_a_scope_is_bounded_and_the_oldest_leave(servers):
    index, reader = servers.index(most=3), servers.index(most=3)
    for number in range(7):
        keep(index, number)
        assert found(reader, number) == (f"question {number}", 1.0)
    assert servers.vectors() == 3
    assert found(reader, 2) != ("question 2", 1.0)


def test_what_is_past_its_life_is_not_found(servers):
    index = servers.index()
    keep(index, 1, life_ms=1)
    until(lambda: found(index, 1) is None)


def test_an_erased_user_leaves_no_vector(servers):
    index, reader = servers.index(), servers.index()
    for key in ("one", "two"):
        for user, number in (("ann", 1), ("bob", 2)):
            asked = scope(f"question {number}", key)
            index.keep(asked, vector(number), maker(user), MINUTE)
            found(reader, number, key)
    list(servers.erasure().run("ann"))
    assert servers.vectors() == 2
    for key in ("one", "two"):
        found(reader, 1, key)
        assert found(reader, 1, key) != ("question 1", 1.0)
        assert found(reader, 2, key) == ("question 2", 1.0)


def test_emptied_servers_know_nothing_and_learn_anew(servers):
    index = servers.index()
    keep(index, 1)
    assert found(index, 1) == ("question 1", 1.0)
    servers.empty()
    assert found(index, 1) is None
    keep(index, 5)
    assert found(index, 5) == ("question 5", 1.0)


def test_vectors_of_another_size_are_like_nothing(servers):
    """A server that changed its model behind the same name."""
    index = servers.index()
    keep(index, 1)
    assert first(index, scope("asked"), vector(1, 32)) is None
    index.keep(scope("long"), vector(1, 32), "ann", MINUTE)
    long = first(index, scope("asked"), vector(1, 32))
    assert (long.question, round(long.similarity, 2)) == ("long", 1.0)
    short = first(index, scope("asked"), vector(1))
    assert short is None or short.question == "question 1"


def test_two_processes_that_add_at_once_lose_nothing(servers):
    """The scope is new, so both make what it needs."""
    start = threading.Barrier(2)

    def add(index, numbers):
        start.wait()
        for number in numbers:
            keep(index, number)

    each = [(servers.index(), range(first, 10, 2)) for first in range(2)]
    threads = [threading.Thread(target=add, args=both) for both in each]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert servers.vectors() == 10
    reader = servers.index()
    assert [found(reader, n) for n in range(10)] == [(f"question {n}", 1.0) for n in range(10)]


@pytest.mark.chroma
def test_each_scope_has_a_collection_of_its_own(on_chroma):
    """So that also one who asks Chroma itself sees none of another."""
    index = on_chroma.index()
    for key in ("one", "two"):
        index.keep(scope(f"of {key}", key), vector(1), "ann", MINUTE)
    chroma = on_chroma.chroma()
    for key in ("one", "two"):
        (hit,) = chroma.nearest(key, vector(1), 10)
        assert hit.entry == scope(f"of {key}", key).entry


@pytest.mark.chroma
def test_the_end_of_each_is_looked_at(on_chroma):
    """The ledger's entries of a scope live as long as the last of them."""
    index = on_chroma.index()
    keep(index, 1, life_ms=1_000)
    keep(index, 2)
    until(lambda: found(index, 1) != ("question 1", 1.0))
    assert found(index, 2) == ("question 2", 1.0)


@pytest.mark.chroma
def test_what_has_left_the_ledger_leaves_chroma_when_it_is_seen(on_chroma):
    index = on_chroma.index()
    keep(index, 1)
    OnLedger.empty(on_chroma)
    assert found(index, 1) is None
    assert on_chroma.vectors() == 1
    keep(index, 2)
    assert on_chroma.vectors() == 1
    assert found(index, 2) == ("question 2", 1.0)


@pytest.mark.chroma
def test_a_chroma_that_comes_back_empty_learns_anew(on_chroma):
    index = on_chroma.index()
    keep(index, 1)
    on_chroma.server.forget(on_chroma.fleet)
    assert found(index, 1) is None
    keep(index, 1)
    assert found(index, 1) == ("question 1", 1.0)


@pytest.mark.chroma
def test_what_is_past_its_life_leaves_chroma_also_of_scopes_that_nobody_uses(on_chroma):
    index = on_chroma.index(sweep_s=0.0)
    keep(index, 1, "unused", life_ms=1)

    def swept():
        keep(index, 2)
        return on_chroma.vectors() == 1

    until(swept)
    (name,) = on_chroma.server.kept(on_chroma.fleet)
    assert name.startswith(name_of_all(on_chroma.fleet))
    assert found(index, 2) == ("question 2", 1.0)


@pytest.mark.chroma
def test_chroma_is_told_vectors_and_hashes_only(on_chroma):
    index = on_chroma.index()
    index.keep(scope("my secret question"), vector(1), maker("zoe@example.com"), MINUTE)
    told = on_chroma.server.everything()
    assert "secret" not in told
    assert "zoe" not in told
    assert "faq" not in told


@pytest.mark.chroma
def test_what_is_left_in_a_chroma_that_was_not_named_is_told(on_chroma, command):
    index = on_chroma.index()
    index.keep(scope("question"), vector(1), maker("ann"), MINUTE)
    command("erase", "bob", "--reason", "asked", "--yes")
    said = command("erase", "ann", "--reason", "asked", "--yes", code=1)
    assert "1 vectors are left in Chroma. Fix: if it is still there, export" in said
    list(on_chroma.erasure().run("ann"))
    assert on_chroma.vectors() == 0


@pytest.mark.chroma
def test_each_index_passes_over_what_the_other_kept(on_chroma):
    by_chroma = on_chroma.index()
    by_ledger = LedgerIndex(on_chroma.connection().functions, 0.01)
    keep(by_chroma, 1)
    keep(by_ledger, 2)
    assert (found(by_ledger, 1), found(by_ledger, 2)) == (None, ("question 2", 1.0))
    assert (found(by_chroma, 1), found(by_chroma, 2)) == (("question 1", 1.0), None)


@pytest.mark.chroma
def test_the_command_of_the_page_runs(chroma, redis_url, tmp_path):
    (block,) = [each for each in blocks() if each.run == "chroma"]
    env = {"REDIS_URL": redis_url, "LLM_CHAIN": "simulator:sim-small", "CHROMA": chroma.url}
    run(block, tmp_path, env)
