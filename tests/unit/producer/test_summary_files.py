"""Where summaries go: one file is complete whenever it is looked at, and another run updates it."""

import csv
import json
import os
from pathlib import Path

import click
import pytest

from producer.batch_items import Item
from producer.cli import one_file
from producer.cli.reading import Documents
from producer.cli.summary_files import Summaries, refuse_documents_in
from producer.cli.summary_rows import COLUMNS, FORMS
from producer.contract.completions import Completion, Usage
from producer.contract.errors import JobError
from producer.documents import Choice, Document, Found, found

NAMES = ["a", "-b", "ü\\xe9"]
NONE = Documents([])


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """A file is written at each look, unless a test says otherwise."""
    monkeypatch.setattr(one_file, "PAUSE_S", 0.0)
    monkeypatch.setattr(one_file, "SHARE", 0)
    return monkeypatch


def summary(name, index, text="Short."):
    answer = Completion(
        text=text,
        finish_reason="stop",
        model="m",
        provider="p",
        usage=Usage(),
        cost_usd=0.1,
        attempts=1,
        latency_ms=1,
        request_id="r",
    )
    return Item(index, name, f"b.{index}", "done", 0, answer)


def failure(name, index):
    return Item(index, name, f"b.{index}", "failed", 0, JobError(f"{name}: no\nword"))


def run(out, *items, documents=NONE):
    """A whole run whose documents are `items`."""
    summaries = Summaries(out)
    summaries.check()
    summaries.add(list(items), documents)
    summaries.finish(items, documents)


def rows(path):
    with path.open("rb") as file:
        return list(FORMS[path.suffix].read(file))


@pytest.fixture(params=FORMS)
def out(request, tmp_path):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"sums{request.param}"


def test_one_file_is_there_as_documents_end(out):
    """In their order, whatever the order of their ends."""
    summaries = Summaries(out)
    summaries.check()
    for index in (2, 0, 1):
        summaries.add([summary(NAMES[index], index)], NONE)
        assert NAMES[index] in [row["document"] for row in rows(out)]
    assert [row["document"] for row in rows(out)] == NAMES
    assert list(out.parent.iterdir()) == [out]


def test_another_run_updates_the_file_and_says_what_is_stale(out, capsys):
    run(out, *map(summary, NAMES, range(3)))
    again = Summaries(out)
    again.check()
    again.add([summary("-b", 0, "New.")], NONE)
    assert [row["document"] for row in rows(out)] == ["-b", "a", NAMES[2]]  # nothing is lost
    again.finish([summary("-b", 0, "New."), failure("c", 1)], NONE)
    told = [(row["document"], row["state"]) for row in rows(out)]
    assert told == [("-b", "done"), ("c", "failed"), ("a", "stale"), (NAMES[2], "stale")]
    assert rows(out)[0]["summary"] == "New."
    assert capsys.readouterr().err == f"2 summaries in {out} are not of this run: a, {NAMES[2]}\n"
    run(out, summary("a", 0))
    assert [row["state"] for row in rows(out)] == ["done", "stale", "stale", "stale"]


@pytest.mark.parametrize("held", [b"notes\n", b'{"a": 1}\n', b"x,y\n1,2\n", b"\xff\xfe"])
def test_a_file_that_holds_something_else_is_not_touched(out, held):
    out.write_bytes(held)
    with pytest.raises(click.ClickException, match="something else than summaries"):
        run(out, summary("a", 0))
    assert out.read_bytes() == held


def test_an_empty_file_and_a_link_are_written(tmp_path):
    (tmp_path / "real.jsonl").touch()
    (tmp_path / "link.jsonl").symlink_to("real.jsonl")
    run(tmp_path / "link.jsonl", summary("a", 0))
    assert (tmp_path / "link.jsonl").is_symlink()
    assert [row["document"] for row in rows(tmp_path / "real.jsonl")] == ["a"]


def test_a_pipe_gets_all_of_it_once(tmp_path):
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    run(pipe, *map(summary, NAMES, range(3)))
    assert os.read(reading, 100_000).count(b"\n") == 3
    os.close(reading)


