"""Prompts, answers and keys are where they must be and nowhere else, whatever becomes of 200 jobs.

Broker, result backend, ledger and audit log are four servers here, and everything said to the first
two is listened to.
"""

import threading
from contextlib import ExitStack, contextmanager, suppress

import psutil
import pytest
from celery import Celery
from redis import Redis
from support import flower
from support.flower import LOGIN
from support.ledger import KEYS, ask, connection, until
from support.protocol import PLAIN
from support.wire import mixed

import producer
from producer.contract.errors import JobError
from producer.contract.names import DEFAULT_PREFIX, FleetNames
from worker.embedded import EmbeddedValkey
from worker.monitoring.health import Health
from worker.monitoring.prometheus import page
from worker.sealing import new_pair
from worker.settings import HealthSettings
from worker.telemetry.metrics import Metrics

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

PROMPT, ANSWER, KEY = "CANARY-PROMPT", "CANARY-ANSWER", "CANARY-KEY"
LIMITS = {
    "LLM_CHAIN": "openai:gpt-4o-mini",
    "LLM_BACKOFF_SECONDS": "0.05",
    "LLM_BACKOFF_MAX_SECONDS": "0.2",
    "LLM_MAX_ATTEMPTS": "3",
    "LLM_USER_TOKENS_PER_HOUR": "100000000",
    "LLM_LOG_LEVEL": "DEBUG",
    "LLM_TIMEOUT_SECONDS": "5",
}
WEIGHTS = {
    "ok;delay=0.02": 6,
    "429;ra=0.2": 0.5,
    "500": 1,
    "400": 0.3,
    "truncated": 0.4,
    "length": 0.5,
    "refusal": 0.3,
}


@contextmanager
def listening(server):
    """Everything that is said to the server, as one growing list of lines."""
    said, stop = [], threading.Event()
    client = Redis.from_url(server.url(), decode_responses=True)
    ear = Redis.from_url(server.url(), decode_responses=True, socket_timeout=None)

    def listen():
        with ear.monitor() as monitor:
            while not stop.is_set():
                said.append(monitor.connection.read_response())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    until(lambda: client.ping() and said)
    yield said
    stop.set()
    client.ping()
    thread.join(5)
    client.close()
    ear.close()


@contextmanager
def events(url):
    """Celery's events, as Flower and any other monitor gets them."""
    seen, app = [], Celery(broker=url)
    app.conf.update(FleetNames.of(DEFAULT_PREFIX).channels)
    connection = app.connection()
    receiver = app.events.Receiver(
        connection, handlers={"*": lambda event: seen.append(repr(event))}
    )

    def capture():
        with suppress(OSError):
            receiver.capture(limit=None, timeout=None, wakeup=False)

    thread = threading.Thread(target=capture, daemon=True)
    thread.start()
    yield seen
    receiver.should_stop = True
    thread.join(5)
    connection.close()


def stored(server):
    """(key, everything in it) of a server."""
    client = Redis.from_url(server.url())
    readers = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    for key in client.scan_iter():
        reader = readers.get(client.type(key), lambda key: "")
        yield key.decode(), repr(reader(key))
    client.close()


def hits(text, *words):
    return [word for word in words or (PROMPT, ANSWER, KEY) if word in text]


@pytest.fixture
def servers(tmp_path):
    """Broker, backend, ledger, audit log."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(EmbeddedValkey(tmp_path / name))
            for name in ("broker", "backend", "ledger", "audit")
        ]


@pytest.fixture
def env(servers, wire, monkeypatch):
    """A worker's; the producer's is this process's own."""
    broker, backend, ledger, sink = servers
    where = {
        "CELERY_BROKER_URL": broker.url(),
        "CELERY_RESULT_BACKEND": backend.url(),
        "LEDGER_URL": ledger.url(),
    }
    for name, value in where.items():
        monkeypatch.setenv(name, value)
    producer.configure()
    provider = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": wire.base_url}
    audit = {"LLM_AUDIT_URL": sink.url(), "LLM_AUDIT_KEY": new_pair().public}
    return where | LIMITS | provider | audit


def outcomes(jobs):
    """How each ended, and everything a caller is shown of it."""
    ended = []
    seen = []
    for job in jobs:
        try:
            answer = job.value(100)
            ended.append("ok")
            seen += [repr(answer), repr(job)]
        except JobError as error:
            ended.append(type(error).__name__)
            seen += [str(error), repr(error)]
    return ended, "".join(seen)


def flower_pages(fleet_view, jobs):
    until(lambda: "SUCCESS" in fleet_view.get("/api/tasks?limit=1000", LOGIN)[1])
    paths = (
        "/",
        "/workers",
        "/tasks",
        "/api/workers",
        "/api/tasks?limit=1000",
        *(f"/task/{job.id}" for job in jobs[::10]),
    )
    return "".join(fleet_view.get(path, LOGIN)[1] for path in paths)


def scraped(ledger):
    opened = connection(ledger.url())
    metrics = Metrics(opened.redis, opened.keys)
    text = page(Health(opened, HealthSettings()).check(), metrics).decode()
    opened.close()
    return text


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_a_canary_is_found_nowhere_else(
    servers, env, wire, start_worker, tmp_path, monkeypatch, pool
):
    """Through successes, retries, failures and a crash; the audit log holds every prompt sealed."""
    broker, backend, ledger, sink = servers
    monkeypatch.setitem(PLAIN, "text", f"{ANSWER} and more")
    wire.script = mixed(seed=11, weights=WEIGHTS)
    where = {
        name: env[name] for name in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "LEDGER_URL")
    }
    with (
        listening(broker) as to_broker,
        listening(backend) as to_backend,
        events(broker.url()) as heard,
        flower.running(tmp_path, **where) as fleet_view,
    ):
        workers = [start_worker(env, pool=pool, concurrency=4) for _ in range(2)]
        jobs = [
            producer.complete.delay(ask(f"{PROMPT} {n}"), f"u{n % 5}", max_tokens=50)
            for n in range(200)
        ]
        wire.wait_for(lambda calls: len(calls) > 40)
        workers[0].kill()
        workers.append(start_worker(env, pool=pool, concurrency=4))
        ended, shown = outcomes(jobs)
        assert len(ended) == 200
        assert "ok" in ended
        assert len(set(ended)) > 3
        lines = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
        places = {"flower": flower_pages(fleet_view, jobs), "metrics": scraped(ledger)}
        for worker in workers[1:]:
            worker.stop()
    assert len(to_broker) > 1000
    assert len(heard) > 400
    assert "completions_jobs_total" in places["metrics"]
    assert len(list(stored(sink))) > 200
    places |= {
        "logs": "".join(worker.log() for worker in workers),
        "flower's log": (tmp_path / "flower.log").read_text(errors="replace"),
        "events": "".join(heard),
        "exceptions and reprs": shown,
        "process list": repr(lines),
        "broker": "".join(map(repr, [*to_broker, *stored(broker)])),
        "audit log": "".join(map(repr, stored(sink))),
    }
    assert {place: hits(text) for place, text in places.items() if hits(text)} == {}
    assert hits("".join(map(repr, [*to_backend, *stored(backend)])), PROMPT, KEY) == []
    kept = {
        key.removeprefix(KEYS.root).partition(":")[0] for key, text in stored(ledger) if hits(text)
    }
    assert kept <= {"q", "o", "c", "d"}
    assert hits("".join(text for _, text in stored(ledger)), KEY) == []
