"""Small files that take much to read."""

import zipfile
import zlib

from support.made_documents import DOCX


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
    "comments.html": b"<!--" * 500_000,
    "links.html": b"<a " * 500_000,
    "closed.html": b"</a" * 200_000,
    "deep.html": b"<div>" * 300_000 + b"x",
    "tables.html": b"<table><tr><td>" * 30_000,
    "ascii85.pdf": pdf_with_stream(b"/ASCII85Decode", b"z" * 45_000_000),
    "flate.pdf": pdf_with_stream(
        b"[/FlateDecode /FlateDecode]",
        zlib.compress(zlib.compress(b"0" * 400_000_000, 9), 9),
    ),
    "pages.pdf": pdf_with_stream(b"[]", b"q " * 5_000_000),
    "deep.ipynb": b'{"cells": ' * 50_000,
    "deep.json": b"[" * 1_000_000,
    "nested.eml": b"Subject: x\nContent-Type: message/rfc822\n\n" * 20_000,
    "parts.eml": b"Content-Type: multipart/mixed; boundary=a\nSubject: x\nTo: y\n\n"
    + b"--a\n" * 300_000,
    "deep.rtf": b"{\\rtf1 " + b"{" * 1_000_000,
}
