"""Office files as people have them, and what must become of each."""

import io
import zipfile

from support import made_documents as made
from support import made_office as office
from support import made_outlook as outlook
from support.case import Case
from support.made_documents import KEY, TEXT


def changed(data, parts):
    """Some parts of an archive are others, or (None) are not there."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        whole = {name: old.read(name) for name in old.namelist()} | parts
        for name, content in whole.items():
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


WORD = office.word(TEXT)
BOOK = office.excel(TEXT)
SLIDES = office.slides(TEXT)
SLIDE = b"<p:sld xmlns:a='a' xmlns:p='p'><a:p><a:r><a:t>Second slide</a:t></a:r></a:p></p:sld>"
HALF = (
    b"<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>"
    b"<w:body><w:p><w:r><w:t>Half of it</w:t></w:r></w:p><w:p><w:r><w:t>cut"
)

SHEET = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>Year</t></is></c><c r="B1" t="inlineStr"><is><t>Loss</t>
</is></c><c r="Z1" t="inlineStr"><is><t>Profit</t></is></c></row>
<row r="90"><c r="A90"><v>2021</v></c><c r="Z90"><v>700</v></c></row>
<row r="91"><c r="A91"><f>SUM(A1:A90)</f><v></v></c></row></sheetData>
<headerFooter><oddHeader>&amp;L&amp;"Arial,Bold"&amp;12Log &amp;P</oddHeader></headerFooter>
</worksheet>"""
SAID = """<comments><commentList><comment ref="B2"><text><t>Ye</t></text></comment></commentList>
</comments>"""
SHORT = (
    b"<w:comments xmlns:w='w'><w:comment><w:p><w:r><w:t>lost</w:t></w:r></w:p></w:comment>"
    b"</w:comments>"
)

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
    Case(
        "Excel",
        "far.xlsx",
        changed(BOOK, {"xl/worksheets/sheet1.xml": SHEET, "xl/comments/comment1.xml": SAID}),
        (
            "| Year | Loss | Profit |\n| --- | --- | --- |\n| 2021 |  | 700 |\n",
            "[Comment: Ye]",
            "[Header: Log]",
        ),
        told="1 formulas that were never computed",
    ),
    Case(
        "Word",
        "said in the text too.docx",
        changed(WORD, {"word/comments.xml": SHORT}),
        (TEXT, "[Comment: lost]"),
    ),
    Case("PowerPoint", "talk.pptx", office.slides(TEXT), (TEXT, "Note of the speaker")),
    Case("OpenDocument", "letter.odt", office.open_text(TEXT), ("Ships", TEXT)),
    Case(
        "Word",
        "comments.docx",
        changed(WORD, {"word/comments.xml": b"<w:comments><w:comment"}),
        (TEXT, "Footer of the harbour"),
        told="word/comments.xml is damaged",
    ),
    Case(
        "Word",
        "header.docx",
        changed(WORD, {"word/header1.xml": None}),
        (TEXT, "Comment of the clerk"),
        told="word/header1.xml is missing",
    ),
    Case(
        "Word",
        "half.docx",
        changed(WORD, {"word/document.xml": HALF}),
        ("Half of it", "Footer of the harbour"),
        told="word/document.xml is damaged",
    ),
    Case(
        "Word",
        "with pictures.docx",
        changed(WORD, {"word/media/a.png": b"x", "word/embeddings/book.xlsx": BOOK}),
        (TEXT, "Attachment book.xlsx", "Ships", "| 2021 |  | 700 |"),
        told="1 pictures",
    ),
    Case(
        "Word",
        "pictures.docx",
        changed(made.docx(""), {"word/media/a.png": b"x", "word/media/b.jpg": b"x"}),
        told="no text, but 2 pictures",
        read=False,
    ),
    Case(
        "Excel",
        "sheet.xlsx",
        changed(BOOK, {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row>"}),
        ("Losses", TEXT),
        told="xl/worksheets/sheet1.xml is damaged",
    ),
    Case(
        "PowerPoint",
        "notes.pptx",
        changed(SLIDES, {"ppt/notesSlides/notesSlide1.xml": b"<p:notes"}),
        (TEXT,),
        told="ppt/notesSlides/notesSlide1.xml is damaged",
    ),
    Case(
        "PowerPoint",
        "slides.pptx",
        changed(SLIDES, {"ppt/slides/slide2.xml": SLIDE, "ppt/slides/slide1.xml": b"<p:sld"}),
        ("Second slide",),
        told="ppt/slides/slide1.xml is damaged",
    ),
    Case(
        "OpenDocument",
        "asides.odt",
        office.open_document("text", office.BODY, office.MASTER),
        ("Ships", TEXT, "Foot", "Comment: Why?", "Header: Top", "Footer: Bottom"),
    ),
    Case(
        "OpenDocument",
        "book.ods",
        office.open_document("spreadsheet", office.TABLES),
        ("Ships", "| 2021 |  | 700 |", "Losses"),
    ),
    Case(
        "OpenDocument",
        "talk.odp",
        office.open_document("presentation", office.PAGES),
        ("Slide 1", TEXT, "Speaker's notes: Slowly"),
    ),
    Case(
        "Outlook",
        "letter.msg",
        outlook.message(
            "Ships", TEXT, note_txt=b"Not later", pier_png=b"\x89PNG\r\n\x1a\n", id_txt=KEY.encode()
        ),
        ("Ships", TEXT, "letter.msg/note.txt:", "Not later"),
        ("b3Bl",),
        "attachment pier.png: no text can be read",
    ),
    Case("Outlook", "bare.msg", outlook.message("Ships", TEXT), ("Ships", TEXT)),
    Case("EPUB", "book.epub", office.book(TEXT), (TEXT,)),
    Case("RTF", "letter.rtf", made.MADE["letter.rtf"](), (TEXT,), ("rtf1",)),
    Case("RTF", "letter.doc", made.MADE["letter.rtf"](), (TEXT,), ("rtf1",)),
]
"""Read with the extra `documents`."""
