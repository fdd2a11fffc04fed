"""The values of an XFA form, which a PDF holds as XML (XML Forms Architecture 3.3, Adobe)."""

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, XMLParser


def values(parts: Iterable[bytes]) -> list[str]:
    """A line for each value, behind its caption or its name. Raises `ParseError`."""
    roots = [_parsed(part) for part in parts if part.strip()]
    captions: dict[str, str] = {}
    lines = []
    for template in _named("template", roots):
        captions.update(_captions(template))
    for datasets in _named("datasets", roots):
        for element in datasets.iter():
            value = (element.text or "").strip()
            if value and not len(element):
                name = _name(element)
                lines.append(f"{captions.get(name, name)}: {value}")
    return lines


def _named(name: str, roots: list[Element]) -> Iterator[Element]:
    for root in roots:
        yield from (element for element in root.iter() if _name(element) == name)


def _captions(template: Element) -> Iterator[tuple[str, str]]:
    for field in template.iter():
        if _name(field) in ("field", "exclGroup") and field.get("name"):
            for part in field:
                caption = " ".join("".join(part.itertext()).split())
                if _name(part) == "caption" and caption:
                    yield field.get("name", ""), caption


def _parsed(xml: bytes) -> Element:
    parser = XMLParser()  # noqa: S314 -- in a child process with limits; expat fetches nothing
    parser.feed(xml)
    return parser.close()


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
