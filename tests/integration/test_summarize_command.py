"""`completions summarize`: priced before, cached afterwards, unreadable files reported."""

import json

import pytest
from support import warm

from producer.batches import recent


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "docs").mkdir()
    for name in ("one.md", "two.txt"):
        (tmp_path / "docs" / name).write_text(
            f"# {name}\n\nA text about {name}, with facts in it.\n"
        )
    (tmp_path / "docs" / "empty.txt").write_text("")
    return tmp_path


@pytest.fixture
def summarize(complete, redis_url, folder, start_worker):
    start_worker({"LLM_USER_USD_PER_DAY": "0.5"})

    def run(*words, stdin=""):
        return warm.run(["summarize", *words], {"REDIS_URL": redis_url, "PATH": ""}, folder, stdin)

    return run


def test_a_folder_is_priced_then_summarised_and_then_cached(summarize, folder):
    first = summarize("docs", "--user", "u1", "--out", "out.jsonl", stdin="y\n")
    assert first.returncode == 1, first.stderr  # one of them is empty
    assert "2 documents (1 cannot be read and are reported), 2 calls," in first.stderr
    assert "the budgets leave $0.5000 today\n" in first.stderr
    assert "time: no call was measured yet; no limit of yours holds it up\n" in first.stderr
    assert "\ndocs/empty.txt: empty" in first.stderr
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [line["document"] for line in lines] == ["docs/empty.txt", "docs/one.md", "docs/two.txt"]
    assert [line["state"] for line in lines] == ["failed", "done", "done"]
    (folder / "docs" / "empty.txt").unlink()
    second = summarize("docs", "--user", "u1", "--yes", "--out", "texts")
    assert second.returncode == 0
    assert "2 summaries (2 cached), 0 failed, $0.000000" in second.stderr
    names = sorted(path.name for path in (folder / "texts").glob("*.md"))
    assert [name.rpartition("-")[0] for name in names] == ["docs_one.md", "docs_two.txt"]
    third = summarize(".", "--user", "u1", "--yes", "--out", "texts")
    assert "skipped (our own output): out.jsonl, texts" in third.stderr
    assert "2 files in texts are not of this run" not in third.stderr


def test_nothing_is_paid_without_a_yes(summarize):
    done = summarize("docs", "--user", "u1", stdin="n\n")
    assert done.returncode == 0
    assert "Nothing was paid." in done.stderr
    assert [(each.label, each.calls) for each in recent()] == [("plan", 0)]


def test_standard_input_and_an_own_prompt(summarize):
    done = summarize(
        "-",
        "--user",
        "u1",
        "--yes",
        "--style",
        "Say what is missing",
        stdin="A text that is piped in.",
    )
    assert done.returncode == 0
    assert done.stdout.startswith("# stdin\n\n")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("https://example.org/a.pdf", "URLs are not fetched"), ("gone", "no such file")],
)
def test_wrong_paths_are_reported(summarize, path, reason):
    done = summarize(path, "--user", "u1", "--yes")
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
