"""Results are stored beside the slots of their jobs, whatever their server does."""

import os
import threading
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from celery.backends.redis import RedisBackend
from redis.exceptions import ConnectionError as Away
from redis.exceptions import ResponseError
from support.ledger import until

from worker.broker import outbox as beside
from worker.broker.outbox import Outbox, Result
from worker.broker.results import Results
from worker.celery import create_app


class Server:
    """Stores what it is given, unless it refuses."""

    def __init__(self):
        self.well = True
        self.kept = []
        self.trips = 0
        self.refuses_from = None
        self.tried = threading.Event()

    def store(self, results):
        self.trips += 1
        self.tried.set()
        for each in results:
            if not self.well or each.task_id == self.refuses_from:
                raise Away("refused")
            self.kept.append((each.task_id, each.payload))
            yield each

    def names(self):
        return [name for name, _ in self.kept]


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def outbox(server, monkeypatch):
    """Its slots wait for no server that does not answer."""
    monkeypatch.setattr(beside, "PATIENCE_S", 0.05)
    monkeypatch.setattr(beside, "PAUSES_S", (0.01, 0.02))
    return Outbox(server.store)


def final(name, payload="x"):
    return Result(name, payload, "SUCCESS")


def in_trouble(outbox, server):
    server.well = False
    outbox.put(final("first"), wait=True)


def test_it_is_stored_when_the_slot_goes_on(outbox, server, monkeypatch):
    """If it is not the last one, or its chord is told of it."""
    monkeypatch.setattr(beside, "PATIENCE_S", 30)
    outbox.put(final("a"), wait=True)
    assert server.names() == ["a"]
    outbox.put(Result("b", "x", "RETRY"))
    assert server.names() == ["a", "b"]


def test_what_could_not_be_stored_is_stored_when_the_server_is_mended(outbox, server):
    in_trouble(outbox, server)
    for number in range(20):
        outbox.put(final(f"t{number}"))
    assert outbox.waiting("first")
    assert outbox.waiting("t19")
    server.well = True
    outbox.flush(30)
    assert server.names() == ["first", *(f"t{n}" for n in range(20))]
    assert not outbox.waiting("first")


def test_what_waits_is_stored_in_one_trip(outbox, server, monkeypatch):
    """In their order; what a trip has stored before it failed is not stored again."""
    in_trouble(outbox, server)
    for number in range(20):
        outbox.put(final(f"t{number}"))
    server.refuses_from, server.well, server.trips = "t9", True, 0
    until(lambda: len(outbox.waiting("t9")) == 1 and not outbox.waiting("t8"))
    server.refuses_from = None
    outbox.flush(30)
    assert server.names() == ["first", *(f"t{n}" for n in range(20))]
    assert server.trips < 20


@pytest.mark.parametrize(
    ("bound", "value", "taken"), [("AT_ONCE", 3, 3), ("AT_ONCE_BYTES", 350, 4)]
)
def test_a_trip_is_bounded(outbox, server, monkeypatch, bound, value, taken):
    monkeypatch.setattr(beside, bound, value)
    in_trouble(outbox, server)
    for number in range(8):
        outbox.put(final(f"t{number}", "x" * 100))
    first = ["first", "t0", "t1", "t2"]
    assert [each.task_id for each in outbox._oldest()] == first[:taken]
    server.well = True
    outbox.flush(30)
    assert server.names()[-1] == "t7"


def test_a_slot_waits_for_no_server_in_trouble(outbox, server, monkeypatch):
    in_trouble(outbox, server)
    monkeypatch.setattr(beside, "PATIENCE_S", 1e6)
    outbox.put(final("next"))  # or the test never ends
    outbox.put(Result("next", "x", "RETRY"))
    assert outbox.waiting("next")


def test_a_state_that_is_not_the_last_does_not_wait(outbox, server):
    """It would overwrite the one that another worker stores later."""
    server.well = False
    outbox.put(Result("parked", "x", "RETRY"))
    assert not outbox.waiting("parked")


def test_the_latest_of_a_task_counts(outbox, server):
    in_trouble(outbox, server)
    outbox.put(final("a", "old"))
    outbox.put(final("a", "new"))
    server.well = True
    outbox.flush(30)
    assert [kept for kept in server.kept if kept[0] == "a"] == [("a", "new")]


@pytest.mark.parametrize(("bound", "value"), [("MOST", 5), ("MOST_BYTES", 500)])
def test_what_waits_is_bounded(outbox, server, monkeypatch, caplog, bound, value):
    """The oldest are dropped, and counted."""
    in_trouble(outbox, server)
    monkeypatch.setattr(beside, bound, value)
    for number in range(20):
        outbox.put(final(f"t{number}", "x" * 100))
    server.well = True
    outbox.flush(30)
    assert server.names()[-5:] == [f"t{n}" for n in range(15, 20)]
    assert "t10" not in server.names()


