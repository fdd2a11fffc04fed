"""A web side that forks after it has used Redis, or runs in greenlets: right answers, no shared
socket, and as many connections as one process may have.
"""

import os
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import psutil
import pytest
from support import web_side
from support.ledger import until
from support.nodes import ROOT

import producer
from worker.embedded import free_port, tethered

pytestmark = pytest.mark.faults
MOST = 14
"""Connections of a process, by default."""


@pytest.fixture
def env(redis_url, monkeypatch):
    """Of a web side's processes."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return {"REDIS_URL": redis_url, "PYTHONPATH": path, "PATH": os.environ["PATH"]}


def test_each_way_to_fork(env, start_worker):
    start_worker()
    program = str(ROOT / "tests/support/web_side.py")
    for way in web_side.WAYS:
        command = [sys.executable, program, way]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, way + done.stdout + done.stderr


GUNICORN = [sys.executable, "-m", "gunicorn", "--preload", "--no-control-socket", "-w", "3"]
UWSGI = [str(Path(sys.executable).with_name("uwsgi")), "--master", "--processes", "3", "--need-app"]
ASKED = ("get", "value", "await", "many")
SERVERS = {
    "gunicorn, threads": ([*GUNICORN, "--threads", "4", "-b"], ASKED),
    "gunicorn, gevent": ([*GUNICORN, "-k", "gevent", "-b"], ("get", "value", "many")),
    "uWSGI": ([*UWSGI, "--threads", "4", "--http-socket"], ASKED),
}
"""Each with the beginning of its command, and what its application is asked."""


@pytest.fixture
def serve(env, tmp_path):
    """`serve(command)`: its port and processes, when all are there. It asks before it forks."""
    started = []

    def start(command):
        port = free_port()
        command = [*command, f"127.0.0.1:{port}"]
        if "--http-socket" in command:
            command.append("--module")
        log = (tmp_path / "server.log").open("wb")
        process = subprocess.Popen(
            tethered([*command, "support.web_side:application"]),
            env=env | {"USED": "1"},
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
        started.append((process, log))
        main = psutil.Process(process.pid)
        until(lambda: len(main.children()) == 3)
        return port, [main, *main.children()]

    yield start
    for process, log in started:
        children = psutil.Process(process.pid).children()
        for each in (process, *children):
            each.kill()
        process.wait()
        log.close()


@pytest.mark.parametrize("name", SERVERS)
def test_a_web_server_that_loads_before_it_forks(name, serve, start_worker):
    start_worker()
    command, ways = SERVERS[name]
    port, processes = serve(command)

    def asked(way):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{way}", timeout=60) as reply:
            return reply.read()

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(asked, ways * 8)) == {b"right"}
    ports = [web_side.to_redis(each.pid) for each in processes]
    assert any(ports[1:])
    assert max(map(len, ports)) <= MOST
    assert not any(one & other for one, other in combinations(ports, 2))


@pytest.mark.parametrize("kind", ["gevent", "eventlet"])
def test_greenlets_before_and_after_the_server_was_away(kind, env, own_valkey, start_worker):
    """One greenlet reads the results of all: it outlives what goes wrong meanwhile."""
    start_worker({"REDIS_URL": own_valkey.url()})
    command = [sys.executable, str(ROOT / "tests/support/green_side.py"), kind]
    with subprocess.Popen(
        tethered(command),
        env=env | {"REDIS_URL": own_valkey.url()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert 0 < int(process.stdout.readline()) <= MOST
        own_valkey.kill()
        own_valkey.start()
        producer.configure(own_valkey.url())
        assert producer.complete.delay(web_side.words("seen"), "u").value(30)
        said, _ = process.communicate("\n", timeout=60)
    assert process.returncode == 0
    assert 0 < int(said) <= MOST
