"""Documents as people have them, and what must become of each."""

import json
from typing import NamedTuple

from support import made_documents as made
from support import made_office as office
from support.made_documents import PAGE, TEXT

PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 400
BASE64 = "\n".join(["TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsgYW5kIHNoaXBzIG1ha2UgaGFyYm91cnMu"] * 40)


class Case(NamedTuple):
    """A file and what must be seen of it."""

    format: str
    name: str
    data: bytes
    sent: tuple[str, ...] = ()
    """What must be in its text, in this order."""
    unsent: tuple[str, ...] = ()
    """What must not be."""
    told: str = ""
    """A part of what is said to be left out, or why it is not read."""
    read: bool = True
    skipped: bool = False


MAIL = b"""From: Ida <ida@example.org>\r
To: ole@example.org\r
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r
Date: Mon, 2 Nov 2026 10:00:00 +0000\r
MIME-Version: 1.0\r
Content-Type: text/html; charset="koi8-r"\r
Content-Transfer-Encoding: base64\r
\r
""" + __import__("base64").b64encode(f"<p>{TEXT} Привет</p>".encode("koi8-r"))

SAVED = f"""From: <Saved by Blink>\r
Subject: Harbour log\r
MIME-Version: 1.0\r
Content-Type: multipart/related; boundary="b"\r
\r
--b\r
Content-Type: text/html; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
{PAGE}\r
--b\r
Content-Type: image/png\r
Content-Transfer-Encoding: base64\r
Content-Location: https://example.org/pier.png\r
\r
{BASE64}\r
--b--\r
""".encode()


def page(body, head=""):
    return f"<html><head>{head}</head><body>{body}</body></html>".encode()


def pdf_of(*pages, **more):
    return made.pdf(pages, **more)


PDF = [
    Case("PDF", "text.pdf", pdf_of(TEXT, "Second page"), (TEXT, "Second page")),
    Case("PDF", "form.pdf", made.form(), (TEXT, "Name of the ship: Halcyon", "f2: 412")),
    Case("PDF", "notes.pdf", pdf_of(TEXT, notes=["Too late"]), (TEXT, "Note by Ida: Too late")),
    *(
        Case("PDF", f"{algorithm}.pdf", pdf_of(TEXT, password="", algorithm=algorithm), (TEXT,))
        for algorithm in ("RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256")
    ),
    Case("PDF", "locked.pdf", pdf_of(TEXT, password="x"), told="encrypted", read=False),
    Case("PDF", "scan.pdf", pdf_of("", ""), told="2 of 2 pages are pictures", read=False),
    Case("PDF", "cover.pdf", pdf_of(TEXT, *[""] * 30), told="30 of 31 pages", read=False),
    Case("PDF", "plate.pdf", pdf_of(TEXT, "", "More"), (TEXT, "More"), told="1 of 3 pages"),
    Case("PDF", "cut.pdf", pdf_of(TEXT)[:200], told="damaged", read=False),
    Case("PDF", "empty.pdf", b"", told="damaged", read=False),
    Case("PDF", "late.pdf", b"\r\n\r\n" + pdf_of(TEXT), (TEXT,)),
    Case("PDF", "no suffix", pdf_of(TEXT), (TEXT,)),
    Case("PDF", "wrong.txt", pdf_of(TEXT), (TEXT,), ("endobj",)),
]

