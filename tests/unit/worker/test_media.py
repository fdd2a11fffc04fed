"""Holds know pages and seconds."""

import base64
import zlib

import pytest

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest
from worker.model_catalog import Models
from worker.providers.media import MOST_PAGES, PAGE_TEXT, SOUND, tokens_of_media, unperceived

IMAGE = 1_000


def asked(part):
    return CompletionRequest.checked(messages=[{"role": "user", "content": [part]}])


def file(**fields):
    return asked({"type": "file", "file": fields})


def pdf(content):
    return file(file_data=base64.b64encode(content).decode(), filename="a.PDF")


def packed(pages):
    objects = zlib.compress(b"<</Type /Page /Parent 1 0 R>>" * pages)
    return b"%PDF\n<</Type/Pages>>\n<</Type/ObjStm/Filter/FlateDecode>>stream\n" + objects


@pytest.mark.parametrize(
    ("content", "pages"),
    [
        (b"%PDF <</Type/Pages>> <</Type/Page>> <</Type /Page/X 1>>", 2),
        (packed(7), 7),
        (b"%PDF " + b"x" * 6_000, 3),
        (packed(3)[:-4], 3),
    ],
    ids=["plain", "packed", "hidden", "cut"],
)
def test_the_pages_of_a_pdf_are_counted(content, pages):
    assert tokens_of_media(pdf(content), IMAGE) == pages * (IMAGE + PAGE_TEXT)


def test_a_file_that_is_not_here_has_the_most_pages():
    known = file(file_url="https://example.org/a.pdf")
    assert tokens_of_media(known, IMAGE) == MOST_PAGES * (IMAGE + PAGE_TEXT)


def test_a_text_has_a_token_for_each_byte_and_a_sound_its_seconds():
    text = file(file_data="data:text/plain;base64," + base64.b64encode(b"x" * 90).decode())
    assert tokens_of_media(text, IMAGE) == 90
    data = base64.b64encode(b"x" * 3_000).decode()
    sound = asked({"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}})
    assert tokens_of_media(sound, IMAGE) == 4 * SOUND


SOUND_PART = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
PDF = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}}


@pytest.mark.parametrize(
    ("part", "taken"),
    [
        (SOUND_PART, {"gpt-audio", "gemini-3.8-flash", "own"}),
        (PICTURE, {"gpt-4o", "gpt-6-luna", "claude-3-opus", "gemini-3.8-flash", "gemma-4", "own"}),
        (PDF, {"gpt-4o", "gpt-6-luna", "gemini-3.8-flash", "own"}),
    ],
    ids=["sound", "image", "pdf"],
)
def test_what_a_model_does_not_perceive_goes_to_another(part, taken):
    models = {
        "openai": ("gpt-4o", "gpt-6-luna", "gpt-audio", "gpt-3.5-turbo", "o3-mini", "own"),
        "anthropic": ("claude-3-opus",),
        "gemini": ("gemini-3.8-flash", "gemma-4"),
    }
    known = Models.load()
    found = {
        model
        for provider, names in models.items()
        for model in names
        if not unperceived(known.of(provider, model), asked(part))
    }
    assert found == taken


def test_a_picture_in_a_tool_s_result_goes_to_models_that_take_it():
    calls = [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
    result = {"role": "tool", "tool_call_id": "c", "content": [PICTURE]}
    turns = [{"role": "assistant", "tool_calls": calls}, result]
    request = CompletionRequest.checked(messages=turns)
    known = Models.load()
    assert "tool's result" in unperceived(known.of("gemini", "gemini-2.5-pro"), request)
    assert unperceived(known.of("gemini", "gemini-3.8-flash"), request) == ""
    assert unperceived(known.of("gemini-legacy", "gemini-3.8-flash"), request) == ""


def test_a_file_of_models_says_what_they_perceive(tmp_path):
    path = tmp_path / "models.toml"
    path.write_text('[gemini]\nhears = false\n[gemini.models]\n"gemini-9" = { hears = true }\n')
    known = Models.load(path)
    assert [known.of("gemini", f"gemini-{n}").hears for n in ("3.8-flash", "9-pro")] == [
        False,
        True,
    ]
    assert known.of("gemini", "another").hears is None


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {}},
        {"type": "file", "file": {"file_id": "a", "file_url": "https://b"}},
        {"type": "file", "file": {"file_url": "http://10.0.0.1/"}},
        {"type": "file", "file": {"file_data": "AAAA"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,?"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,"}},
        {"type": "file", "file": {"file_data": "data:text/plain;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "?", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "midi"}},
        {"type": "video_url", "video_url": {"url": "https://a"}},
    ],
)
def test_what_is_wrong_is_refused_with_its_place(part):
    with pytest.raises(InvalidRequest) as caught:
        asked(part)
    assert caught.value.details["fields"][0].startswith("messages[0]")
