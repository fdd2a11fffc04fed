"""`completions batch`: both forms of request files, progress, results and Ctrl-C."""

import json
import signal
import subprocess
import sys

import pytest
from openai.types.chat import ChatCompletion
from support import warm
from support.ledger import ask, until

from producer.batches import Batch, recent
from producer.submitting import Submitting

OPENAI_INPUT = [
    {
        "custom_id": "first",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "gpt-4o-mini",
            "messages": ask("one"),
            "max_tokens": 50,
            "user": "theirs",
            "n": 1,
        },
    },
    {
        "custom_id": "second",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "gpt-4o-mini",
            "messages": ask("two"),
            "max_completion_tokens": 50,
            "temperature": 0,
        },
    },
    {
        "custom_id": "third",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "gpt-4o-mini", "messages": ask("three"), "audio": {"voice": "alloy"}},
    },
]


@pytest.fixture
def completions(complete, redis_url):
    """Runs the command against this test's server; (exit code, standard output, standard error)."""
    command = [sys.executable, "-c", "from producer.cli import main; main()"]
    env = {"REDIS_URL": redis_url, "PATH": ""}

    def run(*words, wait=True):
        words = list(map(str, words))
        if wait:
            done = warm.run(words, env)
            return done.returncode, done.stdout, done.stderr
        pipe = subprocess.PIPE
        return subprocess.Popen([*command, *words], env=env, text=True, stdout=pipe, stderr=pipe)

    return run


@pytest.fixture
def requests(tmp_path):
    def write(*lines):
        file = tmp_path / "requests.jsonl"
        file.write_text(
            "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in lines)
        )
        return file

    return write


def test_an_openai_batch_file_runs_as_it_is(
    completions, requests, start_worker, openai_env, tmp_path
):
    """Its output is in OpenAI's form, read here with the SDK's own types.

    A line that asks for what cannot be honoured fails alone and says why.
    """
    start_worker(openai_env)
    out = tmp_path / "out.jsonl"
    code, _, stderr = completions(
        "batch", "run", requests(*OPENAI_INPUT), "--user", "u1", "--out", out
    )
    assert code == 1, stderr
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["custom_id"] for line in lines] == ["first", "second", "third"]
    for line in lines[:2]:
        answer = ChatCompletion.model_validate(line["response"]["body"])
        assert (
            line["error"],
            line["response"]["status_code"],
            answer.choices[0].finish_reason,
        ) == (None, 200, "stop")
        assert (
            answer.usage.total_tokens
            == answer.usage.prompt_tokens + answer.usage.completion_tokens
            > 0
        )
    assert lines[2]["error"] == {
        "code": "InvalidRequest",
        "message": "line 3: body.audio cannot be honoured. Fix: leave it out",
    }


def test_a_file_is_answered_as_openai_would_answer_it(
    completions, requests, start_worker, openai_env, wire, tmp_path
):
    """Nothing of ours is sent; what a model said is a 200; failures keep their status; and those,
    as they were given, can be run again.
    """
    wire.script = lambda request, number: request["messages"][0]["content"]
    start_worker(openai_env | {"LLM_MAX_ATTEMPTS": "1"})
    events = ["ok", "length", "refusal", "429", "500", "context"]
    asked = [
        {"custom_id": event, "body": {"model": "gpt-4o-mini-2024-07-18", "messages": ask(event)}}
        for event in events
    ]
    file = requests(*asked)
    out = tmp_path / "out.jsonl"
    code, _, stderr = completions("batch", "run", file, "--user", "u1", "--out", out)
    assert (code, "3 failed requests in" in stderr) == (1, True), stderr
    for call in wire.calls:
        assert not {"temperature", "max_tokens", "max_completion_tokens"} & set(call.request)
        assert call.request["model"] == "gpt-4o-mini"
    lines = {
        line["custom_id"]: line["response"]
        for line in map(json.loads, out.read_text().splitlines())
    }
    statuses = {name: response["status_code"] for name, response in lines.items()}
    expected = {"ok": 200, "length": 200, "refusal": 200, "429": 429, "500": 500, "context": 400}
    assert statuses == expected
    said = [lines[name]["body"]["choices"][0] for name in events[:3]]
    assert [each["finish_reason"] for each in said] == ["stop", "length", "stop"]
    assert said[1]["message"]["content"]
    assert said[2]["message"]["refusal"] == "I cannot help with that"
    assert lines["429"]["body"]["error"]["code"] == "rate_limit_exceeded"
    again = (tmp_path / "out.errors.jsonl").read_text()
    assert again == "".join(json.dumps(each) + "\n" for each in asked[3:])


def test_our_own_form_and_every_wrong_line(completions, requests, start_worker):
    """Running it again pays nothing and shows the same."""
    start_worker()
    file = requests(
        {"messages": ask("good"), "name": "a"},
        "",
        "{no json",
        "[]",
        {"messages": ask("x"), "colour": "red"},
    )
    for _ in range(2):
        code, _, stderr = completions("batch", "run", file, "--user", "u1")
        assert code == 1
    assert "4 of 4: 3 failed" in stderr
    batch = recent(1)[0]
    assert (batch.calls, batch.label) == (1, "requests.jsonl jsonl")
    code, out, _ = completions("batch", "results", batch.batch_id)
    found = [json.loads(line) for line in out.splitlines()]
    assert (code, found[0]["name"], found[0]["completion"]["finish_reason"]) == (0, "a", "stop")
    reasons = [each["error"]["message"] for each in found[1:]]
    assert reasons[0].startswith("line 3: not JSON (")
    assert reasons[1] == "line 4: not a JSON object"
    assert "colour: unknown option" in reasons[2]
    assert completions("batch", "retry-failed", batch.batch_id)[1] == "0 items are tried again\n"


