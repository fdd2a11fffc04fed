"""Flower over the worker's app: behind a password, and it never learns a prompt, an answer or a key."""

import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from support.ledger import ask
from support.nodes import ROOT

from worker.embedded import free_port, tethered

LOGIN = "ops:correct-horse"


class Flower:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path, login=None):
        """Status and text."""
        request = urllib.request.Request(self.url + path)
        if login:
            request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait_for(self, condition, what, timeout_s=30):
        give_up = time.monotonic() + timeout_s
        while True:
            try:
                if condition():
                    return
            except OSError:
                pass
            assert time.monotonic() < give_up, what
            time.sleep(0.1)


@pytest.fixture
def flower(redis_url, tmp_path):
    """Knows Redis and a password and nothing else: no provider's key."""
    port = free_port()
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REDIS_URL": redis_url, "FLOWER_BASIC_AUTH": LOGIN}
    command = [sys.executable, "-m", "celery", "-A", "worker", "flower", "--address=127.0.0.1", f"--port={port}"]
    with (tmp_path / "flower.log").open("wb") as log:
        process = subprocess.Popen(tethered(command), cwd=tmp_path, env=env, stdout=log, stderr=log, process_group=0)
    flower = Flower(port)
    try:
        flower.wait_for(lambda: process.poll() is not None or flower.get("/healthcheck")[0] == 200, "Flower does not start")
        assert process.poll() is None, (tmp_path / "flower.log").read_text()
        yield flower
    finally:
        process.kill()
        process.wait()


def test_flower_shows_jobs_to_its_operator_and_prompts_to_nobody(flower, complete, wire, openai_env, start_worker):
    start_worker(openai_env)
    assert flower.get("/tasks")[0] == 401
    assert flower.get("/tasks", "ops:guess")[0] == 401
    job = complete.delay(ask("the secret prompt"), "u1")
    answer = job.value(30).text
    flower.wait_for(lambda: '"SUCCESS"' in flower.get(f"/api/task/info/{job.id}", LOGIN)[1], "Flower does not see the job")
    status, shown = flower.get(f"/api/task/info/{job.id}", LOGIN)
    assert status == 200
    assert json.loads(shown)["name"] == "completions.complete"
    for page in (shown, flower.get(f"/task/{job.id}", LOGIN)[1], flower.get("/worker/worker1", LOGIN)[1]):
        assert [word for word in ("secret prompt", answer, "sk-secret-key") if word in page] == []
