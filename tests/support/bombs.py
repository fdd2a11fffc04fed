"""Small files that take much to read."""

import io
import json
import zipfile
import zlib

from support.made_documents import DOCX, TEXT
from support.made_office import book, excel, open_text, slides, word


def pdf_with_stream(filters, stream):
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter %s >>\nstream\n%s\nendstream" % (len(stream), filters, stream),
    ]
    data = b"%PDF-1.7\n"
    table = b"xref\n0 5\n0000000000 65535 f \n"
    for number, part in enumerate(parts, start=1):
        table += b"%010d 00000 n \n" % len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    end = b"trailer << /Root 1 0 R /Size 5 >>\nstartxref\n%d\n%%%%EOF\n" % len(data)
    return data + table + end


DOCUMENT = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:body><w:p><w:r><w:t>"
)


def docx_bomb(tmp_path):
    """A few KB that unfold to half a gigabyte."""
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in DOCX.items():
            archive.writestr(name, text)
        with archive.open("word/document.xml", "w") as file:
            file.write(DOCUMENT.encode())
            for _ in range(500):
                file.write(b"a " * 500_000)
            file.write(b"</w:t></w:r></w:p></w:body></w:document>")
    return path.read_bytes()


BOMBS = {
    "comments.html": lambda: b"<!--" * 500_000,
    "links.html": lambda: b"<a " * 500_000,
    "closed.html": lambda: b"</a" * 200_000,
    "deep.html": lambda: b"<div>" * 300_000 + b"x",
    "tables.html": lambda: b"<table><tr><td>" * 30_000,
    "ascii85.pdf": lambda: pdf_with_stream(b"/ASCII85Decode", b"z" * 45_000_000),
    "flate.pdf": lambda: pdf_with_stream(
        b"[/FlateDecode /FlateDecode]",
        zlib.compress(zlib.compress(b"0" * 400_000_000, 9), 9),
    ),
    "pages.pdf": lambda: pdf_with_stream(b"[]", b"q " * 5_000_000),
    "deep.ipynb": lambda: b'{"cells": ' * 50_000,
    "deep.json": lambda: b"[" * 1_000_000,
    "nested.eml": lambda: b"Subject: x\nContent-Type: message/rfc822\n\n" * 20_000,
    "parts.eml": lambda: (
        b"Content-Type: multipart/mixed; boundary=a\nSubject: x\nTo: y\n\n" + b"--a\n" * 300_000
    ),
    "deep.rtf": lambda: b"{\\rtf1 " + b"{" * 1_000_000,
}
"""File name -> makes its content."""

MEGABYTE = b"a " * 500_000


def unfolding(data, megabytes=500):
    """An Office file whose text unfolds to so many megabytes."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for info in given.infolist():
            before, found, after = given.read(info).partition(TEXT.encode())
            with archive.open(info.filename, "w", force_zip64=True) as part:
                part.write(before)
                if found:
                    for _ in range(megabytes):
                        part.write(MEGABYTE)
                part.write(after)
    return file.getvalue()


def nested(data, levels=2_000_000):
    """An Office file whose text stands within so many elements."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for info in given.infolist():
            deep = b"<x>" * levels + b"</x>" * levels
            archive.writestr(info.filename, given.read(info).replace(TEXT.encode(), deep))
    return file.getvalue()


def with_entity(data, entity):
    """An Office file whose text refers to `e`, which `entity` says what it is."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(file, "w") as archive,
    ):
        for info in given.infolist():
            part = given.read(info)
            before, found, after = part.partition(TEXT.encode())
            if found:
                head, mark, rest = (
                    before.partition(b"?>") if b"?>" in before else (b"", b"", before)
                )
                part = head + mark + entity + rest + found + b" &e; " + after
            archive.writestr(info.filename, part)
    return file.getvalue()


OFFICE = {
    "x.docx": word,
    "x.xlsx": excel,
    "x.pptx": slides,
    "x.odt": open_text,
    "x.epub": book,
}
CELL = {"cell_type": "code", "source": "x", "outputs": [], "metadata": {}}
BIG = {
    "pages.pdf": lambda: pdf_with_stream(b"[]", b"(a) Tj " * 6_000_000),
    "flate.pdf": lambda: pdf_with_stream(
        b"[/FlateDecode /FlateDecode /FlateDecode]",
        zlib.compress(zlib.compress(zlib.compress(b"(a) Tj " * 80_000_000, 9), 9), 9),
    ),
    "groups.rtf": lambda: b"{\\rtf1 " + b"{\\b x}" * 7_000_000 + b"}",
    "deep.rtf": lambda: b"{\\rtf1 " + b"{" * 45_000_000,
    "x.msg": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0\0\0\0" * 11_000_000,
    "parts.eml": lambda: b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\n" * 8_000_000,
    "encoded.eml": lambda: (
        b"Subject: x\nContent-Transfer-Encoding: base64\n\n" + b"QUFB" * 11_000_000
    ),
    "cells.ipynb": lambda: json.dumps({"cells": [CELL] * 500_000}).encode(),
    "lists.ipynb": lambda: b'{"cells": [' + b"[]," * 15_000_000 + b"1]}",
    "tags.html": lambda: b"<b>x" * 11_000_000,
    "entities.html": lambda: b"&" * 45_000_000,
    "text.txt": lambda: b"\xe9\xa4" * 20_000_000,
}
"""As large as a file may be, or unfolding to more than memory; made when they are asked for."""
MADE = (
    {f"unfolding {name}": lambda make=make: unfolding(make(TEXT)) for name, make in OFFICE.items()}
    | {f"nested {name}": lambda make=make: nested(make(TEXT)) for name, make in OFFICE.items()}
    | BIG
)
"""File name -> makes its content."""
