"""Documents made from nothing: name -> what makes its bytes."""

import io
import json
import zipfile
from email.message import EmailMessage

from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    TextStringObject,
)

TEXT = "The harbour of Ostwick took 412 ships in 2021, and lost 7 of them."
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3Bl" * 9


def named(**fields):
    return DictionaryObject({NameObject(f"/{key}"): value for key, value in fields.items()})


def pdf(pages=(TEXT,), fields=(), notes=(), password=None, owner="owner", algorithm="AES-256"):
    """Pages that show texts (an empty one shows a picture), form values and notes on the first."""
    writer = PdfWriter()
    font = writer._add_object(
        named(
            Type=NameObject("/Font"),
            Subtype=NameObject("/Type1"),
            BaseFont=NameObject("/Helvetica"),
        )
    )
    for text in pages:
        page = writer.add_blank_page(600, 200)
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode() if text else b"/P Do")
        page[NameObject("/Contents")] = writer._add_object(stream)
        resources = named(Font=named(F1=font))
        if not text:
            resources[NameObject("/XObject")] = named(P=writer._add_object(picture()))
        page[NameObject("/Resources")] = resources
    annotations = ArrayObject()
    of_form = ArrayObject()
    for name, label, value in fields:
        field = writer._add_object(form_field(name, label, value))
        annotations.append(field)
        of_form.append(field)
    annotations += [writer._add_object(note(text)) for text in notes]
    if annotations:
        writer.pages[0][NameObject("/Annots")] = annotations
    if of_form:
        writer._root_object[NameObject("/AcroForm")] = named(Fields=of_form)
    if password is not None:
        writer.encrypt(password, owner, algorithm=algorithm)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def picture():
    stream = DecodedStreamObject()
    stream.set_data(b"\0")
    for name, value in {
        "Type": "/XObject",
        "Subtype": "/Image",
        "ColorSpace": "/DeviceGray",
    }.items():
        stream[NameObject(f"/{name}")] = NameObject(value)
    for name in ("Width", "Height", "BitsPerComponent"):
        stream[NameObject(f"/{name}")] = FloatObject(1)
    return stream


def form_field(name, label, value):
    return named(
        Type=NameObject("/Annot"),
        Subtype=NameObject("/Widget"),
        FT=NameObject("/Tx"),
        T=TextStringObject(name),
        TU=TextStringObject(label),
        V=TextStringObject(value),
        Rect=ArrayObject([FloatObject(n) for n in (0, 0, 90, 20)]),
    )


def note(text):
    return named(
        Type=NameObject("/Annot"),
        Subtype=NameObject("/FreeText"),
        Contents=TextStringObject(text),
        T=TextStringObject("Ida"),
        Rect=ArrayObject([FloatObject(n) for n in (0, 0, 90, 20)]),
    )


def mail(attach=True):
    message = EmailMessage()
    message["From"] = "Ida <ida@example.org>"
    message["To"] = "Ole <ole@example.org>"
    message["Subject"] = "Der Hafen für übermorgen"
    message.set_content(f"{TEXT}\nGrüße, Ida\n", charset="iso-8859-1", cte="quoted-printable")
    message.add_alternative(f"<p>{TEXT}</p><p>Grüße, Ida</p>", subtype="html")
    if attach:
        data = b"\x89PNG\r\n" + bytes(range(256)) * 2_000
        message.add_attachment(data, maintype="image", subtype="png", filename="pier.png")
    return message.as_bytes()


def notebook():
    picture = {"image/png": "iVBORw0KGgo" * 500, "text/plain": "<Figure size 640x480>"}
    cells = [
        {"cell_type": "markdown", "source": ["# Ships\n", TEXT]},
        {
            "cell_type": "code",
            "source": "print(412 - 7)",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["405\n"]},
                {"output_type": "display_data", "data": picture},
                {"output_type": "error", "ename": "KeyError", "evalue": "'pier'"},
            ],
        },
    ]
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode()


PAGE = f"""<!doctype html><html><head><meta charset="utf-8"><title>Harbour log</title>
<style>p {{}}</style></head><body><h1>Ships</h1><p>{TEXT} H<sub>2</sub>O, <b>W</b>ater.</p>
<p hidden>HIDDEN-1</p><p style="display:none">HIDDEN-2</p><script>HIDDEN3()</script>
<dialog>HIDDEN-4</dialog><template>HIDDEN-5</template><!-- HIDDEN-6 -->
<table><tr><th>Year</th><th>Loss</th><th>Profit</th></tr>
<tr><td>2021</td><td></td><td>700</td></tr></table>
<pre>first
  second</pre><img src="data:image/png;base64,{"iVBORw0KGgo" * 90}" alt="The pier at dawn">
</body></html>"""


def page():
    return PAGE.encode()


_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
DOCX = {
    "[Content_Types].xml": f"""<Types xmlns="{_PACKAGE}/content-types">
        <Default Extension="xml" ContentType="application/xml"/>
        <Override PartName="/word/document.xml" ContentType="{_MAIN}"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{_PACKAGE}/relationships">
        <Relationship Id="r1" Type="{_OFFICE}" Target="word/document.xml"/></Relationships>""",
}


def docx(text=TEXT):
    """The least that is one."""
    parts = DOCX | {
        "word/document.xml": f"""<w:document
            xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
            <w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>""",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def form():
    return pdf(fields=[("f1", "Name of the ship", "Halcyon"), ("f2", "", "412")], notes=["Late"])


MADE = {
    "form.pdf": form,
    "letter.eml": mail,
    "page.html": page,
    "book.ipynb": notebook,
    "letter.docx": docx,
    "letter.rtf": lambda: b"{\\rtf1\\ansi " + TEXT.encode() + b"\\par}",
    "table.csv": lambda: ("Year;Loss;Profit\n2021;;700\nGröße;é;7\n" * 20).encode(),
}
