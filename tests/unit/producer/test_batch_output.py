"""What files of results say: OpenAI's form as OpenAI would write it, and tables."""

import csv
import json
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from openai.types.chat import ChatCompletion
from support.request_shapes import line, lines

from producer.batch_files import request
from producer.batch_output import COLUMNS, openai, status_of
from producer.batches import Item
from producer.cli.batch_out import FailedLines, Results, refuse_same_file
from producer.contract import errors
from producer.contract.completions import Completion, Usage
from producer.contract.errors import JobError
from producer.request_files import RequestFile

USAGE = {"input": 9, "output": 4}


def item(outcome, index=0, name="a"):
    return Item(index, name, f"b.{index}", "done", 1, outcome)


def answer(text, **fields):
    return Completion(
        text=text,
        finish_reason="stop",
        model="m",
        provider="p",
        usage=Usage(),
        cost_usd=0.5,
        attempts=1,
        latency_ms=1,
        request_id="r",
        **fields,
    )


@pytest.mark.parametrize(
    ("error", "finish_reason", "content", "refusal"),
    [
        (
            errors.Truncated("x", {"partial_text": "Half of", "usage": USAGE}),
            "length",
            "Half of",
            None,
        ),
        (errors.Truncated("x", {"partial_text": "", "usage": USAGE}), "length", "", None),
        (
            errors.Refused("x", {"reason": "refusal", "text": "No.", "usage": USAGE}),
            "stop",
            None,
            "No.",
        ),
        (
            errors.Refused("x", {"reason": "content_filter", "text": "So", "usage": USAGE}),
            "content_filter",
            "So",
            None,
        ),
    ],
)
def test_what_a_model_said_is_a_200(error, finish_reason, content, refusal):
    """As OpenAI gives it out, with what it took; readable by its SDK."""
    found = openai(item(error))
    assert (found["error"], found["response"]["status_code"]) == (None, 200)
    body = ChatCompletion.model_validate(found["response"]["body"])
    choice = body.choices[0]
    said = (choice.finish_reason, choice.message.content, choice.message.refusal)
    assert said == (finish_reason, content, refusal)
    assert body.usage.total_tokens == 13


def attempts(*said):
    return {"attempts": [{"link": "openai:m"} | each for each in said]}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidRequest("x"), 400, "InvalidRequest"),
        (errors.RateLimited("x"), 429, "RateLimited"),
        (errors.BudgetExceeded("x"), 402, "BudgetExceeded"),
        (errors.DeadlineExceeded("x"), 504, "DeadlineExceeded"),
        (errors.Refused("blocked", {"reason": "content_filter"}), 400, "Refused"),
        (JobError("x"), 500, "JobError"),
        (errors.ProvidersExhausted("x"), 503, "ProvidersExhausted"),
        (
            errors.ProvidersExhausted(
                "x",
                attempts(
                    {"fault": "unavailable", "status": 500},
                    {"fault": "rate_limited", "status": 429, "code": "rate_limit_exceeded"},
                ),
            ),
            429,
            "rate_limit_exceeded",
        ),
        (
            errors.ProvidersExhausted("x", attempts({"fault": "unavailable", "status": 502})),
            502,
            "ProvidersExhausted",
        ),
        (errors.ProvidersExhausted("x", attempts({"fault": "timeout"})), 504, "ProvidersExhausted"),
        (
            errors.InvalidRequest(
                "x",
                attempts({"fault": "bad_request", "status": 404, "code": "model_not_found"}),
            ),
            404,
            "model_not_found",
        ),
    ],
)
def test_failures_have_the_status_and_the_reason_of_who_failed(error, status, code):
    """Tools that send failed lines again go by them."""
    found = openai(item(error))
    assert found["response"]["status_code"] == status_of(error) == status
    assert found["error"] == {"code": code, "message": str(error)}


def test_a_line_without_an_id_gets_none():
    assert openai(item(JobError("x"), name=""))["custom_id"] is None


def test_a_line_is_one_line_for_every_reader(tmp_path):
    text = "a\u2028b\u2029c\x85d\x0be\x1cf"
    out = tmp_path / "x.jsonl"
    Results(out).write([item(answer(text))], "jsonl")
    (only,) = out.read_text("utf-8").splitlines()
    assert json.loads(only)["completion"]["text"] == text


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_has_a_row_for_each(tmp_path, ending):
    out = tmp_path / f"x.{ending}"
    items = [item(answer("=1+1")), item(errors.TooLong("long"), 1, "ü"), item(None, 2)]
    if ending == "parquet":
        if not find_spec("pyarrow"):
            pytest.skip("needs the extra `tables`")
        from pyarrow import parquet

        Results(out).write(items, "jsonl")
        rows = parquet.read_table(out).to_pylist()
        assert rows[0]["answer"] == "=1+1"
    else:
        Results(out).write(items, "jsonl")
        text = out.read_text("utf-8-sig")
        rows = list(csv.DictReader(text.splitlines()))
        assert rows[0]["answer"] == "'=1+1"  # no spreadsheet computes it
    assert [row["name"] for row in rows] == ["a", "ü"]
    assert list(rows[0]) == list(COLUMNS)
    assert (rows[1]["error"], rows[1]["message"]) == ("TooLong", "long")


