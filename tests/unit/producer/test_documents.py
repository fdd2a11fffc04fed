"""Documents from files: what is found, what is read, and why something cannot be."""

from importlib.util import find_spec
from zipfile import ZipFile

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from producer.documents import Choice, found, read


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.md", "a.txt", "sub/c.html", ".hidden", ".git/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def pdf(path, text="Hello from a page", password=None, font=True):
    """A page that shows `text`."""
    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    if text:
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
        kind = {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(DictionaryObject(kind))})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(path)
    return str(path)


def taken(*paths, **choice):
    return [each.path for each in found(paths, Choice(**choice)) if not each.skipped]


def reasons(*paths, **choice):
    """Path -> why it is skipped or wrong."""
    return {
        each.path: each.skipped or each.wrong
        for each in found(paths, Choice(**choice))
        if each.skipped or each.wrong
    }


def test_files_folders_and_patterns_are_found_in_order(folder):
    assert taken(".") == ["a.txt", "b.md", "sub/c.html"]
    assert taken("sub", "*.md", "-") == ["sub/c.html", "b.md", "-"]
    assert taken(str(folder / "*.md")) == [str(folder / "b.md")]


@pytest.mark.parametrize("path", ["", "nothing", "*.docx", "https://example.org/x.pdf", "a\0b"])
def test_a_path_that_names_nothing_is_told(folder, path):
    (each,) = found([path])
    assert each.wrong
    assert ("URLs are not fetched" in each.wrong) == ("://" in path)


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.txt", "schön".encode(), "schön"),
        ("b.txt", "schön".encode("utf-16"), "schön"),
        ("c.txt", "Das ist schön und kostet 5 €".encode("cp1252"), "Das ist schön und kostet 5 €"),
        ("d.md", b"\xef\xbb\xbf# Title", "# Title"),
        (
            "e.html",
            b"<head><title>t</title></head><p>One <b>bold</b></p><script>x()</script><p>Two",
            "Title: t\n\nOne **bold**\n\nTwo",
        ),
    ],
)
def test_texts_are_read_whatever_their_encoding(tmp_path, name, data, text):
    (tmp_path / name).write_bytes(data)
    document = read(str(tmp_path / name))
    assert (document.wrong, document.text.strip()) == (None, text)


def test_a_pdf_is_read(tmp_path):
    assert read(pdf(tmp_path / "a.pdf")).text.strip() == "Hello from a page"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: pdf(path, password="secret"), "encrypted"),
        (lambda path: pdf(path, text=""), "its pages hold no text"),
        (lambda path: path.write_bytes(b"%PDF-1.7 rubbish"), "no readable PDF"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(tmp_path, make, reason):
    make(tmp_path / "a.pdf")
    assert reason in str(read(str(tmp_path / "a.pdf")).wrong)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.txt", b" \n", "empty"),
        ("binary.bin", b"\x01\x02\0\0\xff", "binary data"),
        ("gone.txt", None, "cannot be read (No such file"),
    ],
)
def test_other_files_say_why_too(tmp_path, name, data, reason):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    document = read(str(tmp_path / name))
    assert reason in str(document.wrong)
    assert name in str(document.wrong)


def docx(path):
    """The least that is a DOCX."""
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    links = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    words = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    parts = {
        "[Content_Types].xml": f"""<Types xmlns="{kinds}">
            <Default Extension="rels" ContentType="{rels}"/>
            <Override PartName="/word/document.xml" ContentType="{main}"/>
            </Types>""",
        "_rels/.rels": f"""<Relationships xmlns="{links}">
            <Relationship Id="r1" Type="{office}" Target="word/document.xml"/>
            </Relationships>""",
        "word/document.xml": f"""<w:document xmlns:w="{words}">
            <w:body><w:p><w:r><w:t>Hello from a DOCX</w:t></w:r></w:p></w:body>
            </w:document>""",
    }
    with ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)


def test_a_docx_is_read_with_the_extra_and_says_so_without(tmp_path):
    docx(tmp_path / "a.docx")
    document = read(str(tmp_path / "a.docx"))
    if find_spec("kreuzberg"):
        assert "Hello from a DOCX" in document.text
    else:
        assert "needs the extra: pip install 'celery-completions[documents]'" in str(document.wrong)


def test_a_damaged_docx_says_so(tmp_path):
    (tmp_path / "a.docx").write_bytes(b"PK\x03\x04 rubbish")
    assert "damaged" in str(read(str(tmp_path / "a.docx")).wrong)


def test_standard_input_is_a_document(tmp_path):
    assert read("-", "piped")[:2] == ("stdin", "piped")