HTML = [
    Case(
        "HTML",
        "page.html",
        made.page(),
        ("Harbour log", TEXT, "H2O", "| 2021 |  | 700 |", "first\n  second", "The pier at dawn"),
        ("HIDDEN", "base64", "iVBORw0KGgo"),
    ),
    *(
        Case("HTML", f"hidden{number}.html", page(f"<p>{TEXT}</p>{hidden}"), (TEXT,), ("SECRET",))
        for number, hidden in enumerate(
            (
                "<p hidden>SECRET</p>",
                "<div style='display: none'>SECRET</div>",
                "<div style='visibility:hidden'>SECRET</div>",
                "<script>SECRET</script>",
                "<style>.SECRET {}</style>",
                "<template><p>SECRET</p></template>",
                "<dialog>SECRET</dialog>",
                "<!-- SECRET -->",
                "<input type=hidden value=SECRET>",
            )
        )
    ),
    Case("HTML", "unclosed.html", f"<head><title>Log</title><p>{TEXT}".encode(), ("Log", TEXT)),
    Case(
        "HTML", "words.html", page("<p><b>W</b>ater CO<sub>2</sub> x<sup>2</sup></p>"), ("CO2 x2",)
    ),
    Case("HTML", "code.html", page("<pre>a\n  b\n\nc</pre>"), ("a\n  b\n\nc",)),
    Case("HTML", "list.html", page("<ul><li>One<li>Two</ul>"), ("- One\n- Two",)),
    Case("HTML", "form.html", page("<label>Name</label><textarea>Ida</textarea>"), ("Name", "Ida")),
    Case("HTML", "empty.html", page(""), told="empty", read=False),
    Case("HTML", "script.html", page("<script>x()</script>"), told="empty", read=False),
    Case("HTML", "no suffix either", made.page(), (TEXT,), ("HIDDEN",)),
    Case(
        "HTML",
        "meta.html",
        page("<p>Привет, мир</p>", "<meta charset='koi8-r'>").decode().encode("koi8-r"),
        ("Привет, мир",),
    ),
    Case(
        "HTML",
        "old.html",
        page(
            "<p>Ça a été</p>",
            '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">',
        )
        .decode()
        .encode("cp1252"),
        ("Ça a été",),
    ),
    Case(
        "HTML",
        "xml.xhtml",
        b'<?xml version="1.0" encoding="iso-8859-2"?>' + page("Łódź").decode().encode("iso8859_2"),
        ("Łódź",),
    ),
    Case("HTML", "marked.html", page("Grüße").decode().encode("utf-16"), ("Grüße",)),
]

MAILS = [
    Case("mail", "letter.eml", made.mail(), ("übermorgen", TEXT, "Grüße"), ("<p>",), "pier.png"),
    Case("mail", "html.eml", MAIL, ("Ida", "Grüße", TEXT, "Привет"), ("<p>",)),
    Case("mail", "letter", made.mail(), ("übermorgen", TEXT), told="pier.png"),
    Case("mail", "saved.mhtml", SAVED, ("Harbour log", TEXT), ("HIDDEN", "TWFueSBo"), "image/png"),
    Case("mail", "plain.eml", f"Subject: x\nFrom: a\n\n{TEXT}".encode(), (TEXT,)),
]

TEXTS = [
    Case("text", "plain.txt", TEXT.encode(), (TEXT,)),
    Case("text", "README", TEXT.encode(), (TEXT,)),
    Case("text", "x.unknown", TEXT.encode(), (TEXT,)),
    Case("text", "table.csv", b"Year,Loss,Profit\n2021,,700\n", ("2021,,700",)),
    Case("text", "data.json", json.dumps({"text": TEXT}).encode(), (TEXT,)),
    Case("text", "bom.txt", b"\xef\xbb\xbf" + TEXT.encode(), (TEXT,), ("\ufeff",)),
    *(
        Case("text", f"{encoding}.txt", f"{TEXT} Grüße".encode(encoding), (TEXT, "Grüße"))
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
    ),
    Case(
        "text",
        "one bad byte.txt",
        f"{TEXT} Grüße. ".encode() * 50 + b"\xff",
        (TEXT,),
        told="1 bytes that are no UTF-8",
    ),
    Case(
        "text",
        "twice.txt",
        "Größe überall, schöne Grüße".encode().decode("cp1252").encode(),
        ("Größe überall",),
        told="encoded twice",
    ),
    Case(
        "text",
        "note.md",
        f"# Log\n\n![pier]({PICTURE})\n\n{TEXT}".encode(),
        ("# Log", TEXT),
        ("iVBORw0KGgo",),
        "image/png, 3,300 bytes",
    ),
    Case(
        "text",
        "encoded.txt",
        f"{TEXT}\n\n{BASE64}\n\nEnd".encode(),
        (TEXT, "End"),
        ("TWFueSBo",),
        "encoded data",
    ),
    Case("text", "all encoded.txt", BASE64.replace("\n", "").encode(), told="encoded data"),
    Case("text", "empty.txt", b"", told="empty", read=False),
    Case("text", "blank.txt", b" \r\n\t\n", told="empty", read=False),
    Case("text", "private.txt", ("\ue001\ue002\ue003 " * 99).encode(), told="fonts", read=False),
    Case("text", "binary.dat", bytes(range(256)) * 9, told="binary", read=False),
    Case("text", "controls.txt", b"\x01\x02\x03ab" * 99, told="binary", read=False),
    Case(
        "text", "random.txt", b"\xe1\x9d\xc3\x8d\xfd\x90\xd0\xaa" * 60, told="encoding", read=False
    ),
]

