"""Real lines of a real worker keep the documented schema, name their job, and can be summed and
searched.
"""

import json

import jsonschema_rs
import pytest
from support import warm
from support.ledger import LedgerProbe, ask
from support.nodes import ROOT

from producer.contract.errors import JobError

SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "docs/records.schema.json").read_text()))


def lines(worker):
    return [json.loads(line) for line in worker.log().splitlines() if line.startswith("{")]


def completions(*arguments, text=""):
    env = {"PATH": "/usr/bin", "PYTHONPATH": str(ROOT)}
    return warm.run(["logs", *arguments], env, stdin=text)


@pytest.fixture
def busy(complete, wire, openai_env, start_worker):
    """A worker that has answered, failed, rotated, truncated and used the cache; and its jobs."""
    events = {"a failing question": "500", "a long question": "length"}
    wire.script = lambda request, number: events.get(request["messages"][-1]["content"], "ok")
    worker = start_worker(openai_env | {"LLM_MAX_ATTEMPTS": "2"})
    jobs = {}
    for name in ("a question", "a question", "a failing question", "a long question"):
        metadata = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
        jobs[name] = complete.delay(ask(name), "u1", temperature=0, metadata=metadata)
        try:
            jobs[name].value(30)
        except JobError:
            continue
    expired = complete.delay(ask("too late"), "u2", deadline_s=0.001)
    with pytest.raises(JobError):
        expired.value(30)
    worker.wait_for_log(f'"job_id": "{expired.id}"')
    worker.stop()
    return worker, jobs, expired


def test_every_line_keeps_the_schema(busy, redis_url):
    """Also those of Celery and the SDKs. A job has one line at its end, a call one of its own; both
    add up to the ledger.
    """
    worker, jobs, expired = busy
    found = lines(worker)
    assert [list(SCHEMA.iter_errors(line)) for line in found if not SCHEMA.is_valid(line)] == []
    assert {line["logger"].partition(".")[0] for line in found} >= {"celery", "worker"}
    ended = [line for line in found if line["event"] == "job_ended"]
    assert len(ended) == len({line["job_id"] for line in ended}) == 5
    assert [(line["error"], line["cached"], line["attempts"]) for line in ended[:4]] == [
        (None, False, 1),
        (None, True, 0),
        ("ProvidersExhausted", False, 2),
        ("Truncated", False, 1),
    ]
    assert (ended[4]["job_id"], ended[4]["error"]) == (expired.id, "DeadlineExceeded")
    assert (ended[4]["user_id"], ended[4]["lane"]) == ("u2", "interactive")
    calls = [line for line in found if line["event"] == "provider_call"]
    assert {line["trace_id"] for line in calls + ended[:4]} == {"ab" * 16}
    assert all(line["provider_request_id"] for line in calls if not line["error"])
    with LedgerProbe(redis_url) as ledger:
        spent = ledger.budget("usd", "fleet", "all")["spent"]
    for records in (calls, ended):
        assert round(sum(line["cost_usd"] or 0 for line in records) * 1e6) == spent
    mine = [line for line in found if line.get("job_id") == jobs["a failing question"].id]
    assert {line["event"] for line in mine} >= {"provider_call", "job_ended"}
    assert any(line["logger"].startswith("celery") for line in mine)


def test_lines_are_summed_and_searched(busy):
    """By user, model or day; what is no record is passed over."""
    worker, jobs, _ = busy
    path = str(worker.log_path)
    (total,) = map(json.loads, completions("sum", path, "--json").stdout.splitlines())
    assert (total["calls"], total["failed"]) == (4, 2)
    read = completions("sum", "--by", "user", "--json", text="noise\n[1]\n" + worker.log())
    (by_user,) = map(json.loads, read.stdout.splitlines())
    assert (by_user["user"], by_user["cost_usd"]) == ("u1", total["cost_usd"])
    assert "calls (2 failed)" in completions("sum", path, "--by", "day").stdout
    found = completions(
        "grep", path, "--job", jobs["a long question"].id, "--event", "provider_call"
    )
    assert [json.loads(line)["finish_reason"] for line in found.stdout.splitlines()] == ["length"]
    assert completions("grep", path, "--error", "ProvidersExhausted").returncode == 0
    assert completions("grep", path, "--error", "Nothing").returncode == 1
