"""`Item`: one request of a batch, and what became of it."""

from dataclasses import dataclass

from .contract.completions import Completion
from .contract.errors import JobError


@dataclass(frozen=True)
class Item:
    """One request of a batch."""

    index: int
    name: str
    """What the caller calls it ("" if nothing)."""
    job_id: str
    state: str
    ended_s: int
    """When it ended, in seconds since the epoch by the ledger's clock; 0 before."""
    outcome: Completion | JobError | None
    """None: it has not ended."""
