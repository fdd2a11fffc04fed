"""Results are stored beside the slots of their jobs, whatever their server does."""

import os
import threading
import time
from types import SimpleNamespace

import pytest
from celery.backends.redis import RedisBackend
from redis.exceptions import ConnectionError as Away
from redis.exceptions import ResponseError

from worker.broker import outbox as beside
from worker.broker.outbox import Outbox, Result
from worker.broker.results import Results
from worker.celery import create_app


class Server:
    """Stores what it is given, unless it refuses."""

    def __init__(self):
        self.well = True
        self.kept = []
        self.tried = threading.Event()

    def store(self, result):
        self.tried.set()
        if not self.well:
            raise Away("refused")
        self.kept.append((result.task_id, result.payload))

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
    outbox.put(final("first"))


def test_it_is_stored_when_the_slot_goes_on(outbox, server, monkeypatch):
    monkeypatch.setattr(beside, "PATIENCE_S", 30)
    outbox.put(final("a"))
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
    monkeypatch.setattr(backend, "_store", lambda result: kept.append(result.task_id))
    backend.store_result("parents", {}, "SUCCESS")
    child = os.fork()
    if child == 0:
        backend.store_result("childs", {}, "SUCCESS")
        os.write(write, ",".join(kept).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 99) == b"parents,childs"
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("there", [ResponseError("WRONGTYPE Operation"), ValueError("no JSON")])
def test_what_stands_in_the_way_of_one_result_is_overwritten(backend, monkeypatch, there):
    written = []

    def read(task_id):
        raise there

    monkeypatch.setattr(backend, "_get_task_meta_for", read)
    monkeypatch.setattr(backend, "_set", lambda key, *_: written.append(key))
    backend._store(final("a"))
    assert written == [backend.get_key_for_task("a")]


def test_one_result_that_the_server_does_not_take_holds_up_no_other(backend, monkeypatch, caplog):
    def refuse(*_):
        raise ResponseError("ERR string exceeds maximum allowed size")

    monkeypatch.setattr(backend, "_get_task_meta_for", lambda task_id: {"status": "PENDING"})
    monkeypatch.setattr(backend, "_set", refuse)
    backend._store(final("a", "private"))
    assert "that of a is dropped" in caplog.text
    assert "private" not in caplog.text


@pytest.mark.parametrize(
    "error", [Away("x"), ResponseError("OOM command not allowed"), TimeoutError(), OSError()]
)
def test_a_server_in_trouble_is_tried_again(backend, monkeypatch, error):
    def fail(task_id):
        raise error

    monkeypatch.setattr(backend, "_get_task_meta_for", fail)
    with pytest.raises(type(error)):
        backend._store(final("a"))


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
