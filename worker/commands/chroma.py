"""Chroma, as commands ask it."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from producer.extras import needs

from ..semantic.index import Away
from ..settings import SemanticSettings, load

if TYPE_CHECKING:
    from ..semantic.chroma import Chroma

TIMEOUT_S = 30.0
"""Of a call: an operator waits until all of a user's vectors have left a scope."""


def chroma_server(fleet: str) -> "Chroma | None":
    """None if vectors lie in the ledger's server. Raises `SettingsError`."""
    index = load(SemanticSettings).index
    if index is None:
        return None
    if find_spec("chromadb") is None:
        raise click.ClickException(f"LLM_SEMANTIC_INDEX: {needs('vectors in Chroma', 'chroma')}")
    from ..semantic.chroma import Chroma

    return Chroma(index.get_secret_value(), fleet, TIMEOUT_S)


def away(error: Away) -> str:
    return f"Chroma does not answer ({error}). Fix: check LLM_SEMANTIC_INDEX"
