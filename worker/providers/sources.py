"""Where answers say that they have something from, in each API's words. Pure."""

from collections.abc import Iterator
from typing import Any

from producer.contract.citations import MOST_CHARACTERS, MOST_CITATIONS, Citation

from .bodies import Json, items, mapping, text_of


def bounded(found: list[Citation]) -> tuple[Citation, ...]:
    return tuple(found[:MOST_CITATIONS])


def of_openai(message: Json) -> Iterator[Citation]:
    """Of a message's annotations, or of a part's."""
    for each in items(message.get("annotations")):
        # Responses have the fields in the annotation itself.
        cited = mapping(mapping(each).get("url_citation")) or mapping(each)
        if cited.get("url"):
            yield Citation(
                start=_place(cited.get("start_index")),
                end=_place(cited.get("end_index")),
                url=_short(cited.get("url")),
                title=_short(cited.get("title")),
                quote=_short(cited.get("content")),
            )


def of_addresses(body: Json) -> Iterator[Citation]:
    """The bare addresses that Perplexity and xAI list."""
    for url in items(body.get("citations")):
        if isinstance(url, str):
            yield Citation(url=_short(url))


def of_anthropic(block: Json, start: int, end: int) -> Iterator[Citation]:
    """Of a block of text that stands between two places of the answer's."""
    for each in items(block.get("citations")):
        cited = mapping(each)
        if cited:
            yield Citation(
                start=start,
                end=end,
                url=_short(cited.get("url") or cited.get("source")),
                title=_short(cited.get("document_title") or cited.get("title")),
                quote=_short(cited.get("cited_text")),
                document=_place(cited.get("document_index")),
                page=_place(cited.get("start_page_number")),
            )


def of_gemini(candidate: Json, text: str) -> Iterator[Citation]:
    """Its places are bytes of the answer's UTF-8."""
    data = text.encode("utf-8", "replace")
    grounding = mapping(candidate.get("groundingMetadata"))
    chunks = [mapping(mapping(each).get("web")) for each in items(grounding.get("groundingChunks"))]
    for each in items(grounding.get("groundingSupports")):
        support = mapping(each)
        segment = mapping(support.get("segment"))
        for number in items(support.get("groundingChunkIndices")):
            if isinstance(number, int) and 0 <= number < len(chunks):
                yield _of_web(chunks[number], segment, data)
    cited = mapping(candidate.get("citationMetadata"))
    for each in items(cited.get("citations") or cited.get("citationSources")):
        yield _of_web(mapping(each), mapping(each), data)


def _of_web(source: Json, place: Json, data: bytes) -> Citation:
    return Citation(
        start=_character(place.get("startIndex", 0), data),
        end=_character(place.get("endIndex"), data),
        url=_short(source.get("uri")),
        title=_short(source.get("title")),
    )


def _character(byte: Any, data: bytes) -> int | None:
    place = _place(byte)
    if place is None:
        return None
    return len(data[:place].decode("utf-8", "ignore"))


def _place(value: Any) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if value < 0 or value >= 2**31:
        return None
    return value


def _short(value: Any) -> str:
    return text_of(value)[:MOST_CHARACTERS]
