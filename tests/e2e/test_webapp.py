"""The example web app, served by uvicorn, against a real worker."""

import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from support.ledger import until
from support.nodes import ROOT

from worker.embedded import free_port, tethered


@pytest.fixture
def web(redis_url, tmp_path):
    """`web(method, path, body)` gives (status, headers, text)."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "examples.webapp:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    log = (tmp_path / "web.log").open("wb")
    process = subprocess.Popen(
        tethered(command),
        cwd=ROOT,
        env={"REDIS_URL": redis_url, "PATH": ""},
        stdout=log,
        stderr=log,
    )

    def call(method, path, body=None, user="u1"):
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-User": user, "Content-Type": "application/json"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", data, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.headers, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()

    def is_up():
        assert process.poll() is None, (tmp_path / "web.log").read_text()
        try:
            return call("GET", "/openapi.json")[0] == 200
        except OSError:
            return False

    until(is_up)
    yield call
    process.kill()
    process.wait()
    log.close()


def test_a_web_app_asks_waits_polls_and_runs_batches(web, start_worker):
    start_worker({"LLM_USER_REQUESTS_PER_MINUTE": "30"})
    status, _, text = web("POST", "/ask", {"text": "What is a broker?"})
    assert (status, json.loads(text)["cached"]) == (200, False)
    status, _, text = web("POST", "/batches", [{"text": f"question {n}"} for n in range(20)])
    batch = json.loads(text)["batch"]
    until(lambda: json.loads(web("GET", f"/batches/{batch}")[2])["done"] == 20)
    for path in (f"/batches/{batch}", f"/batches/{batch}/results"):
        assert web("GET", path, user="u2")[0] == 404
    lines = [json.loads(line) for line in web("GET", f"/batches/{batch}/results")[2].splitlines()]
    assert [line["index"] for line in lines] == list(range(20))
    assert all(line["text"] for line in lines)


def test_it_says_whose_fault_it_is(web, start_worker):
    start_worker({"LLM_USER_REQUESTS_PER_MINUTE": "1"})
    assert web("POST", "/ask", {"text": "first"})[0] == 200
    status, headers, text = web("POST", "/ask", {"text": "second"})
    assert (status, json.loads(text)["error"]) == (429, "RateLimited")
    assert 0 < int(headers["Retry-After"]) <= 61
    assert web("POST", "/ask", {"text": "a bell: \u0007"}, user="u2")[0] == 422
    assert web("GET", "/jobs/nope")[0] == 404
    assert web("GET", "/batches/nope/results")[0] == 404


def test_a_job_that_takes_long_is_polled_or_cancelled(web, complete):
    """There is no worker yet."""
    job = complete.delay([{"role": "user", "content": "later"}], "u1")
    status, _, text = web("GET", f"/jobs/{job.id}")
    assert (status, json.loads(text)["state"]) == (202, "released")
    for method, path in (("GET", "jobs"), ("DELETE", "jobs"), ("GET", "batches")):
        assert web(method, f"/{path}/{job.id}", user="u2")[0] == 404
    assert json.loads(web("DELETE", f"/jobs/{job.id}")[2]) == {"state": "cancelled"}
    assert web("GET", f"/jobs/{job.id}")[0] == 502
