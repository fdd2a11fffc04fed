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
    asked = {"messages": _messages(case)}
    request = CompletionRequest.checked(**asked)
    reason = load(adapter).unsupported(request)
    expected = _expected(case, adapter)
    if isinstance(expected, str):
        assert expected == reason
        return
    assert reason == ""
    ask(wire.base_url, **asked)
    assert _content(wire.calls[0].request) == [_camel(expected)]


CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def _messages(case):
    """Of a user, or with a tool's result."""
    turn = {"role": case.get("role", "user"), "content": [case["part"]]}
    if turn["role"] == "user":
        return [turn]
    called = {"role": "assistant", "tool_calls": [CALL]}
    return [{"role": "user", "content": "?"}, called, turn | {"tool_call_id": "c"}]


def _expected(case, adapter):
    """Google's earlier SDK says what the present one does, but reads no image's address, and has
    but text in a tool's result.
    """
    if adapter != "gemini-legacy":
        return case["sent"][adapter]
    if case.get("role") == "tool":
        return "anything but text in a tool's result"
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
    said = turns[-1].get("parts") or turns[-1].get("content") or turns[-1]["output"]
    result = said[0].get("functionResponse", {}).get("parts")
    if said[0].get("type") == "tool_result":
        result = said[0]["content"]
    return [_camel(each) for each in result or said]


def _camel(piece):
    """Google's SDKs spell some names with underscores and base64 in either alphabet; its API takes
    both.
    """
    names = {"mime_type": "mimeType", "file_uri": "fileUri", "inline_data": "inlineData"}
    if not {"inlineData", "inline_data", "fileData"} & piece.keys():
        return piece
    ((kind, media),) = piece.items()
    found = {names.get(name, name): value for name, value in media.items()}
    if "data" in found:
        found["data"] = found["data"].replace("-", "+").replace("_", "/")
    return {names.get(kind, kind): found}
