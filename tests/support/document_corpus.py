"""Documents as people have them, and what must become of each."""

import json

from support import made_documents as made
from support import made_office as office
from support.case import Case
from support.corpus_mail import BASE64, MAILS
from support.corpus_office import OFFICE
from support.corpus_pdf import PDF
from support.made_documents import KEY, TEXT

PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 400

UU = ("M4U%M" * 12 + "\n") * 30


def page(body, head=""):
    return f"<html><head>{head}</head><body>{body}</body></html>".encode()


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
    *(
        Case(
            "HTML",
            f"unseen{number}.html",
            page(f"<p>{TEXT}</p><div style='{style}'>SECRET</div>"),
            (TEXT,),
            ("SECRET",),
        )
        for number, style in enumerate(
            (
                "opacity: 0",
                "position:absolute; left:-9999px",
                "max-height:0;overflow:hidden",
                "font-size: 0",
            )
        )
    ),
    Case(
        "HTML", "pale.html", page("<p style='opacity:0.5;min-width:0;top:-3px'>Pale</p>"), ("Pale",)
    ),
    Case(
        "HTML",
        "layout.html",
        page(
            "<table><tr><td><table><tr><td>Head</table><tr><td>Dear Ida,<table><tr><th>Year<th>Loss"
            "<th>Profit<tr><td>2021<td><td>700</table></table>"
        ),
        ("Head", "Dear Ida,", "| Year | Loss | Profit |", "| 2021 |  | 700 |"),
    ),
    Case(
        "HTML",
        "told.html",
        page("<img alt='' title='The pier'><video src='x.mp4'>No film</video> har&shy;bour"),
        ("[The pier]", "No film", "harbour"),
        ("x.mp4",),
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
    Case(
        "HTML",
        "links.html",
        page(f"<a href='https://example.org/{'x' * 300}'>Log of <b>W</b>ater</a> <img alt='Pier'>"),
        ("Log of **W**ater [Pier]",),
        ("example.org",),
    ),
    Case(
        "HTML",
        "filled.html",
        page(
            "<input name=ship value='Halcyon'><input type=checkbox checked>late"
            "<input type=radio>lost <input type=password value=SECRET><select><option>SECRET"
            "<option selected>North pier</select>"
        ),
        ("Halcyon", "[x] late", "[ ] lost", "North pier"),
        ("SECRET",),
    ),
    Case(
        "HTML",
        "closed.xhtml",
        b"<?xml version='1.0'?>" + page(f"<script src='x'/><p>{TEXT}</p>", "<title/>"),
        (TEXT,),
        ("body",),
    ),
    Case(
        "HTML",
        "nested.html",
        page(f"<p>{TEXT}</p>" + "<div>" * 3000 + "DEEP"),
        (TEXT,),
        ("DEEP",),
        told="nested too deeply",
    ),
    Case("HTML", "marked.html", page("Grüße").decode().encode("utf-16"), ("Grüße",)),
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
    Case(
        "text",
        "uu.txt",
        f"{TEXT}\nbegin 644 a.png\n{UU}`\nend\n".encode(),
        (TEXT,),
        ("M4U",),
        "encoded data",
    ),
    Case(
        "text",
        "all encoded.txt",
        BASE64.replace("\n", "").encode(),
        told="no words but encoded data",
        read=False,
    ),
    Case(
        "text",
        "drawn.md",
        f"{TEXT} ![pier](data:image/svg+xml,{'%3Cpath%20d' * 40})".encode(),
        (TEXT, "[image/svg+xml]"),
        ("3Cpath",),
        "image/svg+xml",
    ),
    Case(
        "text",
        "escaped.json",
        json.dumps({"a": "Grüße, 早朝 😀", "b": "\x01 \\u0041"}).encode(),
        ("Grüße, 早朝 😀", "\\u0001 \\\\u0041"),
    ),
    Case("text", "tibetan.txt", ("བོད་སྐད་ཀྱི་ཡི་གེ་" * 80).encode(), ("བོད་སྐད་",)),
    Case("text", "empty.txt", b"", told="empty", read=False),
    Case("text", "blank.txt", b" \r\n\t\n", told="empty", read=False),
    Case("text", "private.txt", ("\ue001\ue002\ue003 " * 99).encode(), told="fonts", read=False),
    Case("text", "binary.txt", bytes(range(256)) * 9, told="binary", read=False),
    Case("text", "controls.txt", b"\x01\x02\x03ab" * 99, told="binary", read=False),
    Case(
        "text", "random.txt", b"\xe1\x9d\xc3\x8d\xfd\x90\xd0\xaa" * 60, told="encoding", read=False
    ),
]

OUTPUT = {"output_type": "display_data", "data": {"text/html": ["<p>a | b", "</p>"]}}
ODD_NOTEBOOK = json.dumps(
    {
        "cells": [
            None,
            {"cell_type": "markdown", "source": "Text"},
            {"cell_type": "code", "source": "", "outputs": [OUTPUT]},
        ]
    }
).encode()
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
    Case("notebook", "odd.ipynb", ODD_NOTEBOOK, ("Text", "a | b"), told="cell 1 is damaged"),
    Case("notebook", "cut.ipynb", made.notebook()[:99], told="damaged", read=False),
]


def padded(beginning):
    """Not what would be no text any more."""
    return beginning if b"PRIVATE KEY" in beginning.replace(b"\0", b"") else beginning + bytes(300)


OTHERS = [
    Case("no document", name, padded(beginning), told=told, read=False, skipped=True)
    for name, beginning, told in (
        ("a.png", b"\x89PNG\r\n\x1a\n", "picture"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "picture"),
        ("a.gif", b"GIF89a", "picture"),
        ("a.txt", b"GIF87a", "picture"),
        ("a.mp3", b"ID3\x03", "sound"),
        ("bare.mp3", b"\xff\xe3\x18\xc4", "sound"),
        ("a.ogg", b"OggS", "sound"),
        ("a.ps", b"%!PS-Adobe-3.0\n", "convert them to PDF"),
        ("a.pyc", b"\xa7\r\r\n\0\0", "binary data"),
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
        ("id_rsa", KEY.encode(), "private key"),
        ("key.txt", KEY.encode("utf-16"), "private key (line 1)"),
        ("key.html", f"<html><p>See</p><pre>{KEY}</pre></html>".encode(), "private key"),
        ("key.pdf", made.pdf((KEY.replace("\n", " "),)), "private key"),
        ("key.json", b'{"k": "-----BEGIN PRIVATE KEY-----\\n' + b"MIIE" * 9, "private key"),
    )
]

CASES = [*PDF, *HTML, *MAILS, *TEXTS, *NOTEBOOKS, *OFFICE, *OTHERS]
