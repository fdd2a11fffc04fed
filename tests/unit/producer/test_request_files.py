"""Files of requests as people have them: none loses a line, invents an id or is half of it paid."""

import gzip
import json
import os
import threading

import pytest

from producer.batch_files import output, requests
from producer.batches import Batch, Item
from producer.contract import errors
from producer.contract.errors import InvalidRequest, JobError
from producer.request_files import RequestFile

OURS = {"messages": [{"role": "user", "content": "Grüße"}], "name": "a"}


def line(custom_id="a", **body):
    body = {"model": "gpt-4o-mini", "messages": OURS["messages"]} | body
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}


def lines(*objects, end="\n"):
    return end.join(json.dumps(each, ensure_ascii=False) for each in objects) + end


def opened(tmp_path, data, name="x.jsonl"):
    data = data.encode() if isinstance(data, str) else data
    (tmp_path / name).write_bytes(data)
    return RequestFile(str(tmp_path / name))


def submitted(file):
    """What each line becomes: what is asked, or why it is wrong."""
    found = []
    for number, each in enumerate(requests(file)):
        submission = Batch("b")._item(number, each, "u1", {})
        asked = submission.wrong or submission.request.messages[0].content
        found.append((submission.name, str(asked)))
    return found


TWO = lines(line("a"), line("b"))
SHAPES = {
    "plain": TWO.encode(),
    "byte-order mark": b"\xef\xbb\xbf" + TWO.encode(),
    "UTF-16": TWO.encode("utf-16"),
    "gzip": gzip.compress(TWO.encode()),
    "gzip of UTF-16": gzip.compress(TWO.encode("utf-16")),
    "array": json.dumps([line("a"), line("b")]).encode(),
    "array over lines": json.dumps([line("a"), line("b")], indent=1).encode(),
    "Windows line ends": lines(line("a"), line("b"), end="\r\n").encode(),
    "no end": TWO.rstrip().encode(),
    "blank lines": b"\n \n" + TWO.replace("\n", "\n\n").encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape_of_a_file_is_read(tmp_path, shape):
    file = opened(tmp_path, SHAPES[shape])
    assert file.is_openai
    assert submitted(file) == submitted(file) == [("a", "Grüße"), ("b", "Grüße")]


def test_line_separators_within_a_text_end_no_line(tmp_path):
    asked = OURS | {"messages": [{"role": "user", "content": "a\u2028b\x85c"}]}
    assert submitted(opened(tmp_path, lines(asked))) == [("a", "a\u2028b\x85c")]


def test_a_pipe_is_read_once_and_kept(tmp_path):
    read, write = os.pipe()
    thread = threading.Thread(target=lambda: (os.write(write, TWO.encode()), os.close(write)))
    thread.start()
    file = RequestFile(f"/dev/fd/{read}")
    thread.join()
    os.close(read)
    assert submitted(file) == submitted(file) == [("a", "Grüße"), ("b", "Grüße")]
    assert file.fingerprint == opened(tmp_path, TWO).fingerprint


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "holds no requests"),
        ("\n \n", "holds no requests"),
        ("hello\n", "line 1: no JSON object"),
        (b"\x1f\x8b\x08 rubbish", "damaged"),
        (gzip.compress(TWO.encode())[:-9], "damaged"),
        ('[{"custom_id": 1},\n', "begins as a JSON array and is none"),
        (lines(line("a"), line("a")), "line 2: its custom_id is that of line 1, too"),
        (lines(line("a"), line(None)), "line 2: needs a custom_id that is a text"),
        (lines(line("a"), line(7)), "line 2: needs a custom_id that is a text"),
        (lines(line("a"), line("")), "line 2: needs a custom_id that is a text"),
        (lines(line("a"), {"body": {}}), "line 2: needs a custom_id that is a text"),
        (lines(*[line("a")] * 40), "and 29 more"),
    ],
)
def test_what_is_no_file_of_requests_is_refused_as_a_whole(tmp_path, data, reason):
    with pytest.raises(InvalidRequest, match=reason):
        opened(tmp_path, data)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"{no json", "line 2: not JSON"),
        (b"[]", "line 2: not a JSON object"),
        (b'"text"', "line 2: not a JSON object"),
        (b"[" * 100_000, "line 2: not JSON"),
        (b'{"messages": [{"role": "user", "content": "caf\xe9"}]}', "line 2: no UTF-8"),
        (b'{"messages": [{"role": "user", "content": "\\ud83d"}]}', "cannot be written as JSON"),
        (b'{"messages": [{"role": "user", "content": "x"}], "name": "\\ud83d"}', "name: holds"),
        (b'{"messages": [{"role": "user", "content": "x"}], "name": {}}', "name: needs a text"),
        (b'{"messages": 7}', "messages"),
        (b'{"n": 1e999}', "unknown option"),
        (b'{"\\ud83d": 1}', "request"),
    ],
)
def test_a_wrong_line_fails_alone(tmp_path, wrong, reason):
    """Whatever is wrong with it; those around it are asked."""
    good = lines(OURS).encode()
    found = submitted(opened(tmp_path, good + wrong + b"\n" + good))
    assert [found[0], found[2]] == [("a", "Grüße"), ("a", "Grüße")]
    assert reason in found[1][1]


def test_the_form_is_that_of_the_file_and_not_of_its_first_line(tmp_path):
    file = opened(tmp_path, "{oops\n" + TWO)
    assert file.is_openai
    assert file.wrong == ["line 1: no JSON object"]


@pytest.mark.parametrize("name", ["März 2026.jsonl", "-x.jsonl", "…", "a/b".replace("/", "\n")])
def test_any_name_gives_an_id(tmp_path, name):
    file = opened(tmp_path, TWO, name)
    assert Batch.submit.__self__(f"{file.slug}-1").id
    from producer.contract.identifiers import checked_id

    assert checked_id("batch_id", file.slug)


def test_empty_fields_are_no_options(tmp_path):
    file = opened(tmp_path, lines(line("a", tools=[], stop=None, metadata={}, logprobs=None)))
    assert submitted(file) == [("a", "Grüße")]


def test_an_answer_that_was_cut_is_an_answer_in_openai_s_form():
    error = errors.Truncated("max_tokens reached", {"partial_text": "Half of"})
    found = output(Item(0, "a", "b.0", "failed", 1, error))["response"]
    choice = found["body"]["choices"][0]
    assert (found["status_code"], choice["finish_reason"]) == (200, "length")
    assert choice["message"]["content"] == "Half of"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidRequest, 400),
        (errors.RateLimited, 429),
        (errors.BudgetExceeded, 402),
        (errors.ProvidersExhausted, 503),
        (errors.DeadlineExceeded, 504),
        (JobError, 500),
    ],
)
def test_failures_have_the_status_that_tools_look_at(error, status):
    found = output(Item(0, "a", "b.0", "failed", 1, error("x")))
    assert found["response"]["status_code"] == status
