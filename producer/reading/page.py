"""HTML, by html-to-markdown: what a reader of the page sees, as Markdown."""

import re

from html_to_markdown import (
    ConversionOptions,
    ConversionResult,
    PreprocessingOptions,
    convert,
)

from .reading import Reading
from .text import decoded

_OPTIONS = ConversionOptions(
    preprocessing=PreprocessingOptions(enabled=True, remove_navigation=False, remove_forms=False),
    exclude_selectors=["dialog"],
    inline_data_media="alt_text_only",
    compact_tables=True,
    wrap=False,
)
_FRONT = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)


def read(data: bytes, declared: str = "") -> Reading:
    """The title and the text of a page."""
    page, told = decoded(data, declared)
    found = convert(page, _OPTIONS)
    told += [f"{warning}"[:200] for warning in found.warnings]
    return Reading(_with_title(found), told)


def _with_title(found: ConversionResult) -> str:
    text = _FRONT.sub("", found.content or "").strip()
    title = ""
    if found.metadata and found.metadata.document.title:
        title = " ".join(found.metadata.document.title.split())
    if not title or title in text[: len(title) + 200]:
        return text
    return f"Title: {title}\n\n{text}".strip()
