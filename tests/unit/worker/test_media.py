"""Holds know pages and seconds."""

import base64
import zlib

import pytest

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest
from worker.model_catalog import Model
from worker.providers.media import MOST_PAGES, PAGE_TEXT, SOUND, tokens_of_media, unheard
from worker.settings import Link

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


def test_a_sound_goes_to_no_model_that_does_not_hear():
    sound = asked({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}})
    for model, facts, heard in (
        ("gpt-4o", Model(window=1), False),
        ("gpt-audio", Model(window=1), True),
        ("own", Model(), True),
    ):
        link = Link(provider="openai", model=model, adapter="openai")
        assert (unheard(link, facts, sound) == "") == heard


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
