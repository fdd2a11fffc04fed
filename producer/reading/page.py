"""HTML, by html-to-markdown: what a reader of the page sees, as Markdown."""

import re
from html import escape, unescape

from html_to_markdown import (
    ConversionOptions,
    ConversionResult,
    PreprocessingOptions,
    ProcessingWarning,
    convert,
)

from . import layout
from .reading import Reading
from .text import decoded

_OPTIONS = ConversionOptions(
    preprocessing=PreprocessingOptions(enabled=True, remove_navigation=False, remove_forms=False),
    exclude_selectors=["dialog"],
    strip_tags=["a"],
    inline_data_media="alt_text_only",
    compact_tables=True,
    wrap=False,
)
"""Where links lead is not seen, and often longer than what is."""
_FRONT = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)

_QUOTED = r"""(?:[^<>"']|"[^"]*"|'[^']*')"""
_TAG = re.compile(rf"<([a-z][a-z0-9]*)(\s{_QUOTED}*)>", re.IGNORECASE)
_SELECT = re.compile(rf"<select\b{_QUOTED}*>(.*?)</select>", re.IGNORECASE | re.DOTALL)
_OPTION = re.compile(rf"<option\b({_QUOTED}*)>([^<]*)", re.IGNORECASE)
_XML = re.compile(r"\s*<\?xml\b")
_CLOSED = re.compile(rf"<(title|script|style|textarea|a|p|div|span|iframe)(\s{_QUOTED}*)?/>")
"""Of XML: for HTML these begin what never ends."""
_INVISIBLE = re.compile(
    r"(?<![\w-])opacity\s*:\s*0*\.?0*\s*(?:[;!]|$)|(?:left|top|text-indent)\s*:\s*-\d{3,}"
    r"|(?=.*overflow\s*:\s*hidden).*(?<![\w-])(?:max-)?(?:height|width)"
    r"\s*:\s*0(?:px)?\s*(?:[;!]|$)",
    re.IGNORECASE | re.DOTALL,
)
"""Styles by which texts are hidden where `display` is not, as in mails."""
_SOFT_HYPHEN = "\u00ad"
_UNSEEN = ("hidden", "password", "submit", "button", "reset", "image", "file")
"""Kinds of fields that show no value, or none of the reader's."""


def read(data: bytes, declared: str = "") -> Reading:
    """The title and the text of a page."""
    page, told = decoded(data, declared)
    if _XML.match(page):
        page = _CLOSED.sub(r"<\1\2></\1>", page)
    page = layout.without_tables_around_tables(_SELECT.sub(_chosen, page))
    found = convert(_TAG.sub(_seen, page), _OPTIONS)
    told += map(_in_words, found.warnings)
    return Reading(_with_title(found).replace(_SOFT_HYPHEN, ""), told)


def _with_title(found: ConversionResult) -> str:
    text = _FRONT.sub("", found.content or "").strip()
    title = ""
    if found.metadata and found.metadata.document.title:
        title = " ".join(found.metadata.document.title.split())
    if not title or title in text[: len(title) + 200]:
        return text
    return f"Title: {title}\n\n{text}".strip()


def _in_words(warning: ProcessingWarning) -> str:
    if "depth" in warning.message:
        return "what is nested too deeply is left out"
    return warning.message[:200]


def _seen(tag: re.Match[str]) -> str:
    """The values of fields and the names of pictures, as texts."""
    name = tag[1].lower()
    if name in ("img", "area"):
        alternative = _attribute(tag[2], "alt") or _attribute(tag[2], "title")
        return alternative and f"[{escape(alternative)}]"
    if name in ("video", "audio", "embed"):
        return f"<{name}>"
    if name == "input":
        return escape(_value(tag[2]))
    if _INVISIBLE.search(_attribute(tag[2], "style")):
        return f"<{name} hidden>"
    return tag[0]


def _value(attributes: str) -> str:
    kind = _attribute(attributes, "type").lower()
    if kind in ("checkbox", "radio"):
        return "[x] " if re.search(r"\schecked\b", attributes, re.IGNORECASE) else "[ ] "
    if kind in _UNSEEN:
        return ""
    return f" {_attribute(attributes, 'value')} "


def _chosen(select: re.Match[str]) -> str:
    """The options that are chosen; the first one, if none says so."""
    options = _OPTION.findall(select[1])
    chosen = [text for said, text in options if re.search(r"\sselected\b", said, re.IGNORECASE)]
    shown = chosen or [text for _, text in options[:1]]
    return " " + ", ".join(text.strip() for text in shown) + " "


def _attribute(attributes: str, name: str) -> str:
    """Its value; "" if there is none."""
    found = re.search(
        rf"""\s{name}\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", attributes, re.IGNORECASE
    )
    if not found:
        return ""
    return unescape(found[1] or found[2] or found[3] or "").strip()
