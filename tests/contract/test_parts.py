"""What each part of a message is at each provider, or why it goes to another one."""

import json
from pathlib import Path

import pytest

from producer.contract.requests import CompletionRequest
from worker.providers import load

WIRES = ("openai", "openai-responses", "anthropic", "gemini")
TABLE = json.loads((Path(__file__).parent / "parts.json").read_text())


@pytest.mark.parametrize("case", TABLE, ids=[row["name"] for row in TABLE])
def test_a_part_is_said_or_the_link_is_passed_over(wire, ask, adapter, case):
    asked = {"messages": [{"role": "user", "content": [case["part"]]}]}
    request = CompletionRequest.checked(**asked)
    reason = load(adapter).unsupported(request)
    expected = _expected(case, adapter)
    if isinstance(expected, str):
        assert expected == reason
        return
    assert reason == ""
    ask(wire.base_url, **asked)
    assert _content(wire.calls[0].request) == [_camel(expected)]


def _expected(case, adapter):
    """Google's earlier SDK says what the present one does, but reads no image's address."""
    if adapter != "gemini-legacy":
        return case["sent"][adapter]
    if case["name"].startswith("image") and "data:" not in str(case["part"]):
        return "an image by URL"
    return case["sent"]["gemini"]


def test_the_page_of_requests_has_the_same_table():
    page = (Path(__file__).parents[2] / "docs/requests.md").read_text()
    assert all(_line(case) in page for case in TABLE)


def _line(case):
    cells = [_fate(case["sent"][name]) for name in WIRES]
    return f"| {case['name']} | {' | '.join(cells)} |"


def _fate(sent):
    """The kind of piece that it becomes."""
    if isinstance(sent, str):
        return "another link"
    kind = sent.get("type") or next(iter(sent))
    marks = [name for name in ("cache_control", "prompt_cache_breakpoint") if name in sent]
    return ", ".join(f"`{name}`" for name in [kind, *marks])


def _content(sent):
    turns = sent.get("contents") or sent.get("messages") or sent["input"]
    return [_camel(each) for each in turns[-1].get("parts") or turns[-1]["content"]]


def _camel(piece):
    """Google's SDKs spell some names with underscores and base64 in either alphabet; its API takes
    both.
    """
    if "inlineData" not in piece and "fileData" not in piece:
        return piece
    ((kind, media),) = piece.items()
    names = {"mime_type": "mimeType", "file_uri": "fileUri"}
    found = {names.get(name, name): value for name, value in media.items()}
    if "data" in found:
        found["data"] = found["data"].replace("-", "+").replace("_", "/")
    return {kind: found}