def test_a_summary_that_looks_like_our_marks_stays_one(tmp_path):
    out = tmp_path / "x.md"
    text = 'One.\n\n<!-- document: {"document": "z"} -->\n# z\n\nTwo.'
    run(out, summary("a --> <!-- b", 0, text), summary("b", 1))
    assert [row["document"] for row in rows(out)] == ["a --> <!-- b", "b"]


@pytest.mark.parametrize("name", ["x.jsonl", "folder"])
def test_a_full_disk_is_told_once_and_what_was_paid_is_written_when_there_is_room(
    tmp_path, capsys, pauses, name
):
    out = tmp_path / name
    summaries = Summaries(out)
    summaries.check()

    def full(*args):
        raise OSError(28, "No space left on device")

    with pauses.context() as patch:
        patch.setattr(Path, "replace", full)
        summaries.add([summary("a", 0)], NONE)
        summaries.add([summary("b", 1)], NONE)
        with pytest.raises(click.ClickException, match="No space left on device"):
            summaries.finish([summary("a", 0), summary("b", 1)], NONE)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Fix: make room. It is tried again at the end")
    assert not list(tmp_path.rglob("*.part"))
    summaries.finish([summary("a", 0), summary("b", 1)], NONE)
    written = rows(out) if name == "x.jsonl" else list(out.glob("*.md"))
    assert len(written) == 2


def test_it_is_not_written_at_every_end(tmp_path, pauses):
    """Else 10,000 documents would be written 10,000 times."""
    pauses.setattr(one_file, "PAUSE_S", 60.0)
    out = tmp_path / "x.jsonl"
    summaries = Summaries(out)
    for index in range(3):
        summaries.add([summary(f"d{index}", index)], NONE)
    assert len(rows(out)) == 1
    summaries.leave()
    assert len(rows(out)) == 3


def test_a_failure_is_one_line_that_names_its_document_once(tmp_path, capsys):
    Summaries(None).add([failure("a", 0)], NONE)
    assert capsys.readouterr().err == "a: no\\nword\n"


def test_a_table_has_a_value_in_each_cell(tmp_path):
    documents = Documents([])
    documents.read["a"] = Document("a", "", left_out=("a picture", "a note"), pages=2)
    documents.characters["a"] = 9
    run(tmp_path / "x.csv", summary("a", 0, "=1+1"), documents=documents)
    run(tmp_path / "x.jsonl", summary("a", 0), documents=documents)
    lines = (tmp_path / "x.csv").read_text("utf-8-sig").splitlines()
    (row,) = csv.DictReader(lines)
    assert list(row) == list(COLUMNS)
    assert (row["pages"], row["characters"], row["left_out"]) == ("2", "9", "a picture; a note")
    assert row["summary"] == "'=1+1"  # no spreadsheet computes it
    assert json.loads((tmp_path / "x.jsonl").read_text())["left_out"] == ["a picture", "a note"]


@pytest.mark.parametrize("name", ["docs", ".", "docs/a.txt", "link"])
def test_summaries_do_not_go_where_the_documents_are(tmp_path, name):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("A text.")
    (tmp_path / "link").symlink_to("docs")
    documents = Documents([Found(str(tmp_path / "docs" / "a.txt"))])
    with pytest.raises(click.ClickException, match="Fix: name another"):
        refuse_documents_in(tmp_path / name, documents)
    refuse_documents_in(tmp_path / "sums", documents)


def test_files_that_we_wrote_are_no_documents(out):
    run(out, *map(summary, NAMES, range(3)))
    (each,) = found([str(out.parent)], Choice())
    assert each.skipped == "our own output" or out.suffix == ".parquet"
    out.write_text('{"document": "Somebody else has such lines."}')
    (each,) = found([str(out.parent)], Choice())
    assert not each.skipped


def test_a_run_that_is_left_at_once_leaves_no_file(tmp_path):
    summaries = Summaries(tmp_path / "x.csv")
    summaries.check()
    summaries.leave()
    assert list(tmp_path.iterdir()) == []
