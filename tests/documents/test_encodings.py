"""What is read of texts in encodings that they do not name."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from support.encoded_texts import ENCODINGS, LANGUAGES, OTHERS, UNICODE, Encoded, encoded

from producer.reading import page, sense
from producer.reading.reading import Reading, Unreadable
from producer.reading.text import decoded

ROOT = Path(__file__).parents[2]
EN_DASHES = "It\u2019s 40 \u2013 no, 45 \u20ac. He paid."
FORMS = ("text", "HTML")


def read(form: str, data: bytes, declared: str = "") -> Reading:
    """As the reader's program does it. Raises `Unreadable`."""
    found = Reading(*decoded(data, declared))
    if form == "HTML":
        found = page.read(data, declared)
    found.text, told = sense.checked(found.text)
    found.left_out += told
    return found


def in_form(form: str, each: Encoded) -> bytes:
    if form == "text":
        return each.data
    whole = f"<html><body><div class='x'><p>{each.text}</p></div></body></html>"
    if each.encoding.startswith(("utf_16", "utf_32")):
        return whole.encode(each.encoding)
    before, after = whole.split(each.text)
    return before.encode() + each.data + after.encode()


@cache
def outcomes() -> list[tuple[str, Encoded, str]]:
    """Form, text, and "right", "refused" or what was read instead."""
    found = []
    for form in FORMS:
        for each in encoded():
            try:
                text = read(form, in_form(form, each)).text
            except Unreadable:
                text = "refused"
            found.append((form, each, "right" if each.text in text else text))
    return found


def test_no_encoding_gives_garbage():
    """Right or refused; and nearly all are right that are in an encoding of their language."""
    garbage = [each for each in outcomes() if each[2] not in ("right", "refused")]
    assert not garbage
    at_home = Counter(said for _, each, said in outcomes() if each.is_at_home)
    assert at_home["refused"] == 0
    anywhere = Counter(said for *_, said in outcomes())
    assert anywhere["right"] > 0.9 * anywhere.total()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("caf\u00e9", "cp1252"),
        ("Jos\u00e9", "iso8859_1"),
        ("name;price\nM\u00fcller;3\nJ\u00e4ger;4\n", "cp1252"),
        (EN_DASHES, "cp1252"),
        ("Price: 45 \u20ac per unit. Delivery within ten days.", "cp1252"),
        ("# Gr\u00f6\u00dfe pr\u00fcfen\nfor x in y: pass  # f\u00fcr alle", "iso8859_1"),
        ("int main() { /* \u521d\u59cb\u5316\u6240\u6709\u7684\u53d8\u91cf */ }", "gbk"),
    ],
)
def test_a_few_signs_are_read_as_browsers_do(text, encoding):
    assert read("text", text.encode(encoding)).text == text


@pytest.mark.parametrize("form", FORMS)
def test_one_wrong_byte_spoils_no_text(form):
    """Neither one of ASCII nor one of UTF-8."""
    for before in ("A plain note", "A na\u00efve note, \u00e0 la carte"):
        found = read(form, before.encode() + b" \xff and more of it.")
        assert found.text == f"{before} \ufffd and more of it."
        assert found.left_out == ["1 bytes that are no UTF-8 were replaced"]


def test_what_a_file_says_of_itself_is_not_believed_against_all_sense():
    russian = LANGUAGES["Russian"].texts[0]
    found = read("text", russian.encode("cp1251"), "iso-8859-1")
    told = "it says that it is cp1252, but it is cp1251"
    assert (found.text, found.left_out) == (russian, [told])
    assert read("text", russian.encode(), "iso-8859-2").text == russian
    german = LANGUAGES["German"].texts[0]
    assert read("text", german.encode("cp1252"), "iso-8859-1").left_out == []


@pytest.mark.parametrize(
    "text", ["Call +4912345678 or +491234.", "a ~{ b ~} c", "x = ~{y~}", "1+abc-2", "\x1b[31mred"]
)
def test_ascii_that_looks_like_shifts_stays_as_it_is(text):
    assert read("text", text.encode()).text == text


@pytest.mark.parametrize(
    "data",
    [bytes(range(256)), b"PCM" + bytes([1, 0, 3, 0, 255, 255]) * 50, b"\x80\x81\x82\x83" * 50],
    ids=["all bytes", "sound", "no bytes of letters"],
)
def test_what_is_no_text_in_any_encoding_is_refused(data):
    with pytest.raises(Unreadable, match="no text"):
        read("text", data)


def test_the_documentation_says_how_many_are_right():
    lines = ["| language | its encodings | right, of texts |", "|---|---|---|"]
    for name, language in LANGUAGES.items():
        said = [said for _, each, said in outcomes() if each.is_at_home and each.language == name]
        names = language.encodings.replace(" ", ", ")
        lines.append(f"| {name} | {names} | {said.count('right')} of {len(said)} |")
    elsewhere = [said for _, each, said in outcomes() if not each.is_at_home]
    lines.append(
        f"| each of them | one of another language | {elsewhere.count('right')} of "
        f"{len(elsewhere)}, the others refused |"
    )
    count = len({*UNICODE, *OTHERS, *ENCODINGS})
    text = (ROOT / "docs/documents.md").read_text()
    assert "\n".join(lines) in text
    assert f"in {count} encodings" in text
