"""Files of requests as people have them: none loses a line, invents an id or is half of it paid."""

import os
import threading
from pathlib import Path

import pytest
from support.request_shapes import PARTLY, PROMPT, READ, REFUSED, SHAPES, line, lines, ours, table

from producer.contract.errors import InvalidRequest
from producer.contract.identifiers import checked_id
from producer.request_files import RequestFile
from producer.submitting import item_of

ROOT = Path(__file__).parents[3]
TWO = lines(line("a"), line("b"))


def opened(tmp_path, data, name="x.jsonl", prompt=""):
    data = data.encode() if isinstance(data, str) else data
    (tmp_path / name).write_bytes(data)
    return RequestFile(str(tmp_path / name), prompt)


def shaped(tmp_path, shape):
    if not shape.data and shape.name.endswith(".parquet"):
        pytest.skip("needs the extra `tables`")
    return opened(tmp_path, shape.data, shape.name, shape.prompt)


def submitted(file):
    """What each request becomes: its name, what is asked or "", what is wrong with it or ""."""
    found = []
    for number, each in enumerate(file):
        submission = item_of("b", number, each, "u1", {})
        asked = "" if submission.wrong else submission.request.messages[0].content
        found.append((submission.name, asked, str(submission.wrong or "")))
    return found


@pytest.mark.parametrize("shape", [*READ, *PARTLY], ids=lambda shape: shape.name)
def test_every_request_is_asked_or_has_a_reason(tmp_path, shape):
    """However often the file is read."""
    file = shaped(tmp_path, shape)
    assert file.is_openai == shape.is_openai
    found = submitted(file)
    assert found == submitted(file)
    assert len(found) == shape.lines
    assert tuple(name for name, asked, _ in found if asked) == shape.asked
    assert {name for name, _, _ in found} <= {"a", "b", "c", ""}
    wrong = [reason for _, _, reason in found if reason]
    assert wrong == list(file.wrong.values())
    assert any(reason.startswith(shape.told) for reason in wrong) == bool(shape.told)


@pytest.mark.parametrize("shape", REFUSED, ids=lambda shape: shape.name)
def test_what_is_no_file_of_requests_is_refused_as_a_whole(tmp_path, shape):
    with pytest.raises(InvalidRequest) as caught:
        shaped(tmp_path, shape)
    assert shape.told in str(caught.value)


@pytest.mark.parametrize("shape", PARTLY, ids=lambda shape: shape.name)
def test_wrong_requests_come_back_as_they_were_given(tmp_path, shape):
    """So that they can be mended and run again; here as they are, with the same reasons."""
    file = shaped(tmp_path, shape)
    text = "".join(f"{each}\n" for each in file.lines(file.wrong))
    good = lines({"id": "a", "text": "x"} if shape.prompt else line("other"))
    again = opened(
        tmp_path, (text + good).encode("utf-8", "surrogateescape"), "again.jsonl", shape.prompt
    )
    assert len(again.wrong) == len(file.wrong) or shape.name == "cells.csv"


def test_the_documentation_is_what_was_tried():
    assert len(SHAPES) >= 33
    assert table() in (ROOT / "docs/batches.md").read_text()


def test_a_pipe_is_read_once_and_kept(tmp_path):
    read, write = os.pipe()
    thread = threading.Thread(target=lambda: (os.write(write, TWO.encode()), os.close(write)))
    thread.start()
    file = RequestFile(f"/dev/fd/{read}")
    thread.join()
    os.close(read)
    assert submitted(file) == submitted(file) == submitted(opened(tmp_path, TWO))
    assert file.fingerprint == opened(tmp_path, TWO).fingerprint


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"{no json", "line 2: not JSON"),
        (b"[]", "line 2: not a JSON object"),
        (b'"text"', "line 2: not a JSON object"),
        (b"[" * 100_000, "line 2: not JSON (nested too deeply)"),
        (b'{"n": 1%s}' % (b"0" * 5000), "line 2: not JSON (a number is too long)"),
        (b'{"messages": [{"role": "user", "content": "caf\xe9"}]}', "line 2: no UTF-8"),
        (b'{"messages": [{"role": "user", "content": "x"}], "name": "\\ud83d"}', "name: holds"),
        (b'{"messages": [{"role": "user", "content": "x"}], "name": {}}', "name: needs a text"),
        (b'{"messages": 7}', "line 2: messages"),
        (b'{"messages": [], "wrong": 1}', "wrong: unknown option"),
        (b'{"number": 1e999}', "unknown option"),
        (b'{"\\ud83d": 1}', "request"),
        (b'{"x": "' + b"y" * 20_000_001 + b'"}', "line 2: has more than 20,000,000 characters"),
    ],
)
def test_a_wrong_line_fails_alone(tmp_path, wrong, reason):
    """Whatever is wrong with it; those around it are asked."""
    good = lines(ours()).encode()
    found = submitted(opened(tmp_path, good + wrong + b"\n" + good))
    assert [found[0][:2], found[2][:2]] == [("a", "Grüße"), ("a", "Grüße")]
    assert reason in found[1][2]


def test_many_wrong_ids_are_counted(tmp_path):
    with pytest.raises(InvalidRequest, match="and 29 more"):
        opened(tmp_path, lines(*[line("a")] * 40))


@pytest.mark.parametrize("custom_id", ["two\nlines", "x" * 1025])
def test_an_id_that_could_not_be_given_back_is_refused(tmp_path, custom_id):
    with pytest.raises(InvalidRequest, match="line 2: custom_id: "):
        opened(tmp_path, lines(line("a"), line(custom_id)))


@pytest.mark.parametrize("name", ["März 2026.jsonl", "-x.jsonl", "…", "a\nb"])
def test_any_name_gives_an_id(tmp_path, name):
    file = opened(tmp_path, TWO, name)
    assert checked_id("batch_id", file.slug)


def test_another_prompt_is_another_batch(tmp_path):
    rows = b"text\nx\n"
    first = opened(tmp_path, rows, "x.csv", PROMPT)
    assert first.fingerprint != opened(tmp_path, rows, "x.csv", "{text}?").fingerprint


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("Classify", "has no place for a column"),
        ("Classify: {}", "places are names of columns"),
        ("Classify: {text!r}", "places are names of columns"),
        ("Classify: {text:>9}", "places are names of columns"),
        ("Classify: {text", "expected '}'"),
        ("Classify: {text.__class__}", r"no column 'text.__class__'"),
        ("Classify: {nope}", "There are: text, a b"),
    ],
)
def test_a_wrong_prompt_is_told_before_anything_is_asked(tmp_path, prompt, reason):
    with pytest.raises(InvalidRequest, match=reason):
        opened(tmp_path, b"text,a b\nx,y\n", "x.csv", prompt)


def test_a_prompt_is_filled_as_it_is_written(tmp_path):
    file = opened(tmp_path, b"text,a b\n{a b},%s\n", "x.csv", '{{"t": "{text}", "u": {a b}}}')
    assert submitted(file) == [("", '{"t": "{a b}", "u": %s}', "")]
