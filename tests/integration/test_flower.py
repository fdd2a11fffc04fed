"""Flower over the worker's app: behind a password, and it never learns a prompt, an answer or a
key.
"""

import base64
import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest
from support import flower
from support.flower import LOGIN
from support.ledger import ask, until

from producer.contract.errors import InvalidRequest

SEARCH = {
    "draw": 1,
    "start": 0,
    "length": 10,
    "order[0][column]": 0,
    "order[0][dir]": "asc",
    "columns[0][data]": "name",
}
"""What Flower's task page asks for when a person types into its search field."""


@pytest.fixture
def fleet_view(redis_url, tmp_path):
    with flower.running(tmp_path, REDIS_URL=redis_url) as running:
        yield running


def answered(complete):
    job = complete.delay(ask("another"), "u1")
    job.value(30)
    return job


def test_flower_shows_jobs_to_its_operator_and_no_prompts(
    fleet_view, complete, wire, openai_env, start_worker
):
    start_worker(openai_env)
    assert [
        fleet_view.get(path)[0] for path in ("/tasks", "/metrics", "/api/tasks", "/healthcheck")
    ] == [401, 401, 401, 200]
    assert fleet_view.get("/tasks", "ops:guess")[0] == 401
    fleet_view.wait_shown(lambda: answered(complete))
    job = complete.delay(ask("the secret prompt"), "u1")
    answer = job.value(30).text
    until(lambda: '"SUCCESS"' in fleet_view.get(f"/api/task/info/{job.id}", LOGIN)[1])
    status, shown = fleet_view.get(f"/api/task/info/{job.id}", LOGIN)
    assert status == 200
    assert json.loads(shown)["name"] == "completions.complete"
    found = json.loads(
        fleet_view.get(f"/tasks/datatable?{urlencode(SEARCH | {'search[value]': job.id})}", LOGIN)[
            1
        ]
    )
    assert [task["uuid"] for task in found["data"]] == [job.id]
    for page in (
        shown,
        json.dumps(found),
        fleet_view.get(f"/task/{job.id}", LOGIN)[1],
        fleet_view.get("/worker/worker1", LOGIN)[1],
    ):
        assert [word for word in ("secret prompt", answer, "sk-secret-key") if word in page] == []


def test_it_shows_why_attempts_failed(fleet_view, complete, wire, openai_env, start_worker):
    """The status and the names that the provider gave, and not its words."""
    start_worker(openai_env | {"LLM_MAX_ATTEMPTS": "1"})
    fleet_view.wait_shown(lambda: answered(complete))
    wire.script = lambda request, number: "400"
    job = complete.delay(ask("the secret prompt"), "u1", max_tokens=50)
    with pytest.raises(InvalidRequest):
        job.value(30)
    page = f"/api/task/info/{job.id}"
    until(lambda: '"FAILURE"' in fleet_view.get(page, LOGIN)[1])
    shown = json.loads(fleet_view.get(page, LOGIN)[1])
    assert "HTTP 400 invalid_value" in shown["exception"]
    assert "secret prompt" not in json.dumps(shown)


def test_nothing_can_be_changed_through_it(fleet_view, complete, wire, openai_env, start_worker):
    """It only shows: its password is no right to run a task."""
    start_worker(openai_env)
    request = urllib.request.Request(
        fleet_view.url + "/api/task/send-task/completions.complete", b"{}", method="POST"
    )
    request.add_header("Authorization", "Basic " + base64.b64encode(LOGIN.encode()).decode())
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    refused.value.close()
    assert refused.value.code in (403, 405)


@pytest.mark.parametrize("config", [True, False])
def test_it_does_not_start_without_a_login(redis_url, tmp_path, config):
    """Wherever it is started: elsewhere it finds no file of ours."""
    with (
        pytest.raises(AssertionError, match=r"export FLOWER_BASIC_AUTH=user:password"),
        flower.running(tmp_path, config, REDIS_URL=redis_url, FLOWER_BASIC_AUTH=""),
    ):
        pass


def test_all_of_it_needs_the_login_without_our_file_as_well(redis_url, tmp_path):
    with flower.running(tmp_path, config=False, REDIS_URL=redis_url) as running:
        for path in ("/", "/tasks", "/metrics", "/api/tasks", "/api/workers"):
            assert (running.get(path)[0], running.get(path, "ops:guess")[0]) == (401, 401), path
        assert running.get("/metrics", LOGIN)[0] == 200
