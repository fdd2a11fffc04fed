"""A file of the corpus."""

from typing import NamedTuple


class Case(NamedTuple):
    """A file and what must be seen of it."""

    format: str
    name: str
    data: bytes
    sent: tuple[str, ...] = ()
    """What must be in its text, in this order."""
    unsent: tuple[str, ...] = ()
    """What must not be."""
    told: str = ""
    """A part of what is said to be left out, or why it is not read."""
    read: bool = True
    skipped: bool = False
