"""The asyncio pool and Celery's loop in the main thread, which is kombu's hub."""

import socket
import threading
from types import SimpleNamespace

import pytest
from kombu.asynchronous import Hub

from worker.node import pool

SOON_S = 10


@pytest.fixture
def hub(monkeypatch):
    """It runs in a thread, and sleeps until something wakes it; it listens to one who is silent."""
    hub = Hub()
    poll = hub.poller.poll
    monkeypatch.setattr(hub.poller, "poll", lambda timeout: poll(None), raising=False)
    ends = socket.socketpair()
    hub.add_reader(ends[0], lambda: None)
    thread = threading.Thread(target=hub.run_forever)
    yield SimpleNamespace(hub=hub, start=thread.start)
    hub.stop()
    thread.join(SOON_S)
    hub.close()
    for end in ends:
        end.close()


def test_what_celery_does_at_a_job_s_end_waits_for_nothing_else(hub, loop, monkeypatch):
    """It acknowledges by `hub.call_soon`: the hub must not sleep between the two."""
    monkeypatch.setattr(pool, "current", lambda: SimpleNamespace(loop=loop))
    acknowledged = threading.Event()
    tasks = pool.TaskPool(1)
    tasks.on_start()
    tasks.register_with_event_loop(hub.hub)
    hub.start()
    tasks.on_apply(
        lambda: "answer",
        callback=lambda _: hub.hub.call_soon(acknowledged.set),
        accept_callback=lambda *_: None,
        error_callback=lambda _: None,
    )
    assert acknowledged.wait(SOON_S)
    tasks.on_stop()