def test_a_dash_is_standard_output(capsys, tmp_path):
    written = Results(Path("-"))
    written.check()
    written.write([item(answer("Short."))], "jsonl")
    assert json.loads(capsys.readouterr().out)["completion"]["text"] == "Short."
    assert (written.is_asked_for, Results(None).is_asked_for) == (True, False)
    assert FailedLines.beside(asked(tmp_path, line("a")), written.out).path is None


def test_an_ending_that_is_not_written_is_refused(tmp_path):
    with pytest.raises(click.ClickException, match="is not written"):
        Results(tmp_path / "x.xlsx")


def test_parquet_without_the_extra_is_told_before_anything_is_paid(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(click.ClickException, match="needs the extra"):
        Results(tmp_path / "x.parquet")


def asked(tmp_path, *objects):
    file = tmp_path / "asked.jsonl"
    file.write_bytes(lines(*objects).encode())
    return RequestFile(str(file))


def test_requests_that_failed_are_written_as_they_were_given(tmp_path):
    """An answer that was cut is none of them; once there are none, there is no file."""
    file = asked(tmp_path, line("a"), "{oops", line("c"), line("d"), line("e"))
    failed = FailedLines.beside(file, tmp_path / "out.jsonl")
    cut = errors.Truncated("x", {"partial_text": "y"})
    outcomes = [answer("x"), JobError("x"), errors.RateLimited("x"), cut, None]
    items = [item(outcome, number) for number, outcome in enumerate(outcomes)]
    assert failed.write(items) == 2
    assert failed.path == tmp_path / "out.errors.jsonl"
    assert failed.path.read_text("utf-8") == lines("{oops", line("c"))
    whole = asked(tmp_path, line("a"))
    assert FailedLines.beside(whole, tmp_path / "out.jsonl").write([item(answer("x"))]) == 0
    assert not failed.path.exists()


@pytest.mark.parametrize("kind", ["same", "symbolic", "hard"])
def test_results_never_replace_the_requests(tmp_path, kind):
    file = tmp_path / "asked.jsonl"
    file.write_text("x")
    out = tmp_path / "out.jsonl"
    if kind == "same":
        out = tmp_path / "." / "asked.jsonl"
    elif kind == "symbolic":
        out.symlink_to(file)
    else:
        out.hardlink_to(file)
    with pytest.raises(click.ClickException, match="is the file of requests"):
        refuse_same_file((None, out), str(file))
    refuse_same_file((tmp_path / "other.jsonl",), str(file))


def test_a_line_is_sent_as_openai_would_take_it():
    """What it does not say is the provider's."""
    found = request(line("a", temperature=None, max_tokens=None, n=1, tools=[], store=True))
    assert found.pop("messages")
    assert found == {
        "model": "gpt-4o-mini",
        "name": "a",
        "n": 1,
        "defaults": "provider",
        "on_truncation": "accept",
    }
    given = request(line("a", temperature=0, max_completion_tokens=5, metadata={"k": "v"}))
    assert (given["temperature"], given["max_completion_tokens"], given["metadata"]) == (
        0,
        5,
        {"k": "v"},
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"url": "/v1/responses"}, "only POST"),
        ({"method": "GET"}, "only POST"),
        ({"body": []}, "body is no object"),
        ({"params": {}}, "params: unknown beside"),
    ],
)
def test_a_line_that_means_something_else_is_refused(changes, reason):
    with pytest.raises(errors.InvalidRequest, match=reason):
        request(line() | changes)


@pytest.mark.parametrize(
    "body",
    [
        {"moderation": {"model": "m"}},
        {"audio": {"voice": "alloy"}},
        {"moderation_level": "low"},
        {"prompt_cache_options": {"mode": "explicit"}},
    ],
)
def test_what_would_change_the_answer_is_refused(body):
    with pytest.raises(errors.InvalidRequest, match=f"body.{next(iter(body))} cannot be honoured"):
        request(line(**body))


def test_parameters_are_asked_for():
    body = {"top_p": 0.5, "seed": 7, "n": 2, "parallel_tool_calls": False, "service_tier": "flex"}
    assert body.items() <= request(line(**body)).items()


def test_an_answer_of_several_choices_has_them_all():
    choices = [
        {"text": text, "finish_reason": "stop", "logprobs": [{"token": text, "logprob": -0.5}]}
        for text in ("a", "b")
    ]
    body = openai(item(answer("a", choices=choices)))["response"]["body"]
    found = ChatCompletion.model_validate(body).choices
    assert [each.message.content for each in found] == ["a", "b"]
    assert found[1].logprobs.content[0].logprob == -0.5


def test_every_error_has_a_status():
    found = Counter(status_of(cls("x")) for cls in errors.TREE)
    assert set(found) <= {400, 402, 409, 429, 499, 500, 503, 504}
