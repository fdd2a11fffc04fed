"""OpenDocument: what stands beside its text, and slides (OASIS OpenDocument 1.3, parts 3 and 4)."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, XMLParser
from zipfile import ZipFile

from .asides import put
from .office_parts import content
from .reading import Reading

_ASIDES = {
    "header": "Header",
    "footer": "Footer",
    "annotation": "Comment",
    "notes": "Speaker's notes",
}
"""Elements -> what they are."""


def add_asides(archive: ZipFile, reading: Reading) -> None:
    """Put it behind the text, each once."""
    for part in ("content.xml", "styles.xml"):
        for element in _root(archive, part).iter():
            label = _ASIDES.get(_name(element))
            for text in _paragraphs(element) if label else ():
                put(text, str(label), reading)


def slides(archive: ZipFile) -> str:
    """The texts of a presentation, a heading for each slide."""
    texts = []
    pages = (each for each in _root(archive, "content.xml").iter() if _name(each) == "page")
    for number, page in enumerate(pages, start=1):
        title = f"## Slide {number}"
        texts.append("\n\n".join([title, *_paragraphs(page)]))
    return "\n\n".join(texts)


def _paragraphs(element: Element) -> Iterator[str]:
    """Without what is an aside itself."""
    for each in element:
        name = _name(each)
        if name in ("p", "h"):
            if text := " ".join("".join(_words(each)).split()):
                yield text
        elif name not in _ASIDES:
            yield from _paragraphs(each)


def _words(element: Element) -> Iterator[str]:
    yield element.text or ""
    for each in element:
        if _name(each) in ("s", "tab", "line-break"):
            yield " "
        elif _name(each) not in _ASIDES:
            yield from _words(each)
        yield each.tail or ""


def _root(archive: ZipFile, part: str) -> Element:
    """As far as it is well-formed; an empty element of a part that is not there."""
    if part not in archive.namelist():
        return Element("nothing")
    parser = XMLParser()  # noqa: S314 -- in a child process with limits; expat fetches nothing
    try:
        parser.feed(content(archive, part))
        return parser.close()
    except ParseError:
        return Element("nothing")


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
