"""PDFs made from nothing, with what readers of PDFs like to get wrong."""

import io

from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)
from support.made_documents import named, picture

HELVETICA = {
    "Type": NameObject("/Font"),
    "Subtype": NameObject("/Type1"),
    "BaseFont": NameObject("/Helvetica"),
}


def made(*pages, more=None):
    """Pages of lines, each (x, y, text) or a bytes of operators. `more`: called with the writer."""
    writer = PdfWriter()
    for each in pages:
        add(writer, each)
    if more:
        more(writer)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def add(writer, lines, size=(600, 400), rotate=0, font=None):
    page = writer.add_blank_page(*size)
    parts = []
    for line in lines:
        if isinstance(line, bytes):
            parts.append(line)
        else:
            x, y, text = line
            parts.append(f"BT /F1 12 Tf {x} {y} Td ({text}) Tj ET".encode("latin-1"))
    page[NameObject("/Contents")] = writer._add_object(stream(b"\n".join(parts)))
    fonts = named(F1=writer._add_object(named(**(font or HELVETICA))))
    pictures = named(P=writer._add_object(picture()))
    page[NameObject("/Resources")] = named(Font=fonts, XObject=pictures)
    if rotate:
        page[NameObject("/Rotate")] = NumberObject(rotate)
    return page


def stream(data, **fields):
    made_stream = DecodedStreamObject()
    made_stream.set_data(data)
    made_stream.update(named(**fields))
    return made_stream


TABLE = [
    (40 + 150 * column, 300 - 20 * row, text)
    for row, cells in enumerate((("Year", "Loss", "Profit"), ("2021", "", "700")))
    for column, text in enumerate(cells)
    if text
]
COLUMNS = [(40, 300 - 14 * row, f"left {row}") for row in range(9)]
COLUMNS += [(320, 300 - 14 * row, f"right {row}") for row in range(9)]
CUT_WORDS = [(40, 300, "A har-"), (40, 286, "bour and a well-"), (40, 272, "known pier.")]
RAISED = [(40, 300, "2022"), (110, 300.5, "5"), (40, 280, "2023"), (180, 280, "6")]
FULL_PAGE = b"q 600 0 0 400 0 0 cm /P Do Q"


def rotated(degrees):
    return made(more=lambda writer: add(writer, TABLE, rotate=degrees))


def turned(matrix):
    """A page whose lines do not run from left to right."""
    lines = [
        f"BT /F1 12 Tf {matrix} {x} {y} Tm ({text}) Tj ET".encode()
        for x, y, text in ((200, 200, "first line"), (220, 200, "second line"))
    ]
    return made(lines)


def right_to_left():
    """A date between two words, all of it written from left to right as it looks."""
    letters = "תאריך" + "סכום"
    codes = {letter: 0x80 + place for place, letter in enumerate(dict.fromkeys(letters))}
    shown = "".join(chr(codes[letter]) for letter in "סכום"[::-1])
    shown += " 19/09/1403 "
    shown += "".join(chr(codes[letter]) for letter in "תאריך"[::-1])

    def more(writer):
        table = "".join(f"<{code:02x}> <{ord(letter):04x}>\n" for letter, code in codes.items())
        table += "".join(f"<{code:02x}> <{code:04x}>\n" for code in b"0123456789/ ")
        cmap = (
            "/CIDInit /ProcSet findresource begin begincmap\n"
            "1 begincodespacerange <00> <ff> endcodespacerange\n"
            f"{table.count('<') // 2} beginbfchar\n{table}endbfchar\nendcmap end"
        )
        font = HELVETICA | {"ToUnicode": writer._add_object(stream(cmap.encode()))}
        add(writer, [(100, 200, shown)], font=font)

    return made(more=more)


def unnamed(*texts, share=1.0):
    """A page in a font that maps its codes to private characters, beside pages that say theirs."""

    def more(writer):
        entries = "".join(f"<{code:02x}> <e0{code:02x}>\n" for code in range(0x41, 0x7B))
        cmap = (
            "/CIDInit /ProcSet findresource begin begincmap\n"
            "1 begincodespacerange <00> <ff> endcodespacerange\n"
            f"58 beginbfchar\n{entries}endbfchar\nendcmap end"
        )
        font = HELVETICA | {"ToUnicode": writer._add_object(stream(cmap.encode()))}
        add(writer, [(40, 200, "SECRET of the harbour")], font=font)

    return made(*([(40, 200, text)] for text in texts), more=more)


def drawn_letters(*texts):
    """A page whose letters are drawings, as a plot's: their font names none of them."""

    def more(writer):
        box = writer._add_object(stream(b"600 0 0 0 500 500 d1 0 0 500 500 re f"))
        codes = sorted({ord(sign) for sign in "".join(texts)})
        names = [(NumberObject(code), NameObject(f"/g{code}")) for code in codes]
        font = {
            "Type": NameObject("/Font"),
            "Subtype": NameObject("/Type3"),
            "FontBBox": ArrayObject([NumberObject(n) for n in (0, 0, 600, 600)]),
            "FontMatrix": ArrayObject([FloatObject(n) for n in (0.001, 0, 0, 0.001, 0, 0)]),
            "CharProcs": named(**{f"g{code}": box for code in codes}),
            "Encoding": named(Differences=ArrayObject([part for pair in names for part in pair])),
            "FirstChar": NumberObject(codes[0]),
            "LastChar": NumberObject(codes[-1]),
            "Widths": ArrayObject([NumberObject(600)] * (codes[-1] - codes[0] + 1)),
        }
        add(writer, [(40, 300 - 20 * row, text) for row, text in enumerate(texts)], font=font)

    return made(more=more)


def with_files(*texts, **files):
    def more(writer):
        for name, data in files.items():
            writer.add_attachment(name.replace("_", "."), data)

    return made(*([(40, 200, text)] for text in texts), more=more)


def with_note_of_file(text, name, data):
    def more(writer):
        file = writer._add_object(stream(data))
        note = named(
            Type=NameObject("/Annot"),
            Subtype=NameObject("/FileAttachment"),
            FS=named(F=TextStringObject(name), EF=named(F=file)),
            Rect=ArrayObject([FloatObject(n) for n in (0, 0, 9, 9)]),
        )
        page = writer.pages[0]
        page[NameObject("/Annots")] = ArrayObject([writer._add_object(note)])

    return made([(40, 200, text)], more=more)


_TEMPLATE = b"""<template xmlns="http://www.xfa.org/schema/xfa-template/3.3/"><subform name="form1">
<field name="ship"><caption><value><text>Name of the ship</text></value></caption></field>
<field name="crew"/></subform></template>"""
_DATASETS = b"""<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><form1>
<ship>Halcyon</ship><crew>412</crew><empty/></form1></xfa:data></xfa:datasets>"""


def xfa(whole=False):
    def more(writer):
        if whole:
            parts = b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'>" + _TEMPLATE + _DATASETS
            form = writer._add_object(stream(parts + b"</xdp:xdp>"))
        else:
            form = ArrayObject()
            for name, part in (("template", _TEMPLATE), ("datasets", _DATASETS)):
                form += [TextStringObject(name), writer._add_object(stream(part))]
        writer._root_object[NameObject("/AcroForm")] = named(Fields=ArrayObject(), XFA=form)

    return made([(40, 200, "Please wait")], more=more)
