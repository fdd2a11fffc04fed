"""What failed for good is kept with its request, shown without it, sent again as a new job, or
dropped.
"""

import json
import re

import pytest
from click.testing import CliRunner
from support.ledger import KEYS, LedgerProbe, ask

from producer.cli import main
from producer.contract.errors import (
    InvalidRequest,
    JobError,
    ProvidersExhausted,
    RateLimited,
    Refused,
)

DOWN = {
    "LLM_MAX_ATTEMPTS": "2",
    "LLM_BACKOFF_SECONDS": "0.01",
    "LLM_COOLDOWN_SECONDS": "0.001",
    "LLM_ON_OUTAGE": "fail",
}


@pytest.fixture
def cli(redis_url, monkeypatch):
    """The `completions` command; it needs to know where Redis is, and no key."""
    monkeypatch.setenv("REDIS_URL", redis_url)

    def run(*arguments, code=0):
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == code, done.output
        return done.output

    return run


def fail(complete, error, text, user="u1", **options):
    job = complete.delay(ask(text), user, **options)
    with pytest.raises(error):
        job.value(30)
    return job.id


def test_a_failed_job_is_kept_shown_replayed_and_dropped(
    complete, wire, openai_env, start_worker, cli, redis_url
):
    """Its prompt is shown only when asked for; the replay is a new job, linked both ways, and is
    not repeated by itself.
    """
    wire.script = lambda request, number: "500"
    start_worker(openai_env | DOWN)
    job_id = fail(complete, ProvidersExhausted, "the secret prompt", max_tokens=7)
    assert job_id in cli("dead", "list")
    shown = json.loads(cli("dead", "show", job_id))
    assert (shown["kind"], shown["attempts"], len(shown["tried"])) == ("ProvidersExhausted", 2, 2)
    assert "secret prompt" not in json.dumps(shown) + cli("dead", "list", "--json")
    assert "secret prompt" in cli("dead", "show", job_id, "--request")
    wire.script = lambda request, number: "ok"
    new_id = re.search(r"-> (\S+)", cli("dead", "replay", job_id))[1]
    answered = complete.AsyncResult(new_id).value(30)
    assert (answered.request_id, wire.calls[-1].request["max_completion_tokens"]) == (new_id, 7)
    with LedgerProbe(redis_url) as ledger:
        assert ledger.redis.hget(KEYS.job(new_id), "replays") == job_id
    assert json.loads(cli("dead", "show", job_id))["replayed_as"] == new_id
    assert "0 replayed" in cli("dead", "replay", "--all")
    assert "1 dropped" in cli("dead", "drop", job_id)
    assert "no dead letter" in cli("dead", "show", job_id, code=1)
    with LedgerProbe(redis_url) as ledger:
        assert ledger.redis.exists(KEYS.dead_letter(job_id)) == 0


def test_what_was_to_be_expected_leaves_none(complete, wire, openai_env, start_worker, cli):
    """Limits, wrong requests and cancelled jobs: nothing is broken."""
    wire.script = lambda request, number: "refusal" if "refuse" in str(request) else "ok"
    start_worker(openai_env | {"LLM_USER_REQUESTS_PER_MINUTE": "1"})
    complete.delay(ask("x"), "u1").value(30)
    fail(complete, RateLimited, "y")
    fail(complete, InvalidRequest, "z", user="u2", model="nobody")
    queued = complete.apply_async((ask("later"), "u3"), countdown=600)
    queued.cancel()
    with pytest.raises(JobError):
        queued.value(10)
    assert cli("dead", "list") == "No dead letters.\n"
    kept = fail(complete, Refused, "refuse", user="u4")
    assert kept in cli("dead", "list", "--kind", "Ref*", "--user", "u?")
    assert cli("dead", "list", "--kind", "Truncated") == "No dead letters.\n"


def test_several_are_chosen_by_a_filter_and_never_by_accident(
    complete, wire, openai_env, start_worker, cli
):
    """Without ids, a filter or --all nothing happens."""
    wire.script = lambda request, number: "500"
    start_worker(openai_env | DOWN)
    ids = [fail(complete, ProvidersExhausted, f"q{n}", user=f"u{n % 2}") for n in range(4)]
    assert "say which" in cli("dead", "drop", code=2)
    assert "2 dropped" in cli("dead", "drop", "--user", "u0")
    left = cli("dead", "list")
    assert [job_id in left for job_id in ids] == [False, True, False, True]
    wire.script = lambda request, number: "ok"
    assert cli("dead", "replay", "--kind", "Prov*").count("->") == 2


def test_nothing_is_kept_where_the_operator_keeps_nothing(
    complete, wire, openai_env, start_worker, cli
):
    wire.script = lambda request, number: "500"
    start_worker(openai_env | DOWN | {"LEDGER_DEAD_LETTER_SECONDS": "0"})
    fail(complete, ProvidersExhausted, "x")
    assert cli("dead", "list") == "No dead letters.\n"
