"""Secrets from where companies keep them: AWS's manager over real HTTP, and keys that change under
a running worker.
"""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.ledger import ask, until

from worker.settings import Settings, SettingsError, managers


class Manager(ThreadingHTTPServer):
    """GetSecretValue of AWS's Secrets Manager: `secrets` by id; "hang" never answers."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.secrets, self.asked, self.ended = {}, [], threading.Event()
        self.env = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_port}",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "signs",
            "AWS_MAX_ATTEMPTS": "1",
            "LLM_SECRET_MANAGER": "aws:prod/completions",
        }


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        assert self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
        secret_id = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["SecretId"]
        self.server.asked.append(secret_id)
        if secret_id == "hang":
            self.server.ended.wait(30)
        text = self.server.secrets.get(secret_id)
        status = 400 if text is None else 200
        said = (
            {"__type": "ResourceNotFoundException", "message": "sk-in-a-message"}
            if text is None
            else {"SecretString": text}
        )
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def aws(monkeypatch):
    with Manager() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        yield server
        server.ended.set()
        server.shutdown()


def problem():
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert "sk-in-a-message" not in str(caught.value)
    return next(
        str(problem)
        for problem in caught.value.problems
        if problem.variable == "LLM_SECRET_MANAGER"
    )


def test_one_request_brings_the_variables_of_all_slices(aws, monkeypatch, tmp_path):
    """The environment is before files, and files are before the manager."""
    kept = {
        "OPENAI_API_KEY": "sk-aws",
        "REDIS_URL": "redis://aws:1/0",
        "LLM_LOG_LEVEL": "DEBUG",
        "LLM_CACHE_TTL_SECONDS": 0,
    }
    aws.secrets["prod/completions"] = json.dumps(kept)
    (tmp_path / "REDIS_URL").write_text("redis://file:1/0")
    monkeypatch.setenv("LLM_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("LLM_LOG_LEVEL", "ERROR")
    settings = Settings.load()
    assert aws.asked == ["prod/completions"]
    assert settings.links[0].api_key.get_secret_value() == "sk-aws"
    assert (settings.redis.url, settings.log.level, settings.cache.ttl_s) == (
        "redis://file:1/0",
        "ERROR",
        0,
    )
    where = {name: settings.origins[name] for name in kept}
    assert list(where.values()) == [
        "aws:prod/completions",
        "LLM_SECRETS_DIR",
        "environment",
        "aws:prod/completions",
    ]


def test_a_secret_that_is_no_object_of_variables_is_a_problem(aws):
    for text in ("[1, 2]", "sk-no-json", '"sk-string"'):
        aws.secrets["prod/completions"] = text
        assert "aws:prod/completions holds no JSON object. Fix: store one" in problem()
    aws.secrets["prod/completions"] = '{"LLM_USD_PER_DAY": null}'
    assert "lists LLM_USD_PER_DAY and gives no value" in problem()


def test_a_manager_that_has_no_such_secret_or_gives_no_answer_is_a_problem(aws, monkeypatch):
    """The service's own words are left out: they might hold anything."""
    assert "cannot be read (ResourceNotFoundException). Fix: check its name" in problem()
    monkeypatch.setattr(managers, "ANSWER_TIMEOUT_S", 0.5)
    monkeypatch.setenv("LLM_SECRET_MANAGER", "aws:hang")
    assert "aws:hang has not answered in" in problem()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(managers, "ANSWER_TIMEOUT_S", 15)
    assert "cannot be read (EndpointConnectionError)" in problem()


def test_a_key_is_replaced_under_a_running_worker(
    aws, complete, wire, openai_env, start_worker, tmp_path
):
    """A job whose key was refused is answered with the next one, and so is every other; no restart,
    and no key in a log that leaves nothing else out.
    """
    aws.secrets["prod/completions"] = json.dumps(
        {"LLM_LOG_LEVEL": "DEBUG", "LLM_ALERT_SLACK": "http://sk-key-of-aws"}
    )
    folder = tmp_path / "secrets"
    folder.mkdir()

    def rotate(key):
        """As Kubernetes does it: a new folder, then one swap of a link."""
        (folder / key).mkdir()
        (folder / key / "OPENAI_API_KEY").write_text(key)
        (folder / "..tmp").symlink_to(key)
        os.replace(folder / "..tmp", folder / "..data")

    rotate("sk-key-a")
    (folder / "OPENAI_API_KEY").symlink_to("..data/OPENAI_API_KEY")
    env = {name: value for name, value in openai_env.items() if name != "OPENAI_API_KEY"} | aws.env
    env |= {
        "LLM_SECRETS_DIR": str(folder),
        "LLM_SECRETS_RELOAD_SECONDS": "3600",
        "LLM_MAX_ATTEMPTS": "1000",
        "LLM_COOLDOWN_SECONDS": "0.1",
    }
    worker = start_worker(env | {"LLM_BACKOFF_MAX_SECONDS": "0.2"}, concurrency=2)
    complete.delay(ask("with the first key"), "u1").value(30)
    wire.revoked.add("sk-key-a")
    refused = [complete.delay(ask(f"refused at first {number}"), "u1") for number in range(3)]
    until(lambda: wire.counts()["401"] >= 3)
    rotate("sk-key-b")
    for job in refused:
        job.value(30)
    complete.delay(ask("with the second key"), "u1").value(30)
    keys = [
        call.headers["Authorization"].removeprefix("Bearer ")
        for call in wire.calls
        if call.event == "ok"
    ]
    assert keys == ["sk-key-a"] + ["sk-key-b"] * 4
    assert '"level": "debug"' in worker.log()
    assert "sk-key" not in worker.log()