NOTEBOOKS = [
    Case(
        "notebook",
        "book.ipynb",
        made.notebook(),
        (TEXT, "print(412 - 7)", "405", "KeyError"),
        ("iVBORw0KGgo",),
        "picture",
    ),
    Case("notebook", "broken.ipynb", b'{"cells": 7}', told="damaged", read=False),
    Case("notebook", "cut.ipynb", made.notebook()[:99], told="damaged", read=False),
]

OFFICE = [
    Case(
        "Word",
        "letter.docx",
        office.word(TEXT),
        (
            TEXT,
            "| 2021 |  | 700 |",
            "Footnote of the clerk",
            "Comment of the clerk",
            "Footer of the harbour",
            "Header of the harbour",
        ),
    ),
    Case("Word", "letter.bin", made.docx(), (TEXT,)),
    Case("Word", "cut.docx", made.docx()[:300], told="damaged", read=False),
    Case("Word", "not.docx", b"PK rubbish", told="damaged", read=False),
    Case("Excel", "book.xlsx", office.excel(TEXT), ("Ships", "| 2021 |  | 700 |", "Losses", TEXT)),
    Case("PowerPoint", "talk.pptx", office.slides(TEXT), (TEXT, "Note of the speaker")),
    Case("OpenDocument", "letter.odt", office.open_text(TEXT), ("Ships", TEXT)),
    Case("EPUB", "book.epub", office.book(TEXT), (TEXT,)),
    Case("RTF", "letter.rtf", made.MADE["letter.rtf"](), (TEXT,), ("rtf1",)),
    Case("RTF", "letter.doc", made.MADE["letter.rtf"](), (TEXT,), ("rtf1",)),
]
"""Read with the extra `documents`."""

OTHERS = [
    Case("no document", name, beginning + bytes(300), told=told, read=False, skipped=True)
    for name, beginning, told in (
        ("a.png", b"\x89PNG\r\n\x1a\n", "picture"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "picture"),
        ("a.gif", b"GIF89a", "picture"),
        ("a.txt", b"GIF87a", "picture"),
        ("a.mp3", b"ID3\x03", "sound"),
        ("a.ogg", b"OggS", "sound"),
        ("a.mp4", b"\0\0\0\x18ftypmp42", "film"),
        ("a.mkv", b"\x1aE\xdf\xa3", "film"),
        ("a.gz", b"\x1f\x8b\x08", "archive"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "archive"),
        ("a.zip", office.zipped({"a.txt": TEXT}), "archive"),
        ("a.exe", b"MZ\x90\0", "program"),
        ("a.so", b"\x7fELF", "program"),
        ("a.sqlite", b"SQLite format 3\0", "database"),
        ("a.parquet", b"PAR1", "table"),
        ("a.woff2", b"wOF2", "font"),
        ("id_rsa", b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + b"b3Bl" * 9, "private key"),
        ("key.json", b'{"k": "-----BEGIN PRIVATE KEY-----\\n' + b"MIIE" * 9, "private key"),
    )
]

CASES = [*PDF, *HTML, *MAILS, *TEXTS, *NOTEBOOKS, *OFFICE, *OTHERS]
