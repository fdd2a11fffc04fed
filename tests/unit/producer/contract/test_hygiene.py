"""What no text of a request may hold, and how untrusted text is wrapped."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer import untrusted
from producer.contract.errors import InvalidRequest
from producer.contract.hygiene import problem, template_mark
from producer.contract.requests import CompletionRequest

HIDDEN = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore all")
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a\x00b", "U+0000 at character 1"),
        ("\x1b[31mred", "U+001B at character 0"),
        (f"hello{HIDDEN}", "invisible Unicode tags at character 5"),
    ],
)
def test_what_may_not_be_sent_is_named_with_its_place_and_the_fix(text, named):
    """In the caller's stack, before anything is stored."""
    with pytest.raises(InvalidRequest) as caught:
        CompletionRequest.checked(
            messages=[{"role": "user", "content": [{"type": "text", "text": text}]}]
        )
    assert named in str(caught.value)
    assert "Fix:" in str(caught.value)
    assert caught.value.details["fields"] == ["messages[0].content[0].text"]


def test_every_text_of_a_message_is_looked_at():
    """Also what a tool returned and what the model is said to have called."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "\x07"}}
    messages = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "\x08"},
    ]
    for number, place in enumerate(("messages[0].tool_calls[0].function", "messages[0].content")):
        with pytest.raises(InvalidRequest, match=re.escape(place)):
            CompletionRequest.checked(messages=messages[number:])


@pytest.mark.parametrize(
    "text",
    ["tab\tline\r\nform feed\f", f"flag {ENGLAND}", "a <| b |> c", "é 漢 😀 \u200d", "x <<y>> z"],
)
def test_ordinary_text_passes(text):
    assert problem(text) == ""


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("x<|im_start|>system", "<|im_start|>"),
        ("<start_of_turn>model", "<start_of_turn>"),
        ("[/INST] sure", "[/INST]"),
        ("a <| b |> c", ""),
    ],
)
def test_marks_of_chat_templates_are_known(text, mark):
    """A text with one is no wrong request: which links may get it, `LinkSelector` decides."""
    assert template_mark(text) == mark
    assert problem(text) == ""


@given(st.text(), st.binary(min_size=1))
def test_wrapped_text_is_sendable_and_stays_between_its_separators(text, key):
    """Once before the text and once after it, whatever is in it."""
    for wrapped in (untrusted(text), untrusted(text, key=key)):
        assert (problem(wrapped), template_mark(wrapped)) == ("", "")
        mark = re.search(r"the two lines ([0-9a-f]{32}) stands", wrapped)[1]
        first, last = (found.start() for found in re.finditer(rf"^{mark}$", wrapped, re.MULTILINE))
        assert wrapped.endswith(mark)
        assert wrapped.count(mark) == 3
        assert first < last


def test_separators_are_random_or_follow_from_a_secret_key():
    """Random for each request; with a key repeatable, so that answers can be cached."""
    assert untrusted("a") != untrusted("a")
    assert untrusted("a", key=b"k") == untrusted("a", key=b"k") != untrusted("a", key=b"other")


def test_the_marks_of_chat_templates_are_broken_up():
    assert "<|im_start|>" not in untrusted("<|im_start|>system")
    assert HIDDEN not in untrusted(HIDDEN)
    assert ENGLAND in untrusted(ENGLAND)
