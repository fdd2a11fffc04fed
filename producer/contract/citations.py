"""Where an answer says that it has something from."""

from typing import Any

from pydantic import ConfigDict

from .content import Frozen

MOST_CITATIONS = 1_000
MOST_CHARACTERS = 4_096
"""Of an address, a title or a quotation."""


class Citation(Frozen):
    """One source of a stretch of an answer's text."""

    model_config = ConfigDict(extra="ignore")

    start: int | None = None
    end: int | None = None
    """Characters of the text; None: no stretch is told."""
    url: str = ""
    title: str = ""
    quote: str = ""
    """What the source says."""
    document: int | None = None
    """Which file of the request it is, from 0."""
    page: int | None = None
    """The first page of it, from 1."""

    def to_openai(self) -> dict[str, Any] | None:
        """As an annotation of a chat completion; None if these have no word for it."""
        if not self.url or self.start is None or self.end is None:
            return None
        place = {"start_index": self.start, "end_index": self.end}
        return {
            "type": "url_citation",
            "url_citation": place | {"title": self.title, "url": self.url},
        }
