"""`completions summarize` of scans and mails: what goes to the provider, what is told."""

import json
from importlib.util import find_spec

import pytest
from support import warm
from support.corpus_mail import message
from support.made_documents import TEXT, pdf

SCAN = ("scan.pdf", "application/pdf", pdf(("", "")))
PHOTO = ("pier.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(99))


@pytest.fixture
def summarize(complete, redis_url, tmp_path, start_worker, openai_env, wire):
    wire.script = lambda request, number: "ok"
    start_worker(openai_env | {"LLM_USER_TOKENS_PER_HOUR": "1000000"})
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "letter.eml").write_bytes(message("See the scan", SCAN, PHOTO).as_bytes())
    (tmp_path / "in" / "mixed.pdf").write_bytes(pdf((TEXT, "", TEXT)))

    def run(*words):
        command = ["summarize", "in", "--user", "u1", *words]
        return warm.run(command, {"REDIS_URL": redis_url, "PATH": ""}, tmp_path, "y\n")

    return run


def sent(wire):
    """How many pictures -> all texts beside them, of each call."""
    calls = {}
    for call in wire.calls:
        contents = [message["content"] for message in call.request["messages"]]
        parts = [part for each in contents if not isinstance(each, str) for part in each]
        urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        assert all(url.startswith("data:image/jpeg;base64,") for url in urls)
        calls[len(urls)] = " ".join(
            [part["text"] for part in parts if part["type"] == "text"]
            + [each for each in contents if isinstance(each, str)]
        )
    return calls


@pytest.mark.skipif(not find_spec("PIL"), reason="needs the extra `documents`")
def test_pages_go_as_pictures_and_attachments_as_documents(summarize, tmp_path, wire):
    listed = summarize("--pictures", "--list")
    assert listed.stdout.splitlines() == [
        "read     in/letter.eml: 56 characters; attachment pier.png: no text (image/png)",
        "read     in/letter.eml/scan.pdf: 2 pages, 2 of them as pictures, 0 characters",
        f"read     in/mixed.pdf: 3 pages, 1 of them as pictures, {2 * len(TEXT) + 2} characters",
    ]
    assert wire.calls == []
    done = summarize("--pictures", "--out", "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert "3 documents, 3 calls, " in done.stderr
    told = sent(wire)
    assert sorted(told) == [0, 1, 2]
    assert "See the scan" in told[0]
    assert told[1].count(TEXT) == 2
    assert "All its pages are pictures." in told[2]
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    names = ["in/letter.eml", "in/letter.eml/scan.pdf", "in/mixed.pdf"]
    assert [(row["document"], row["state"]) for row in rows] == [(name, "done") for name in names]
    done = summarize("--list")
    assert done.returncode == 0, done.stderr
    assert "attachment scan.pdf: 2 of 2 pages are pictures: not read" in done.stdout
    assert "134 characters; 1 of 3 pages are pictures: not read" in done.stdout