def test_a_stop_waits_for_so_long_and_tells(outbox, server, caplog):
    in_trouble(outbox, server)
    began = time.monotonic()
    outbox.flush(0.1)
    assert time.monotonic() - began < 10
    assert "1 are not stored" in caplog.text
    server.well = True
    outbox.flush(30)


@pytest.fixture
def backend(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    backend = create_app().backend
    assert isinstance(backend, Results)
    return backend


def test_a_forked_child_has_a_thread_of_its_own(backend, monkeypatch):
    read, write = os.pipe()
    kept = []

    def store(results):
        kept.extend(each.task_id for each in results)
        return results

    monkeypatch.setattr(backend, "_store", store)
    backend.store_result("parents", {}, "SUCCESS")
    backend._outbox().flush(30)
    child = os.fork()
    if child == 0:
        backend.store_result("childs", {}, "SUCCESS")
        backend._outbox().flush(30)
        os.write(write, ",".join(kept).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 99) == b"parents,childs"
    os.close(read)
    os.close(write)


class Wire:
    """A client of redis-py whose server has `there`, and answers each write of a key so."""

    def __init__(self, there=None, answers=()):
        self.there, self.answers = there, dict(answers)
        self.written = []

    def mget(self, keys):
        if isinstance(self.there, Exception):
            raise self.there
        return [self.there for _ in keys]

    def pipeline(self, transaction):
        return nullcontext(self)

    def set(self, key, payload, ex):
        self.written.append(key)

    def publish(self, key, payload):
        pass

    def execute(self, raise_on_error):
        answers = [self.answers.get(key, True) for key in self.written]
        return [each for answer in answers for each in (answer, 0)]


def stored(backend, wire, *states_):
    """Names of results, in turn, that are done with."""
    backend.client = wire
    results = [Result(f"t{number}", "private", state) for number, state in enumerate(states_)]
    return [each.task_id for each in backend._store(results)]


@pytest.mark.parametrize("there", [None, b"no JSON", b"[1]"])
def test_what_is_no_result_is_overwritten(backend, there):
    wire = Wire(there)
    assert stored(backend, wire, "FAILURE") == ["t0"]
    assert wire.written == [backend.get_key_for_task("t0")]


def test_a_success_that_is_there_stays(backend):
    wire = Wire(b'{"status": "SUCCESS", "result": 1}')
    assert sorted(stored(backend, wire, "FAILURE", "SUCCESS", "RETRY")) == ["t0", "t1", "t2"]
    assert wire.written == [backend.get_key_for_task("t1")]


def test_successes_are_stored_without_a_look(backend):
    assert stored(backend, Wire(ConnectionError("asked")), "SUCCESS", "SUCCESS") == ["t0", "t1"]


def test_one_result_that_the_server_does_not_take_holds_up_no_other(backend, caplog):
    key = backend.get_key_for_task("t1")
    wire = Wire(answers={key: ResponseError("ERR string exceeds maximum allowed size")})
    assert stored(backend, wire, *3 * ["SUCCESS"]) == ["t0", "t1", "t2"]
    assert "that of t1 is dropped" in caplog.text
    assert "private" not in caplog.text


@pytest.mark.parametrize(
    "error", [Away("x"), ResponseError("OOM command not allowed"), TimeoutError(), OSError()]
)
def test_a_server_in_trouble_is_tried_again(backend, error):
    with pytest.raises(type(error)):
        stored(backend, Wire(error), "FAILURE")
    with pytest.raises(type(error)):
        stored(backend, Wire(answers={backend.get_key_for_task("t0"): error}), "SUCCESS")


def test_a_chord_waits_for_its_server_beside_the_slot(backend, monkeypatch):
    """Nothing is raised there; the job is not noted as reported before its chord knows of it."""
    monkeypatch.setattr(beside, "PATIENCE_S", 0.05)
    monkeypatch.setattr(beside, "PAUSES_S", (0.01, 0.02))
    joined, well = [], threading.Event()

    def join(self, request, state, result):
        if not well.is_set():
            raise Away("refused")
        joined.append((request.id, state))

    monkeypatch.setattr(RedisBackend, "on_chord_part_return", join)
    part = SimpleNamespace(id="part")
    backend.on_chord_part_return(part, "SUCCESS", {"text": "x"})
    fate = backend.fate_of("part")
    assert fate() is False
    well.set()
    backend._outbox().flush(30)
    backend.on_chord_part_return(SimpleNamespace(id="next"), "SUCCESS", {})
    assert fate() is True
    assert joined == [("part", "SUCCESS"), ("next", "SUCCESS")]
