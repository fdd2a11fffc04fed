"""What reading a file gives."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Unreadable(Exception):
    """Why a file gives no text, with the fix."""


class NoDocument(Unreadable):
    """Nothing is wrong with the file, but it is none to read: a picture, an archive, a key."""


class Binary(Unreadable):
    """No text. Whether something is wrong with it follows from its name."""

    def __init__(self) -> None:
        super().__init__("no text but binary data. Fix: leave it out, or convert it")


class Attached(NamedTuple):
    """A file within a file."""

    name: str
    data: bytes
    is_shown: bool = False
    """Whether a reader of the outer file sees it there: a forwarded message, a sheet in a letter.
    Its text follows that of the outer file; others are documents of their own.
    """
    is_text: bool = False
    """Whether the data are its text already, in UTF-8."""


@dataclass
class Reading:
    """The text of a file."""

    text: str
    left_out: list[str] = field(default_factory=list)
    """What of it was not read, and what was changed, each in a few words."""
    pages: int = 0
    """0: the format has none."""
    pictures: list[str] = field(default_factory=list)
    """Data URIs of the pages that are pictures, if they were asked for."""
    attached: list[Attached] = field(default_factory=list)
    """What is still to be read."""
    within: dict[str, "Reading"] = field(default_factory=dict)
    """Name -> a document of its own that was in the file."""
