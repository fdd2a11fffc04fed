"""Parts of long texts: each can be understood alone, and they are the same in every run."""

import json

import pytest

from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest
from worker.documents.parts import split
from worker.model_catalog import Models
from worker.providers.tokens import Estimator

SIZE = 600
ROWS = [f"2021-{n:04};Ann {n};;{n * 7}" for n in range(200)]
MARKED = [f"| {n} |  | {n * 7} |" for n in range(200)]
PROSE = "\n\n".join(f"Paragraph {n}. It says, as others do, something." for n in range(60))


def parts_of(text, size=SIZE):
    parts = split(text, size, 0.03)
    assert len(parts) > 3
    assert max(map(len, parts)) <= size
    return parts


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("before", ["", "Report of 2021\n\n"], ids=["bare", "title"])
def test_rows_stand_under_the_header_of_their_table(delimiter, before):
    header = delimiter.join(["day", "name", "2020", "2021"])
    rows = [row.replace(";", delimiter) for row in ROWS]
    parts = parts_of(before + "\n".join([header, *rows]))
    assert all(header in part for part in parts if part != before.strip())
    assert all(any(row in part for part in parts) for row in rows)
    whole_rows = {header, *rows, before.strip(), ""}
    assert {line for part in parts for line in part.splitlines()} <= whole_rows


def test_rows_of_a_sheet_stand_under_its_name_and_header():
    header = "| year | loss | profit |\n| --- | ---: | --- |"
    sheets = [f"## {name}\n\n{header}\n" + "\n".join(MARKED) for name in ("North", "South")]
    for part in parts_of(PROSE + "\n\n" + "\n\n".join(sheets)):
        rows = [line for line in part.splitlines() if line in MARKED]
        assert not rows or header in part
        assert not rows or "## North" in part or "## South" in part
    last = parts_of("\n\n".join(sheets))[-1]
    assert last.startswith(f"## South\n\n{header}\n")


def test_a_long_line_of_json_goes_on_under_its_keys():
    line = json.dumps({"id": 7, "text": "Some words of it. " * 200, "name": "x"})
    first, *others = parts_of(f'{{"id": 1}}\n{line}\n')
    assert first.startswith('{"id": 1}')
    assert all(each.startswith("(goes on; keys: id, text, name)\n") for each in others[1:])


def test_lines_of_json_are_cut_at_their_ends():
    lines = [json.dumps({"id": n, "name": f"Ann {n}"}) for n in range(200)]
    for part in parts_of("\n".join(lines)):
        assert set(part.splitlines()) <= set(lines)


def test_a_file_is_named_in_all_of_its_parts():
    code = "\n\n".join(f"def f{n}(a, b):\n    return a + b + {n}" for n in range(60))
    text = f"File app.py:\n\n{code}\n\nAttachment rows.csv:\n\na,b\n" + "x,y\n" * 300
    parts = parts_of(text)
    for part in parts:
        assert "File app.py:" in part or "Attachment rows.csv:" in part
    assert parts[-1].startswith("Attachment rows.csv:\n\na,b\n")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PROSE, id="prose"),
        pytest.param("\n".join(f"2021-01-{n}, INFO, all is well" for n in range(99)), id="log"),
        pytest.param("\n".join(f"Ann {n},{1900 + n},Rome" for n in range(199)), id="no header"),
        pytest.param("word " * 1000, id="one line"),
        pytest.param("x" * 5000, id="one word"),
    ],
)
def test_what_has_no_header_gets_none(text):
    assert all(part in text for part in parts_of(text))


def test_a_header_that_is_too_long_is_cut():
    header = ",".join(f"column{n}" for n in range(500))
    rows = "\n".join(",".join(str(n) for n in range(500)) for _ in range(9))
    assert max(map(len, split(f"{header}\n{rows}", SIZE, 0.03))) <= SIZE


def test_what_replies_teach_changes_no_part():
    estimator = Estimator(Models.load(None))
    request = CompletionRequest(messages=(Message(role="user", content=PROSE),))
    before = estimator.by_catalog(request, "openai", "gpt-4o")
    learnt_before = estimator.bounds(request, "openai", "gpt-4o")
    estimator.learn(request, "openai", "gpt-4o", 9000)
    assert estimator.by_catalog(request, "openai", "gpt-4o") == before == learnt_before
    assert estimator.bounds(request, "openai", "gpt-4o") != before
