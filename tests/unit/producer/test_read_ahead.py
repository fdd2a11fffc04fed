"""What `completions summarize` takes of files: their documents, and those attached to them."""

import pytest
from support.corpus_mail import message

from producer.cli.reading import Documents
from producer.documents import Found, documents_of, read

NOTE = ("note.txt", "text/plain", b"Not later than noon.")
PHOTO = ("pier.png", "image/png", b"\x89PNG\r\n\x1a\n")


@pytest.fixture
def letter(tmp_path):
    path = tmp_path / "letter.eml"
    path.write_bytes(message("See both", NOTE, PHOTO, NOTE).as_bytes())
    return Found(str(path))


def test_what_is_attached_comes_after_its_file(letter):
    documents = Documents([letter])
    assert documents.count == 1
    names = [each.name.rpartition("letter.eml")[2] for each in documents]
    assert names == ["", "/note.txt", "/note (2).txt"]
    assert documents.count == len(documents.read) == 3
    whole = read(letter)
    assert [each.name for each in documents_of([whole])] == list(documents.read)
    assert whole.left_out == ("attachment pier.png: no text (image/png)",)


def test_one_that_is_attached_can_be_left_out(letter):
    documents = Documents([letter])
    name = f"{letter.path}/note.txt"
    documents.leave_out(name, "left out by you")
    assert name not in [each.name for each in documents]
    assert documents.skipped == {name: "left out by you"}
    assert (documents.without, documents.taken) == ([name], [letter])


def test_a_whole_document_is_that_without_its_attachments(letter):
    failed = {each.name: bool(each.wrong) for each in Documents([letter], strict=True)}
    assert list(failed.values()) == [True, False, False]
