"""What a provider said when it refused is told wherever somebody looks, and never its free text."""

import json

import pytest
from click.testing import CliRunner
from support.ledger import ask
from support.wire import WireServer

from producer.cli import main
from producer.contract.errors import InvalidRequest, ProvidersExhausted


@pytest.fixture
def second_wire():
    with WireServer() as server:
        yield server


@pytest.fixture
def cli(redis_url, monkeypatch):
    monkeypatch.setenv("REDIS_URL", redis_url)

    def run(*arguments):
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        return done.output

    return run


@pytest.fixture
def worker(wire, second_wire, openai_env, start_worker):
    """Two links; every call fails as the last message of its prompt says, before and after "/"."""

    def event(position):
        return lambda request, number: request["messages"][-1]["content"].split("/")[position]

    wire.script, second_wire.script = event(0), event(1)
    return start_worker(
        openai_env
        | {
            "LLM_CHAIN": "openai:gpt-4o-mini,second:small",
            "LLM_LINK_SECOND_BASE_URL": second_wire.base_url,
            "LLM_PRICES": "second:*=0.15/0.60",
            "LLM_MAX_ATTEMPTS": "2",
            "LLM_COOLDOWN_SECONDS": "0.001",
            "LLM_BACKOFF_SECONDS": "0.01",
        }
    )


def test_what_the_providers_said_is_told(complete, wire, second_wire, worker, cli):
    """In the error, `status`, `dead show` and the records; a 400 goes to the other link once, a
    parameter that is refused by name is left out, and each call is an attempt.
    """
    passed_on = complete.delay(ask("400/ok"), "u1", max_tokens=50)
    assert passed_on.value(30).provider == "second"
    assert passed_on.progress().history[0].details() == {
        "link": "openai:gpt-4o-mini",
        "fault": "bad_request",
        "status": 400,
        "code": "invalid_value",
        "type": "invalid_request_error",
    }
    wrong = complete.delay(ask("400/400"), "u1", max_tokens=50)
    with pytest.raises(InvalidRequest, match="HTTP 400 invalid_value"):
        wrong.value(30)
    failed = complete.delay(ask("503;code=other/401"), "u1", max_tokens=50)
    with pytest.raises(ProvidersExhausted) as caught:
        failed.value(30)
    assert (
        "second:small refused its key: HTTP 401 invalid_api_key; set LLM_LINK_SECOND_API_KEY"
        in (str(caught.value))
    )
    said = [(each["status"], each["code"]) for each in caught.value.attempts]
    assert said == [(503, "other"), (401, "invalid_api_key")]
    assert "misconfigured (HTTP 401 invalid_api_key)" in cli("status", failed.id)
    assert json.loads(cli("dead", "show", failed.id))["tried"] == caught.value.attempts
    lines = [json.loads(line) for line in worker.log().splitlines() if failed.id in line]
    calls = [line for line in lines if line["event"] == "provider_call"]
    assert [(line["http_status"], line["error_code"]) for line in calls] == said
    jobs = [passed_on, wrong, failed]
    made = sum(job.progress().attempts for job in jobs)
    assert len(wire.calls) + len(second_wire.calls) == made
    assert [job.progress().maybe_billed_usd for job in jobs] == [0, 0, 0]
    assert "sk-secret and the prompt" not in worker.log()
