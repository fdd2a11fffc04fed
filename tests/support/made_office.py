"""Office documents made from nothing, with all that readers like to miss."""

import io
import zipfile

from support.made_documents import TEXT

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = f'xmlns:r="{_OFFICE}"'
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_P = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
)


def zipped(parts, first=None):
    """An archive of texts; `first` = (name, text) goes first and uncompressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if first:
            archive.writestr(zipfile.ZipInfo(first[0]), first[1])
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()


def package(main, kinds, parts, relations):
    """`kinds`: part -> content type; `relations`: part -> [(id, type, target)]."""
    overrides = "".join(
        f'<Override PartName="/{part}" ContentType="{_KIND}.{kind}+xml"/>'
        for part, kind in kinds.items()
    )
    parts = dict(parts)
    parts["[Content_Types].xml"] = (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
    relations = {"": [("r1", "officeDocument", main)], **relations}
    for part, links in relations.items():
        folder, _, name = part.rpartition("/")
        path = f"{folder}/_rels/{name}.rels" if part else "_rels/.rels"
        parts[path] = (
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            + "".join(
                f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
                for key, kind, target in links
            )
            + "</Relationships>"
        )
    return zipped(parts)


def _paragraph(text, more=""):
    return f"<w:p><w:r><w:t>{text}</w:t></w:r>{more}</w:p>"


def word(text):
    """A letter with a table, a header, a footer, a comment and a footnote."""
    cells = "".join(
        f"<w:tr>{''.join(f'<w:tc>{_paragraph(cell)}</w:tc>' for cell in row)}</w:tr>"
        for row in (("Year", "Loss", "Profit"), ("2021", "", "700"))
    )
    note = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    sections = (
        f'<w:sectPr {_R}><w:headerReference w:type="default" r:id="r2"/>'
        '<w:footerReference w:type="default" r:id="r3"/></w:sectPr>'
    )
    parts = {
        "word/document.xml": f"<w:document {_W}><w:body>{_paragraph(text, note)}"
        f"<w:tbl>{cells}</w:tbl>{sections}</w:body></w:document>",
        "word/header1.xml": f"<w:hdr {_W}>{_paragraph('Header of the harbour')}</w:hdr>",
        "word/footer1.xml": f"<w:ftr {_W}>{_paragraph('Footer of the harbour')}</w:ftr>",
        "word/comments.xml": f'<w:comments {_W}><w:comment w:id="0" w:author="Ida">'
        f"{_paragraph('Comment of the clerk')}</w:comment></w:comments>",
        "word/footnotes.xml": f'<w:footnotes {_W}><w:footnote w:id="2">'
        f"{_paragraph('Footnote of the clerk')}</w:footnote></w:footnotes>",
    }
    kinds = {
        "word/document.xml": "wordprocessingml.document.main",
        "word/header1.xml": "wordprocessingml.header",
        "word/footer1.xml": "wordprocessingml.footer",
        "word/comments.xml": "wordprocessingml.comments",
        "word/footnotes.xml": "wordprocessingml.footnotes",
    }
    links = [
        ("r2", "header", "header1.xml"),
        ("r3", "footer", "footer1.xml"),
        ("r4", "comments", "comments.xml"),
        ("r5", "footnotes", "footnotes.xml"),
    ]
    return package("word/document.xml", kinds, parts, {"word/document.xml": links})


def excel(text):
    """Two sheets with names; a cell is empty."""

    def cell(place, value):
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    def sheet(*rows):
        body = "".join(f"<row>{''.join(cell(*each) for each in row)}</row>" for row in rows)
        return f"<worksheet {_S}><sheetData>{body}</sheetData></worksheet>"

    parts = {
        "xl/workbook.xml": f"<workbook {_S} {_R}><sheets>"
        '<sheet name="Ships" sheetId="1" r:id="r1"/>'
        '<sheet name="Losses" sheetId="2" r:id="r2"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": sheet(
            (("A1", "Year"), ("B1", "Loss"), ("C1", "Profit")), (("A2", 2021), ("C2", 700))
        ),
        "xl/worksheets/sheet2.xml": sheet((("A1", text),)),
    }
    kinds = {
        "xl/workbook.xml": "spreadsheetml.sheet.main",
        "xl/worksheets/sheet1.xml": "spreadsheetml.worksheet",
        "xl/worksheets/sheet2.xml": "spreadsheetml.worksheet",
    }
    links = [
        ("r1", "worksheet", "worksheets/sheet1.xml"),
        ("r2", "worksheet", "worksheets/sheet2.xml"),
    ]
    return package("xl/workbook.xml", kinds, parts, {"xl/workbook.xml": links})


def slides(text):
    """One slide with notes."""

    def shapes(words):
        return (
            "<p:cSld><p:spTree><p:sp><p:nvSpPr/><p:txBody><a:p><a:r>"
            f"<a:t>{words}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld>"
        )

    parts = {
        "ppt/presentation.xml": f"<p:presentation {_P} {_R}><p:sldIdLst>"
        '<p:sldId id="256" r:id="r1"/>'
        "</p:sldIdLst></p:presentation>",
        "ppt/slides/slide1.xml": f"<p:sld {_P}>{shapes(text)}</p:sld>",
        "ppt/notesSlides/notesSlide1.xml": f"<p:notes {_P}>"
        f"{shapes('Note of the speaker')}</p:notes>",
    }
    kinds = {
        "ppt/presentation.xml": "presentationml.presentation.main",
        "ppt/slides/slide1.xml": "presentationml.slide",
        "ppt/notesSlides/notesSlide1.xml": "presentationml.notesSlide",
    }
    return package(
        "ppt/presentation.xml",
        kinds,
        parts,
        {
            "ppt/presentation.xml": [("r1", "slide", "slides/slide1.xml")],
            "ppt/slides/slide1.xml": [("r1", "notesSlide", "../notesSlides/notesSlide1.xml")],
        },
    )


_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
_OPEN = " ".join(
    f'xmlns:{short}="{_NAMES}:{name}:1.0"'
    for short, name in {
        "office": "office",
        "text": "text",
        "table": "table",
        "style": "style",
        "draw": "drawing",
        "presentation": "presentation",
    }.items()
)
_COMMENT = "<office:annotation><text:p>Why?</text:p></office:annotation>"
BODY = f"""<office:text><text:h>Ships</text:h><text:p>{TEXT}{_COMMENT}<text:note
text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>
<text:p>Foot</text:p></text:note-body></text:note></text:p></office:text>"""
MASTER = """<style:master-page style:name="S"><style:header><text:p>Top</text:p></style:header>
<style:footer><text:p>Bottom</text:p></style:footer></style:master-page>"""
PAGES = f"""<office:presentation><draw:page draw:name="One"><draw:frame><draw:text-box>
<text:p>{TEXT}</text:p></draw:text-box></draw:frame><presentation:notes><draw:frame>
<draw:text-box><text:p>Slowly</text:p></draw:text-box></draw:frame></presentation:notes>
</draw:page></office:presentation>"""


def _open_table(name, *rows):
    def cell(text):
        if not text:
            return "<table:table-cell/>"
        return (
            '<table:table-cell office:value-type="string">'
            f"<text:p>{text}</text:p></table:table-cell>"
        )

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    return f'<table:table table:name="{name}">{body}</table:table>'


TABLES = (
    "<office:spreadsheet>"
    + _open_table("Ships", ("Year", "Loss", "Profit"), ("2021", "", "700"))
    + _open_table("Losses", ("7",))
    + "</office:spreadsheet>"
)


def open_document(kind, body, master=""):
    content = (
        f"<office:document-content {_OPEN}><office:body>{body}</office:body>"
        "</office:document-content>"
    )
    styles = (
        f"<office:document-styles {_OPEN}><office:master-styles>{master}</office:master-styles>"
        "</office:document-styles>"
    )
    manifest = (
        f'<manifest:manifest xmlns:manifest="{_NAMES}:manifest:1.0"><manifest:file-entry '
        'manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    parts = {"content.xml": content, "styles.xml": styles, "META-INF/manifest.xml": manifest}
    return zipped(parts, ("mimetype", f"application/vnd.oasis.opendocument.{kind}"))


def open_text(text):
    body = f"<office:text><text:h>Ships</text:h><text:p>{text}</text:p></office:text>"
    return open_document("text", body)


def book(text):
    names = "urn:oasis:names:tc:opendocument:xmlns:container"
    container = (
        f'<container xmlns="{names}" version="1.0"><rootfiles><rootfile full-path="book.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    packed = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="i">1'
        "</dc:identifier><dc:title>Ships</dc:title><dc:language>en</dc:language></metadata>"
        '<manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>'
    )
    chapter = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>One</title></head>'
        f"<body><p>{text}</p></body></html>"
    )
    parts = {"META-INF/container.xml": container, "book.opf": packed, "c.xhtml": chapter}
    return zipped(parts, ("mimetype", "application/epub+zip"))
