"""What of an answer its provider wants back with the next request, as it gave it.

Signatures of thoughts (Gemini), signed and encrypted thoughts (Anthropic, OpenAI's Responses): none
of it can be read here. Another provider, or another model, gets the conversation without.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from .content import Frozen

MOST_CHARACTERS = 500_000
"""Of the thoughts and seals of a turn."""


class Piece(Frozen):
    """One piece of a turn."""

    characters: Annotated[int, Field(ge=0)] = 0
    """So many further characters of the content are said here."""
    call: str = ""
    """The id of the tool call that is made here."""
    thought: str | None = Field(None, repr=False)
    """What was thought here, as far as it was told."""
    seal: str = Field("", repr=False)
    """A signature, or something encrypted."""


class Kept(Frozen):
    """A turn in the order in which it was given."""

    api: Annotated[str, Field(max_length=64)]
    """Whose form it is: "anthropic", "gemini", or a dialect of OpenAI's."""
    model: Annotated[str, Field(max_length=256)]
    pieces: Annotated[tuple[Piece, ...], Field(max_length=10_000)]

    @property
    def size(self) -> int:
        """Characters of thoughts and seals."""
        return sum(len(piece.thought or "") + len(piece.seal) for piece in self.pieces)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.size > MOST_CHARACTERS:
            raise ValueError(
                f"at most {MOST_CHARACTERS:,} characters of thoughts are taken. Fix: leave it out"
            )
        return self