@pytest.mark.faults
def test_a_larger_budget_is_waited_for(completions, requests, start_worker):
    """The command that has it ends when what did not fit before has ended."""
    start_worker()
    file = requests(*({"messages": ask(f"q{n}")} for n in range(3)))
    code, _, stderr = completions("batch", "run", file, "--user", "u1", "--budget", "0.000001")
    assert (code, "3 of 3: 3 failed" in stderr) == (1, True)
    code, _, stderr = completions("batch", "run", file, "--user", "u1", "--budget", "1")
    assert (code, "failed. Why" in stderr) == (0, False)
    assert recent(1)[0].done == 3


def test_machines_read_json(completions, requests, start_worker):
    start_worker()
    file = requests(*({"messages": ask(f"q{n}")} for n in range(20)))
    code, out, _ = completions("batch", "run", file, "--user", "u1", "--json")
    last = json.loads(out.splitlines()[-1])
    assert (code, last["done"], last["total"], last["state"]) == (0, 20, 20, "done")
    code, out, _ = completions("batch", "status", last["batch_id"], "--json")
    assert (code, json.loads(out)["done"]) == (0, 20)
    assert last["batch_id"] in completions("batch", "list")[1]


def test_ctrl_c_detaches_and_the_batch_goes_on(completions, requests, start_worker):
    file = requests(*({"messages": ask(f"q{n}")} for n in range(30)))
    process = completions("batch", "run", file, "--user", "u1", wait=False)
    until(lambda: recent(1) and recent(1)[0].total == 30)
    batch = Batch(recent(1)[0].batch_id)
    assert any("of 30" in line for line in process.stderr)  # reads until it watches
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 3
    assert f"completions batch watch {batch.id}" in stderr
    assert "Traceback" not in stderr
    start_worker()
    assert completions("batch", "watch", batch.id)[0] == 0
    assert batch.progress().done == 30


@pytest.mark.faults
def test_a_file_waits_on_disk_and_not_in_the_ledger(completions, tmp_path):
    """Of 300 KB each, some are submitted while no worker runs; --detach submits them all, for it
    leaves.
    """
    file = tmp_path / "large.jsonl"
    texts = (f"{number} " + "word " * 60_000 for number in range(40))
    file.write_text("".join(json.dumps({"messages": ask(text)}) + "\n" for text in texts))
    process = completions("batch", "run", file, "--user", "u1", wait=False)
    until(lambda: recent(1) and recent(1)[0].submitted >= 16)
    assert any(line.startswith("0 of 40") for line in process.stderr)  # reads until it watches
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 3
    submitted = recent(1)[0].submitted
    assert f"{40 - submitted} requests are not submitted yet. Go on with the same" in stderr
    assert submitted < 30
    assert completions("batch", "run", file, "--user", "u1", "--detach")[0] == 0
    assert (recent(1)[0].submitted, recent(1)[0].total) == (40, 40)


def test_other_requests_under_an_id_are_refused_and_leave_that_batch_as_it_is(
    completions, requests
):
    """The one who submits it has not come to its end."""
    submitting = Submitting("b1", "u1", "", None, 60, {})
    submitting.add([ask("x")])
    code, _, stderr = completions(
        "batch", "run", requests({"messages": ask("y")}), "--user", "u1", "--id", "b1"
    )
    assert (code, "exists and asks something else" in stderr) == (1, True)
    assert recent(1)[0].total is None


def test_a_place_that_cannot_be_written_is_told_before_anything_is_paid(
    completions, requests, tmp_path
):
    file = requests({"messages": ask("x")})
    for command in (
        ("batch", "run", file, "--out", tmp_path / "none/x.jsonl"),
        ("summarize", file, "--yes", "--out", "/proc/none"),
    ):
        code, _, stderr = completions(*map(str, command), "--user", "u1")
        assert (code, "cannot be written: " in stderr) == (1, True)
    assert recent(1) == []


def test_pause_resume_cancel(completions, complete):
    batch = Batch.submit([ask("x")], "u1")
    assert completions("batch", "pause", batch.id)[1] == "paused\n"
    assert completions("batch", "cancel", batch.id)[1] == "cancelled\n"
    code, _, stderr = completions("batch", "status", "nope")
    missing = "the ledger has no batch nope: never submitted, or kept too long ago"
    assert (code, stderr) == (1, f"Error: OutcomeUnknown: {missing}\n")


@pytest.mark.parametrize("budget", ["-1", "nan", "inf", "-0.001", "1e400", "much"])
@pytest.mark.parametrize("words", [["batch", "run"], ["summarize", "--yes"]], ids=" ".join)
def test_a_budget_that_is_no_number_is_refused(completions, requests, words, budget):
    """Before anything is read or submitted."""
    file = requests({"messages": ask("x")})
    code, out, err = completions(*words, file, "--user", "u1", "--budget", budget)
    assert (code, out) == (2, "")
    assert f"'{budget}' is no number of dollars from 0" in err
    assert recent() == []
