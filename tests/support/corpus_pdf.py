"""PDFs as people have them, and what must become of each."""

from support import made_documents as made
from support import made_pdf as pdf
from support.case import Case
from support.made_documents import TEXT


def pdf_of(*pages, **more):
    return made.pdf(pages, **more)


SHIFTED = "".join(chr(max(33, ord(sign) - 29)) for sign in TEXT).replace("\\", "")
ROWS = ("Year", "Loss", "Profit", "2021", "          700")
FAR = [(40, 5000, "SECRET"), (-3000, 200, "SECRET"), (40, -500, "SECRET"), (9000, 9, "SECRET")]
STAMPED = [pdf.FULL_PAGE, (40, 20, "Page 7, scanned by OstScan")]

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
    Case("PDF", "stamped.pdf", pdf.made(*[STAMPED] * 3), told="3 of 3 pages", read=False),
    Case(
        "PDF",
        "letterhead.pdf",
        pdf.made([pdf.FULL_PAGE, (40, 200, TEXT), (40, 180, TEXT)]),
        (TEXT, TEXT),
    ),
    Case("PDF", "drawn.pdf", pdf.made([b"0 0 m 9 9 l S"]), told="1 of 1 pages", read=False),
    Case("PDF", "cut.pdf", pdf_of(TEXT)[:200], told="damaged", read=False),
    Case("PDF", "empty.pdf", b"", told="damaged", read=False),
    Case("PDF", "late.pdf", b"\r\n\r\n" + pdf_of(TEXT), (TEXT,)),
    Case("PDF", "no suffix", pdf_of(TEXT), (TEXT,)),
    Case("PDF", "wrong.txt", pdf_of(TEXT), (TEXT,), ("endobj",)),
    Case("PDF", "table.pdf", pdf.made(pdf.TABLE), ROWS),
    *(Case("PDF", f"to {side}.pdf", pdf.rotated(side), ROWS) for side in (90, 180, 270)),
    *(
        Case("PDF", f"turned {place}.pdf", pdf.turned(matrix), ("first line", "second line"))
        for place, matrix in enumerate(("0 1 -1 0", "0.02 1 -1 0.02"))
    ),
    Case("PDF", "columns.pdf", pdf.made(pdf.COLUMNS), ("left 0", "left 8", "right 0", "right 8")),
    Case("PDF", "words.pdf", pdf.made(pdf.CUT_WORDS), ("A har-\nbour and a well-\nknown pier.",)),
    Case("PDF", "raised.pdf", pdf.made(pdf.RAISED), ("2022", " 5\n2023      ", " 6")),
    Case("PDF", "far.pdf", pdf.made([(40, 200, TEXT), *FAR]), (TEXT,), ("SECRET",), "outside"),
    Case("PDF", "hebrew.pdf", pdf.right_to_left(), ("תאריך 19/09/1403 סכום",)),
    Case("PDF", "fonts.pdf", pdf.unnamed(), told="fonts that do not say", read=False),
    Case("PDF", "one font.pdf", pdf.unnamed(TEXT), (TEXT,), ("SECRET", "\ue041"), "1 of 2 pages"),
    Case("PDF", "plot.pdf", pdf.drawn_letters(TEXT, "0.35"), (TEXT, "0.35")),
    Case("PDF", "shifted.pdf", pdf.drawn_letters(SHIFTED), told="1 of 1 pages", read=False),
    Case("PDF", "xfa.pdf", pdf.xfa(), ("Name of the ship: Halcyon", "crew: 412"), ("empty",)),
    Case("PDF", "xdp.pdf", pdf.xfa(whole=True), ("Name of the ship: Halcyon", "crew: 412")),
    Case(
        "PDF",
        "portfolio.pdf",
        pdf.with_files("Cover", a_pdf=pdf_of(TEXT), b_png=b"\x89PNG\r\n\x1a\n", c_txt=b"Note"),
        ("Cover", "portfolio.pdf/a.pdf:", TEXT, "portfolio.pdf/c.txt:", "Note"),
        told="attachment b.png: no document but a picture",
    ),
    Case(
        "PDF",
        "bare portfolio.pdf",
        pdf.made([], more=lambda writer: writer.add_attachment("a.txt", TEXT.encode())),
        ("bare portfolio.pdf/a.txt:", TEXT),
        told="nothing but the files in it",
        read=False,
        skipped=True,
    ),
    Case(
        "PDF",
        "clip.pdf",
        pdf.with_note_of_file("See", "a.eml", made.mail(False)),
        ("/a.eml:", TEXT),
    ),
]
