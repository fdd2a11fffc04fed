"""What is sent of each document, what is not, and what the user is told."""

from base64 import b64decode
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.document_corpus import CASES, OFFICE
from support.document_table import FORMATS, table
from support.made_documents import TEXT, pdf
from support.seen_documents import SEEN

from producer.documents import Document, Found, read

ROOT = Path(__file__).parents[2]


def document(folder: Path, name: str, data: bytes) -> Document:
    (folder / name).write_bytes(data)
    return read(Found(str(folder / name), str(folder)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_document_is_read_or_has_a_reason(case, tmp_path):
    if case in OFFICE and case.read and not find_spec("kreuzberg"):
        pytest.skip("needs the extra `documents`")
    found = document(tmp_path, case.name, case.data)
    assert (found.wrong is None, bool(found.skipped)) == (case.read, case.skipped), found
    sent = "\n".join(f"{each.name}: {each.text}" for each in found.and_within())
    place = 0
    for text in case.sent:
        assert text in sent[place:], sent
        place = sent.index(text, place) + len(text)
    for text in case.unsent:
        assert text not in sent
    told = [each.left_out for each in found.and_within() if each.left_out]
    if case.told:
        assert case.told in f"{found.wrong} {told}"
    elif case.read:
        assert told == []


@pytest.mark.parametrize("case", SEEN, ids=lambda case: case.name)
def test_no_more_is_sent_than_a_reader_sees(case, tmp_path):
    """A fifth more at most: for what formats say that is no text."""
    found = document(tmp_path, case.name, case.data)
    for line in case.seen.splitlines():
        assert line.strip() in found.text
    assert len(found.text) <= 1.2 * len(case.seen)


@pytest.mark.skipif(not find_spec("PIL"), reason="needs the extra `documents`")
@pytest.mark.parametrize(
    ("texts", "pictures"), [(("", ""), 2), ((TEXT, "", "", ""), 3), ((TEXT, "", TEXT), 1)]
)
def test_pages_without_text_are_pictures_if_that_is_asked(texts, pictures, tmp_path):
    """Nothing of them is left out then."""
    (tmp_path / "scan.pdf").write_bytes(pdf(texts))
    found = read(str(tmp_path / "scan.pdf"), as_pictures=True)
    assert (found.wrong, found.left_out, found.pages) == (None, (), len(texts))
    assert found.text.count(TEXT) == len(texts) - pictures
    assert len(found.pictures) == pictures
    for picture in found.pictures:
        kind, _, data = picture.partition(";base64,")
        assert kind == "data:image/jpeg"
        assert b64decode(data).startswith(b"\xff\xd8\xff")


@pytest.mark.skipif(not find_spec("PIL"), reason="needs the extra `documents`")
def test_more_pictures_than_a_request_holds_are_black_and_white_or_refused(monkeypatch):
    from producer.reading import pictures
    from producer.reading.pdfium import Pages
    from producer.reading.reading import Unreadable

    pages = Pages(pdf([""] * 3))
    worst = sum(map(len, pictures.drawn(pages, [0, 1, 2], pictures.MAX_BYTES)))
    assert pictures.drawn(pages, [0, 1, 2], worst // 3)[0].startswith("data:image/png")
    monkeypatch.setattr(pictures, "MAX_BYTES", 300)
    with pytest.raises(Unreadable, match="3 of its pages are pictures, more than a request"):
        pictures.drawn(pages, [0, 1, 2], worst)
    with pytest.raises(Unreadable, match="101 of its pages are pictures, more than a request"):
        pictures.drawn(pages, [0] * 101, worst)


def test_an_office_file_without_the_extra_says_so_by_name(tmp_path, monkeypatch):
    """Before anything is paid."""
    from producer.reading import office
    from producer.reading.reading import Unreadable

    monkeypatch.setitem(__import__("sys").modules, "kreuzberg", None)
    for media_type, name in (("application/rtf", "RTF"), ("application/epub+zip", "EPUB")):
        with pytest.raises(Unreadable, match=rf"^{name} needs the extra: pip install .*documents"):
            office.read(b"", media_type)


def test_the_documentation_is_what_was_tried():
    assert table() in (ROOT / "docs/documents.md").read_text()
    assert {case.format for case in CASES} == set(FORMATS)
    assert len(CASES) >= 120
