"""The table of docs/documents.md, made from the corpus."""

from support.document_corpus import CASES

FORMATS = {
    "text": (
        "text, Markdown, CSV, JSON, code, in any encoding that can be told",
        "encoded data",
        "",
    ),
    "HTML": (
        "title, text, tables, code, alternative texts, form values",
        "what is hidden",
        "documents",
    ),
    "PDF": (
        "pages, form values (XFA, too), notes; encrypted ones with an empty password; files in it",
        "pages that are pictures or whose fonts name no characters, text outside of the pages",
        "documents",
    ),
    "mail": (
        "headers, the text, messages in it; many in a file (mbox); MHTML; attachments",
        "attachments that are no documents, by name",
        "documents",
    ),
    "notebook": ("texts, code, printed output, errors", "pictures", "documents"),
    "Word": (
        "text, tables, headers, footers, notes, comments, embedded files",
        "pictures, charts, damaged and missing parts",
        "documents",
    ),
    "Excel": (
        "all sheets, with their names, but for empty rows and columns; comments, printed headers",
        "the same; formulas that were never computed",
        "documents",
    ),
    "PowerPoint": ("slides, speakers' notes, comments", "the same", "documents"),
    "OpenDocument": (
        "texts, sheets, slides; headers, footers, notes, comments",
        "the same",
        "documents",
    ),
    "Outlook": (
        "headers, the text, attachments",
        "attachments without a text, by name",
        "documents",
    ),
    "EPUB": ("text", "pictures", "documents"),
    "RTF": ("text", "pictures", "documents"),
    "no document": ("", "pictures, sound, films, archives, programs, databases, fonts, keys", ""),
}
"""Format -> what is read, what is left out and told, the extra that it needs."""


def table():
    """The table of docs/documents.md."""
    lines = ["| format | what is read | what is left out, and told | extra | files tried |"]
    lines.append("|---|---|---|---|---|")
    for name, (read, left_out, extra) in FORMATS.items():
        count = sum(case.format == name for case in CASES)
        lines.append(f"| {name} | {read} | {left_out} | {extra} | {count} |")
    return "\n".join(lines)
