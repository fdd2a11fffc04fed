"""A wall between a web app and its servers forgets idle connections, and tells nobody."""

import subprocess
import sys
import threading

import pytest
from celery.result import GroupResult
from support.ledger import ask
from support.nodes import ROOT
from support.proxy import Proxy

import producer
from producer import connections, results
from producer.publishing import current_app


@pytest.fixture
def wall(redis_url, valkey):
    with Proxy(valkey.port) as proxy:
        producer.configure(proxy.url())
        yield proxy
    producer.configure(redis_url)


@pytest.fixture
def impatient(monkeypatch):
    """What takes a wall a minute takes none here."""
    monkeypatch.setattr(connections, "IDLE_S", 0.0)
    monkeypatch.setattr(results, "SILENT_S", 0.5)


def test_every_way_to_ask_and_to_wait_works_after_any_pause(wall, impatient, start_worker):
    start_worker()
    complete = producer.complete
    complete.delay(ask("before"), "u").get(timeout=30)
    in_threads(8, lambda n: complete.delay(ask(f"at once {n}"), "u").value(30))
    wall.forget()
    in_threads(8, lambda n: complete.delay(ask(f"after {n}"), "u").value(10))
    wall.forget()
    assert complete.delay(ask("got"), "u").get(timeout=10)["text"]
    wall.forget()
    jobs = complete.many([ask(f"{n} of many") for n in range(3)], "u")
    assert all(each["text"] for each in GroupResult("a-group", jobs).get(timeout=20))


def test_who_begins_to_wait_after_a_pause_has_a_new_subscription(wall, monkeypatch, start_worker):
    """Also if its patience is shorter than the silence by which a dead one is known."""
    start_worker()
    complete = producer.complete
    complete.delay(ask("before"), "u").get(timeout=30)
    wall.forget()
    monkeypatch.setattr(connections, "IDLE_S", 0.0)
    current_app().backend.result_consumer._heard -= 600
    assert complete.delay(ask("after"), "u").get(timeout=5)["text"]


def test_a_process_that_ends_while_results_are_away_says_nothing(redis_url):
    """Celery unsubscribes what still waits when Python can connect no more."""
    code = """
from celery.exceptions import TimeoutError
from producer import complete
from producer.publishing import current_app
try:
    complete.delay([{"role": "user", "content": "q"}], "u").get(timeout=0.1)
except TimeoutError:
    current_app().backend.result_consumer._pubsub.reset()
"""
    env = {"REDIS_URL": redis_url, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_who_waits_already_is_told(wall, impatient, start_worker, openai_env, wire):
    """The subscription is lost while the provider thinks."""
    start_worker(openai_env)
    wire.script = lambda request, number: "ok;delay=2"
    job = producer.complete.delay(ask("slow"), "u")
    forgets = threading.Timer(1.0, wall.forget)
    forgets.start()
    assert job.get(timeout=15)["finish_reason"] == "stop"
    assert job.value(1).text
    forgets.join()


def test_a_result_backend_that_is_away_is_no_traceback_of_a_library(redis_url):
    away = "redis://127.0.0.1:1/0"
    producer.configure(redis_url, backend_url=away)
    job = producer.complete.delay(ask("q"), "u")
    with pytest.raises(producer.errors.Unavailable, match=r"127\.0\.0\.1:1 .*job\.value"):
        job.get(timeout=5)
    producer.configure(redis_url)


def in_threads(count, act):
    failures = []

    def run(number):
        try:
            act(number)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
