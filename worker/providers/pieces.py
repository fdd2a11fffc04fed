"""The pieces of an answer in their order, and what of it its provider wants back. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from producer.contract.kept import MOST_CHARACTERS, Kept, Piece
from producer.contract.messages import ToolCall


class RawPiece(NamedTuple):
    """One piece as it was sent.

    `call`: the place of its call among all of the answer. `thought` None: it is none, or nothing
    but sealed.
    """

    text: str = ""
    call: int | None = None
    thought: str | None = None
    seal: str = ""


class WantedBack(NamedTuple):
    """`kept` None: nothing, or `flag` says why it cannot be sent back."""

    kept: Kept | None = None
    flag: str = ""


def wanted_back(
    api: str, model: str, pieces: Sequence[RawPiece], calls: Sequence[ToolCall | None]
) -> WantedBack:
    """Of an answer with these calls, None for one that cannot be read."""
    size = sum(len(piece.thought or "") + len(piece.seal) for piece in pieces)
    if not size or None in calls:
        return WantedBack()
    if size > MOST_CHARACTERS:
        return WantedBack(flag=f"thoughts: {size:,} characters are too many to be sent back")
    kept = Kept(
        api=api,
        model=model,
        pieces=tuple(_piece(each, calls) for each in pieces),
    )
    return WantedBack(kept)


def _piece(piece: RawPiece, calls: Sequence[ToolCall | None]) -> Piece:
    made = None if piece.call is None else calls[piece.call]
    return Piece(
        characters=len(piece.text),
        call=made.id if made else "",
        thought=piece.thought,
        seal=piece.seal,
    )
